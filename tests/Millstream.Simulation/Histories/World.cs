namespace Millstream.Simulation;

/// <summary>Who starts, signals, answers, cancels and reads jobs, and what befalls the fleet meanwhile.</summary>
internal sealed class World(MemoryHistory history)
{
    private readonly Random _random = history.Random;
    private readonly List<StreamReader> _readers = [];
    private readonly List<Task> _actors = [];
    private readonly WorkerPark _park = new(history, []);

    public IReadOnlyList<StreamReader> Readers => _readers;

    public async Task RunAsync(AgentOrchestrator orchestrator)
    {
        // A plan lets nothing wait that others could take, so jobs with workflows are few.
        int jobs = history.Workflows.Length > 0 ? 1 + _random.Next(4) : 5 + _random.Next(_random.Next(4) == 0 ? 25 : 8);
        Task[] starts = [.. Enumerable.Range(0, jobs).Select(i => StartAsync(orchestrator, i))];
        Task fleet = _park.BefallAsync(orchestrator, () => false);
        Task answers = AnswerAsync(() => Array.TrueForAll(starts, s => s.IsCompleted) && fleet.IsCompleted);
        await fleet;
        await Task.WhenAll(starts);
        await answers;
        await SettleAsync(orchestrator);
        await Task.WhenAll(_actors);
    }

    private async Task StartAsync(AgentOrchestrator orchestrator, int number)
    {
        await PauseAsync(history.Workflows.Length > 0 ? 3000 : 80);
        SimulatedWorkflow? workflow = history.Draw();
        int plan = workflow is null ? history.Maker.Make() : history.Maker.MakeEmpty();
        JobOptions options = new()
        {
            Id = JobId.Parse($"j{number}"), Tenant = $"tenant{_random.Next(3)}", Priority = _random.Next(3), Weight = 1 + _random.Next(3),
            Deadline = _random.Next(12) == 0 ? history.Time.GetUtcNow().AddMilliseconds(_random.Next(300)) : null,
        };
        Agent<int, int, int, int> agent = history.Plans[plan].IsLoop ? PlanLoopAgent.Instance : PlanAgent.Instance;
        Job job = await CreateAsync();
        if (_random.Next(10) == 0 && (await CreateAsync()).Runner != job.Runner)
            history.Fail($"starting {job.Id} twice gave two jobs");
        JobRecord record = history.Job(job.Id);
        for (int i = _random.Next(4); i > 0; i--)
            Read(record, job);
        int cancels = _random.Next(5) == 0 ? 1 + _random.Next(2) : 0;
        if (cancels > 0 && _random.Next(3) == 0)
            _actors.Add(CancelAsync(job, 0));
        for (; cancels > 0; cancels--)
            _actors.Add(CancelAsync(job, 150));
        for (int i = workflow is null ? _random.Next(4) : 0; i > 0; i--)
            _actors.Add(SignalAsync(record, job.As<int, int, int>()));

        async Task<Job> CreateAsync() => workflow is null ? await orchestrator.CreateJobAsync(agent, plan, options) : await orchestrator.CreateJobAsync(workflow.Workflow.Agent, plan, options);
    }

    private void Read(JobRecord record, Job job)
    {
        StreamReader reader = new(history, record);
        _readers.Add(reader);
        _actors.Add(reader.ReadAsync(job));
    }

    private async Task CancelAsync(Job job, int within)
    {
        if (within > 0)
            await PauseAsync(within);
        JobRecord record = history.Job(job.Id);
        bool wasOver = record.HasEnded;
        record.Cancels++;
        SignalResult result = await job.CancelAsync("enough");
        record.Cancels--;
        if (result == SignalResult.Accepted && wasOver)
            history.Fail($"the cancel of {job.Id} was accepted after its end");
    }

    private async Task SignalAsync(JobRecord record, Job<int, int, int> job)
    {
        await PauseAsync(150);
        string? id = _random.Next(2) == 0 ? $"s{_random.Next(3)}" : null;
        List<Task> sends = [];
        for (int i = 1 + _random.Next(3); i > 0; i--)
        {
            sends.Add(SendAsync(record, job, id));
            if (_random.Next(2) == 0)
                await PauseAsync(30);
        }
        await Task.WhenAll(sends);
    }

    private async Task SendAsync(JobRecord record, Job<int, int, int> job, string? id)
    {
        SentSignal sent = new(history.NewValue(), id);
        record.Sent.Add(sent);
        sent.Result = await job.SignalAsync(sent.Value, id);
        history.Heard(record, sent);
    }

    // Somebody looks at the questions while the history goes on: answers some, some twice, some that are long over.
    private async Task AnswerAsync(Func<bool> isOver)
    {
        for (int i = 0; i < (history.Workflows.Length > 0 ? 200 : 12) || (!isOver() && i < 200); i++)
        {
            await PauseAsync(25);
            List<JobRecord> jobs = [.. history.Ledger.Jobs];
            foreach (JobRecord job in jobs.Where(_ => _random.Next(2) == 0))
                AnswerAll(job, _random.Next(3) == 0);
        }
    }

    private void AnswerAll(JobRecord job, bool twice)
    {
        foreach (OpenQuestion question in job.Runner!.Questions())
        {
            _actors.Add(AnswerOneAsync(job, question));
            if (twice)
                _actors.Add(AnswerOneAsync(job, question));
        }
    }

    private async Task AnswerOneAsync(JobRecord job, OpenQuestion question)
    {
        if (_random.Next(3) == 0)
            await PauseAsync(20);
        SentAnswer answer = new(((Which)question.Value).Number, history.NewValue());
        job.Answers.Add(answer);
        answer.Result = await new Job(job.Runner!).AnswerAsync(question.Id, answer.Value);
        history.Heard(job, answer);
    }

    /// <summary>Faults stop: workers are back, what is asked is answered, who waits for a signal gets one. Then every job must end.</summary>
    private async Task SettleAsync(AgentOrchestrator orchestrator)
    {
        _park.AddSpare();
        for (int round = 0; round < 300; round++)
        {
            _park.Restore(orchestrator);
            List<JobRecord> open = [.. history.Ledger.Jobs.Where(j => !j.HasEnded)];
            if (open.Count == 0 && history.Ledger.Running == 0)
                return;
            foreach (JobRecord job in open)
            {
                history.CheckWaker(job);
                AnswerAll(job, false);
                if (history.WorkflowOf(job) is null && job.Runner!.WaitsFor().Contains("a signal"))
                    _actors.Add(SendAsync(job, new Job(job.Runner!).As<int, int, int>(), null));
            }
            await PauseAsync(20 + round * 20);
        }
        foreach (JobRecord job in history.Ledger.Jobs.Where(j => !j.HasEnded))
            history.Fail($"{job.Id} does not end although faults have stopped: it is {job.Runner!.Status} and waits for {string.Join(", ", job.Runner!.WaitsFor())}", job);
        if (history.Ledger.Running > 0)
            history.Fail($"{history.Ledger.Running} attempts do not end");
    }

    private Task PauseAsync(int within) => Task.Delay(TimeSpan.FromMilliseconds(_random.Next(within)), history.Time);
}
