namespace Millstream.Simulation;

/// <summary>Who starts, signals, answers, cancels and reads jobs whose processes come and go; it knows of each thing whether it was accepted.</summary>
internal sealed class DurableWorld(DurableHistory history)
{
    private readonly Random _random = history.Random;
    private readonly List<(object Who, Task Task)> _actors = [];

    public async Task RunAsync()
    {
        ProcessPark processes = new(history, this);
        for (int slots = _random.Next(5) < 3 ? 1 : 2; slots > 0; slots--)
            _ = processes.KeepAsync();
        // A plan lets nothing wait that others could take, so jobs with workflows are few.
        int jobs = history.Workflows.Length > 0 ? 1 + _random.Next(3) : 2 + _random.Next(_random.Next(6) == 0 ? 12 : 4);
        Task[] starts = [.. Enumerable.Range(0, jobs).Select(StartAsync)];
        Task mischief = processes.DisturbAsync();
        await AnswerAsync(() => Array.TrueForAll(starts, s => s.IsCompleted) && mischief.IsCompleted);
        await Task.WhenAll(starts);
        await SettleAsync(processes);
        foreach ((object name, Task task) in _actors)
        {
            if (!task.IsCompleted)
                history.Fail($"{name} was never answered");
            else if (task.Exception is { } e)
                history.Fail($"{name} failed: {e.InnerException}");
        }
    }

    /// <summary>A process that takes calls.</summary>
    public async Task<SimulatedProcess> AnyAsync()
    {
        while (true)
        {
            List<SimulatedProcess> ready = [.. history.Processes.Where(p => p.IsReady && !p.IsBroken && !p.Executor.Hangs)];
            if (ready.Count > 0)
                return ready[_random.Next(ready.Count)];
            await PauseAsync(200);
        }
    }

    /// <summary>Does something with a job in some process; false when the process or the store failed, and then nobody knows whether it was done.</summary>
    public async Task<bool> TryAsync(JobId id, Func<SimulatedProcess, Job, Task> work)
    {
        SimulatedProcess process = await AnyAsync();
        return await TryAsync(async () => await process.CallAsync(async () =>
        {
            if (await process.Orchestrator.GetJobAsync(id) is not { } job)
                history.Fail($"{id} was accepted, and {process} does not know it", history.Ledger.Find(id));
            else
                await work(process, job);
            return true;
        }));
    }

