namespace Millstream.Tests;

/// <summary>A task that must not be repeated becomes a question when nobody knows what it did.</summary>
public sealed class AtMostOnceTests : StoredJobTests
{
    private readonly TaskPolicy _once = new() { AtMostOnce = true };
    private int _runs;
    private readonly TaskCompletionSource _started = new();

    private TestAgent<string, string> Payer(Func<Task>? before = null)
    {
        AgentTask<string, string> pay = AgentTask.Create<string, string>("pay", async (input, task) =>
        {
            if (before is not null)
                await before();
            if (++_runs == 1)
            {
                _started.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, task.CancellationToken);
            }
            return $"{input} paid in attempt {task.Attempt}";
        }, policy: _once);
        return Agents.Make(async c =>
        {
            try
            {
                return await c.RunAsync(pay, "5");
            }
            catch (TaskFailedException e)
            {
                return $"{e.Error.Type}: {e.Error.Message}";
            }
        });
    }

    [Theory]
    [InlineData("""{"action":"retry"}""", "5 paid in attempt 2")]
    [InlineData("""{"action":"complete","output":"seen at the bank"}""", "seen at the bank")]
    [InlineData("""{"action":"fail","reason":"the bank knows nothing"}""", "InDoubt: the bank knows nothing")]
    public async Task Task_WhoseProcessEnds_WaitsForADecision(string decision, string output)
    {
        TestAgent<string, string> agent = Payer();
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await _started.Task;
        await RestartAsync(agent);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        await again.UntilAsync(JobEventKinds.TaskInDoubt);
        Assert.Equal(new TaskInDoubt("pay", 1, $"{job.Id}/1"), Assert.Single(again.Questions).Value);
        Assert.Contains("question t1", Assert.Single(again.WaitsFor), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => again.AnswerAsync("t1", new { action = "complete" }));
        // It waits as others do, and the question is asked once, whatever comes and goes.
        await UntilAsync(() => Storage.FindAsync(job.Id).Result!.IsIdle);
        await RestartAsync(agent);
        Assert.Equal(1, Orchestrator.Engine.Durable!.DormantCount);
        again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("t1", System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(decision)));
        Assert.Equal(output, await again.Completion);
        Assert.Equal(output.Contains("attempt 2", StringComparison.Ordinal) ? 2 : 1, _runs);
        List<string> kinds = await again.KindsAsync();
        // In the words of who decided.
        Assert.Equal(decision, Assert.Single(await again.AllAsync(), e => e.Kind == JobEventKinds.TaskDecided).Data!.Value.GetRawText());
        Assert.Equal((1, 1), (kinds.Count(k => k == JobEventKinds.TaskInDoubt), kinds.Count(k => k == JobEventKinds.TaskDecided)));
        // A later process reads the same.
        await RestartAsync(agent);
        Assert.Equal(output, await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Decision_BeforeTheNextAttemptBegan_HoldsForTheNextProcess()
    {
        TestAgent<string, string> agent = Payer();
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await _started.Task;
        // Nobody executes: the decision is on record, and no attempt begins.
        Options = Options with { Workers = [] };
        await RestartAsync(agent);
        Job again = (await Orchestrator.GetJobAsync(job.Id))!;
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("t1", new TaskDecision(TaskDecisionAction.Retry)));
        Assert.Equal(SignalResult.UnknownQuestion, await again.AnswerAsync("t1", new TaskDecision(TaskDecisionAction.Retry)));
        Options = Options with { Workers = null };
        await RestartAsync(agent);
        Assert.Equal("5 paid in attempt 2", await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Task_ThatHasNotBegun_RunsWithoutAQuestion()
    {
        TestAgent<string, string> agent = Payer();
        Options = Options with { Workers = [] };
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.TaskScheduled);
        _runs = 1;
        Options = Options with { Workers = null };
        await RestartAsync(agent);
        Assert.Equal("5 paid in attempt 1", await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Begin_IsOnRecordBeforeTheTaskRuns()
    {
        JobId id = JobId.Parse("j");
        List<string> seen = [];
        TestAgent<string, string> agent = Payer(async () =>
        {
            await using AgentOrchestrator other = new(new OrchestratorOptions { Journal = Storage, Claim = false });
            await foreach (JournalRecord record in Storage.ReadAsync(id, 1))
                seen.AddRange(EntryReader.Read(id, record, null, out _).Select(e => e.Kind.ToString()));
        });
        _runs = 1;
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "", new JobOptions { Id = id });
        Assert.Equal("5 paid in attempt 1", await job.Completion);
        Assert.Contains(nameof(EntryKind.TaskStarted), seen);
    }

    [Fact]
    public async Task LostLease_OfATaskUnderWay_IsAQuestion()
    {
        Options = Options with { Workers = [new Worker("w1")] };
        TestAgent<string, string> agent = Payer();
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await _started.Task;
        Orchestrator.AddWorker(new Worker("w2"));
        Orchestrator.RemoveWorker("w1");
        await job.UntilAsync(JobEventKinds.TaskInDoubt);
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("t1", new TaskDecision(TaskDecisionAction.Retry)));
        Assert.Equal("5 paid in attempt 2", await job.Completion);
    }

    [Fact]
    public async Task Cancel_OfAJobInDoubt_EndsIt()
    {
        TestAgent<string, string> agent = Payer();
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await _started.Task;
        await RestartAsync(agent);
        Job again = (await Orchestrator.GetJobAsync(job.Id))!;
        await again.UntilAsync(JobEventKinds.TaskInDoubt);
        await again.CancelAsync("enough");
        Assert.Equal(new JobEnding.Cancelled("enough"), await again.Ending);
    }

    [Fact]
    public void Policy_WithRetries_IsRefused()
    {
        RetryPolicy twice = new() { Attempts = 2 };
        Assert.Contains("a task that must not be repeated has one attempt", Assert.Throws<ArgumentException>(() => new TaskPolicy { AtMostOnce = true, Retry = twice }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TaskPolicy { Retry = twice, AtMostOnce = true });
    }

    [Fact]
    public async Task Task_ThatItsResourceRefused_IsRepeatedAlsoAfterARestart()
    {
        AgentTask<string, string> pay = AgentTask.Create<string, string>("pay", (input, task) =>
            ++_runs < 3 ? throw new ResourceBusyException("429", TimeSpan.FromDays(_runs == 2 ? 0 : 1)) : Task.FromResult($"{input} paid in attempt {task.Attempt}"), policy: _once);
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(pay, "5"));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.TaskRetried);
        await RestartAsync(agent);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        Assert.Equal("5 paid in attempt 3", await again.Completion);
        Assert.DoesNotContain(JobEventKinds.TaskInDoubt, await again.KindsAsync());
    }
}
