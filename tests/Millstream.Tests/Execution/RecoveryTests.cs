namespace Millstream.Tests;

/// <summary>Jobs in a store go on after their process.</summary>
public sealed class RecoveryTests : StoredJobTests
{
    [Fact]
    public async Task Job_InAStore_RunsAsInMemory()
    {
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            c.Emit("began");
            string[] parts = await c.RunAllAsync(Agents.Echo, ["a", "b", "c"]);
            await c.DelayAsync(TimeSpan.FromMilliseconds(1));
            await c.FlushAsync();
            return string.Concat(parts);
        });
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        Assert.Equal("abc", await job.Completion);
        List<JobEvent> events = await job.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Equal(JobEventKinds.JobCompleted, events[^1].Kind);
        Job<string, string, string> stored = (await OtherAsync(agent, job.Id))!;
        Assert.Equal(events.Select(e => e.ToJson()), (await stored.AllAsync()).Select(e => e.ToJson()));
        Assert.Equal("abc", await stored.Completion);
        Assert.Equal(["began"], await stored.StreamAsync().ToListAsync());
    }

    [Fact]
    public async Task Job_WhoseProcessGoes_GoesOnWithoutDoingAgainWhatIsDone()
    {
        int first = 0, second = 0;
        TaskCompletionSource entered = new(), open = new();
        AgentTask<string, string> done = AgentTask.Create<string, string>("done", (_, _) => Task.FromResult($"done {++first}"));
        AgentTask<string, string> gate = AgentTask.Create<string, string>("gate", async (_, context) =>
        {
            second++;
            entered.TrySetResult();
            await open.Task.WaitAsync(context.CancellationToken);
            return $"{context.IdempotencyKey[^2..]} attempt {context.Attempt}";
        });
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            Guid id = c.NewId();
            c.Emit($"began {id}");
            string a = await c.RunAsync(done, "x");
            c.Emit(a);
            string b = await c.RunAsync(gate, "y");
            bool go = await c.AskAsync(new Proceed("on?"));
            return $"{a}, {b}, {go}, {id == c.NewId()}";
        });
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await entered.Task;
        await job.UntilAsync(e => e.Kind == JobEventKinds.TaskStarted && e.Task == "gate");
        List<string> before = await ReadUntilAsync(job, e => e.Kind == JobEventKinds.TaskStarted && e.Task == "gate");
        await RestartAsync(agent);
        open.SetResult();
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        string question = (await again.UntilAsync(JobEventKinds.QuestionAsked)).Question!;
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync(question, true));
        Assert.Equal("done 1, /2 attempt 2, True, False", await again.Completion);
        Assert.Equal((1, 2), (first, second));
        List<JobEvent> events = await again.AllAsync();
        Assert.Equal(before, events.Take(before.Count).Select(e => e.ToJson()));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Single(events, e => e.Kind == JobEventKinds.JobResumed);
        Assert.Equal(2, events.Count(e => e.Kind == JobEventKinds.Event));
    }

    [Fact]
    public async Task Job_ThatWaits_HearsSignalsTimersAndChildrenAfterARestart()
    {
        TestAgent<string, string> child = new(async (input, c) =>
        {
            c.Emit("child waits");
            await c.Signals.WaitToReadAsync();
            c.Signals.TryRead(out string? signal);
            return input + signal;
        }, "child");
        TestAgent<string, string> parent = new(async (input, c) =>
        {
            Task<string> work = c.RunAsync(child, input);
            await c.Signals.WaitToReadAsync();
            c.Signals.TryRead(out string? one);
            await c.DelayAsync(TimeSpan.FromMilliseconds(20));
            return one + await work;
        }, "parent");
        await StartAsync(parent, child);
        // Characters that some JSON encoders escape: a replay must find the same input.
        Job<string, string, string> job = await Orchestrator.StartAsync(parent, "in é<1>");
        JobId childId = (await job.UntilAsync(e => e.Kind == JobEventKinds.Event && e.Job.IsChild)).Job;
        await RestartAsync(parent, child);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(parent, job.Id))!;
        await again.SignalAsync("one ");
        await again.UntilAsync(JobEventKinds.TimerSet);
        await RestartAsync(parent, child);
        again = (await Orchestrator.GetJobAsync(parent, job.Id))!;
        await (await Orchestrator.GetJobAsync(child, childId))!.SignalAsync(" two");
        Assert.Equal("one in é<1> two", await again.Completion);
        List<JobEvent> events = await again.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Single(events, e => e.Kind == JobEventKinds.Event && e.Job == childId);
        Assert.Equal(JobEventKinds.ChildCompleted, events.Last(e => e.Child == childId).Kind);
    }

    [Fact]
    public async Task Job_WhoseCodeChanged_IsSuspendedWithBothSidesAndGoesOnWithTheOldCode()
    {
        TaskCompletionSource entered = new(), open = new();
        AgentTask<string, string> gate = AgentTask.Create<string, string>("gate", async (input, context) =>
        {
            entered.TrySetResult();
            await open.Task.WaitAsync(context.CancellationToken);
            return input;
        });
        TestAgent<string, string> old = Agents.Make(c => c.RunAsync(gate, "old")), changed = Agents.Make(c => c.RunAsync(gate, "new"));
        await StartAsync(old);
        Job<string, string, string> job = await Orchestrator.StartAsync(old, "");
        await entered.Task;
        await RestartAsync(changed);
        Job<string, string, string> suspended = (await Orchestrator.GetJobAsync(changed, job.Id))!;
        JobSuspendedException e = await Assert.ThrowsAsync<JobSuspendedException>(() => suspended.Completion);
        Assert.Contains("the journal has task gate (command 1) with input \"old\", the code now asks for task gate (command 1) with input \"new\"", e.Reason, StringComparison.Ordinal);
        await RestartAsync(old);
        open.SetResult();
        Assert.Equal("old", await (await Orchestrator.GetJobAsync(old, job.Id))!.Completion);
    }

    [Fact]
    public async Task Payload_ThatNoJournalTakes_FailsTheJobAndNotTheProcess()
    {
        AgentTask<double, double> task = AgentTask.Create<double, double>("number", (n, _) => Task.FromResult(n));
        TestAgent<string, string> large = Agents.Make(c =>
        {
            c.Emit(new string('x', 2 * 1024 * 1024));
            return Task.FromResult("");
        });
        TestAgent<string, string> noNumber = new(async (_, c) => (await c.RunAsync(task, double.NaN)).ToString(), "nan");
        await StartAsync(large, noNumber);
        JobError error = Assert.IsType<JobEnding.Failed>(await (await Orchestrator.StartAsync(large, "")).Ending).Error;
        Assert.Contains("a String is 2,097,154 bytes of JSON, and OrchestratorLimits.PayloadBytes is 1,048,576: give the path of a file with it, or give less, or raise that limit", error.Message, StringComparison.Ordinal);
        Assert.IsType<JobEnding.Failed>(await (await Orchestrator.StartAsync(noNumber, "")).Ending);
    }

    [Fact]
    public async Task Start_OneJobDamaged_TheOthersGoOn()
    {
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("?"))).ToString());
        await StartAsync(agent);
        Job<string, string, string> good = await Orchestrator.StartAsync(agent, "");
        await good.UntilAsync(JobEventKinds.QuestionAsked);
        await Orchestrator.DisposeAsync();
        JobId bad = JobId.Parse("bad");
        JobHead head = new() { Id = bad, AgentId = agent.Id, AgentVersion = "1", Created = DateTimeOffset.UnixEpoch };
        await Storage.AppendAsync([new JobAppend { Job = bad, Epoch = 1, Record = new JournalRecord(1, 1, new byte[64]), Head = head }]);
        await RestartAsync(agent);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, good.Id))!;
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("q1", true));
        Assert.Equal("True", await again.Completion);
    }

    [Fact]
    public async Task Cancel_BeforeTheProcessGoes_IsFinishedByTheNext()
    {
        TaskCompletionSource entered = new(), release = new();
        AgentTask<string, string> deaf = AgentTask.Create<string, string>("deaf", async (_, _) =>
        {
            entered.TrySetResult();
            await release.Task;
            return "";
        });
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(deaf, ""));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await entered.Task;
        Assert.Equal(SignalResult.Accepted, await job.CancelAsync("enough"));
        Task restart = RestartAsync(agent);
        release.SetResult();
        await restart;
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        Assert.Equal(new JobEnding.Cancelled("enough"), await again.Ending);
    }

    /// <summary>The job as another process sees it.</summary>
    private async Task<Job<TOutput, string, string>?> OtherAsync<TInput, TOutput>(TestAgent<TInput, TOutput> agent, JobId id)
    {
        AgentOrchestrator other = new(new OrchestratorOptions { Journal = Storage.Reopen(), Agents = new AgentRegistry().Add(agent), Claim = false });
        await other.StartAsync();
        return await other.GetJobAsync(agent, id);
    }

    private static async Task<List<string>> ReadUntilAsync(Job job, Func<JobEvent, bool> last)
    {
        List<string> lines = [];
        await foreach (JobEvent e in job.EventsAsync())
        {
            lines.Add(e.ToJson());
            if (last(e))
                break;
        }
        return lines;
    }
}