    /// <summary>Whether it went without the process or the store failing.</summary>
    public static async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is ProcessGoneException or JournalStorageException or JobDetachedException or JobSuspendedException)
        {
            return false;
        }
    }

    public Task PauseAsync(int within) => Task.Delay(TimeSpan.FromMilliseconds(_random.Next(within)), history.Time);

    private async Task StartAsync(int number)
    {
        await PauseAsync(history.Workflows.Length > 0 ? 3000 : 150);
        SimulatedWorkflow? workflow = history.Draw();
        int plan = workflow is null ? history.Maker.Make() : history.Maker.MakeEmpty();
        JobOptions options = new()
        {
            Id = JobId.Parse($"j{number}"), Tenant = $"tenant{_random.Next(3)}", Priority = _random.Next(3), Weight = 1 + _random.Next(3),
            Deadline = _random.Next(12) == 0 ? history.Time.GetUtcNow().AddMilliseconds(_random.Next(2) == 0 ? 300 : 20_000) : null,
        };
        Agent<int, int, int, int> agent = history.Plans[plan].IsLoop ? PlanLoopAgent.Instance : PlanAgent.Instance;
        do
        {
            SimulatedProcess process = await AnyAsync();
            if (await TryAsync(() => workflow is null ? process.CallAsync(() => process.Orchestrator.CreateJobAsync(agent, plan, options))
                : process.CallAsync(() => process.Orchestrator.CreateJobAsync(workflow.Workflow.Agent, plan, options))))
                break;
            await PauseAsync(50);
        }
        while (true);
        if (history.Audit.Find(options.Id.Value)?.Record is not { } record)
        {
            history.Fail($"{options.Id} was accepted before it was durable");
            return;
        }
        for (int i = _random.Next(3); i > 0; i--)
        {
            StoredStreamReader reader = new(history, this, record.Id);
            Add(reader, reader.ReadAsync());
        }
        for (int i = _random.Next(5) == 0 ? 1 + _random.Next(2) : 0; i > 0; i--)
            Add($"a cancel of {record.Id}", CancelAsync(record));
        for (int i = workflow is null ? _random.Next(4) : 0; i > 0; i--)
            Add($"a signal to {record.Id}", SignalAsync(record));
    }

    private void Add(object who, Task task) => _actors.Add((who, task));

    private async Task CancelAsync(JobRecord record)
    {
        await PauseAsync(_random.Next(2) == 0 ? 150 : 1500);
        while (!await TryAsync(record.Id, CancelInAsync))
            await PauseAsync(50);

        async Task CancelInAsync(SimulatedProcess process, Job job)
        {
            SignalResult result = await job.CancelAsync("enough");
            StoredRecord stored = history.Audit.Find(record.Id)!;
            record.IsCancelAccepted |= result == SignalResult.Accepted && !process.IsDead;
            if (result == SignalResult.Accepted && !process.IsDead && !stored.HasCancelOffer && !stored.IsCancelling && !stored.HasReturned && stored.Ending is null)
                history.Fail($"the cancel of {record.Id} was accepted before it was durable", record);
        }
    }

    private async Task SignalAsync(JobRecord record)
    {
        await PauseAsync(_random.Next(2) == 0 ? 150 : 1500);
        string? id = _random.Next(2) == 0 ? $"s{_random.Next(3)}" : null;
        for (int i = 1 + _random.Next(3); i > 0; i--)
        {
            Add($"a signal to {record.Id}", SendAsync(record, id));
            await PauseAsync(30);
        }
    }

    /// <summary>One signal. A sender that gave it an id sends it again when it does not hear.</summary>
    private async Task SendAsync(JobRecord record, string? id)
    {
        SentSignal sent = new(history.NewValue(), id);
        record.Sent.Add(sent);
        while (!await TryAsync(record.Id, SendInAsync))
        {
            sent.IsInDoubt = true;
            if (id is null)
                return;
            await PauseAsync(50);
        }

        async Task SendInAsync(SimulatedProcess process, Job job)
        {
            SignalResult result = await job.As<int, int, int>().SignalAsync(sent.Value, id);
            if (process.IsDead)
                return;
            (sent.Result, sent.IsOffered) = (result, IsOffered(job, sent.Value));
            history.Heard(record, sent);
        }
    }

    private async Task AnswerAsync(Func<bool> isOver)
    {
        for (int i = 0; i < (history.Workflows.Length > 0 ? 120 : 12) || (!isOver() && i < 400); i++)
        {
            await PauseAsync(40);
            foreach (StoredRecord job in history.Audit.Jobs.ToArray())
            {
                if (_random.Next(3) == 0)
                    AnswerAll(job, _random.Next(3) == 0);
            }
        }
    }

    private void AnswerAll(StoredRecord job, bool twice)
    {
        foreach (JournalEntry question in job.Open.Values.Where(e => e.Kind == EntryKind.QuestionAsked))
        {
            Add($"an answer to {job.Record.Id}", AnswerOneAsync(job.Record, question));
            if (twice)
                Add($"an answer to {job.Record.Id}", AnswerOneAsync(job.Record, question));
        }
    }

    private async Task AnswerOneAsync(JobRecord record, JournalEntry question)
    {
        if (_random.Next(3) == 0)
            await PauseAsync(60);
        SentAnswer answer = new(((StoredPayload)question.Payload!).Element.EnumerateObject().First().Value.GetInt32(), history.NewValue());
        record.Answers.Add(answer);
        answer.IsInDoubt = !await TryAsync(record.Id, AnswerInAsync);

        async Task AnswerInAsync(SimulatedProcess process, Job job)
        {
            SignalResult result = await job.AnswerAsync(question.Subject!, answer.Value);
            if (process.IsDead)
                return;
            (answer.Result, answer.IsOffered) = (result, IsOffered(job, answer.Value));
            history.Heard(record, answer);
        }
    }

    /// <summary>Faults stop: processes start and stay, workers are back, what is asked is answered, who waits for a signal gets one. Then every job must end.</summary>
    private async Task SettleAsync(ProcessPark processes)
    {
        history.IsSettling = true;
        int quiet = 0;
        for (int round = 0; round < 200; round++)
        {
            await processes.RestoreAsync();
            List<StoredRecord> open = [.. history.Audit.Jobs.Where(j => j.Ending is null)];
            // What was given up may still hold its session, and who was told last may still be on the way.
            if (open.Count == 0 && history.Ledger.Running == 0 && history.AllIsTold && _actors.TrueForAll(a => a.Task.IsCompleted) && ++quiet == 3)
                return;
            foreach (StoredRecord job in open)
            {
                AnswerAll(job, false);
                if (history.WorkflowOf(job.Record) is null && Waits(job).Contains("a signal"))
                    Add($"a signal to {job.Record.Id}", SendAsync(job.Record, null));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(500 + round * 20), history.Time);
        }
        foreach (StoredRecord job in history.Audit.Jobs.Where(j => j.Ending is null).Reverse())
            history.Fail($"{job.Record.Id} does not end although faults have stopped: {history.Where(job)}; it waits for {string.Join(", ", Waits(job))}", job.Record);
        if (history.Ledger.Running > 0)
            history.Fail($"{history.Ledger.Running} attempts do not end");
    }

    // What was meant for a runner can come to find that the job is elsewhere by now.
    private bool IsOffered(Job job, int value) => job.Source is StoredJob || history.Audit.Find(job.Id)!.OfferedValues.Contains(value);

    // One that waits outside memory may wait for a signal, too.
    private IReadOnlyList<string> Waits(StoredRecord job) =>
        history.Processes.Where(p => p.Store.Owns(job.Runner)).Select(p => p.Orchestrator.Engine.Jobs.Find(job.Record.Id)).FirstOrDefault()?.WaitsFor() ?? ["a signal"];
}
