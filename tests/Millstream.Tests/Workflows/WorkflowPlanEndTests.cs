using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Whatever happens to a workflow that goes by a plan, it ends, and nothing of it is left in any line.</summary>
public sealed class WorkflowPlanEndTests : IAsyncDisposable
{
    private static readonly NodeOptions Second = new() { ExpectedTime = TimeSpan.FromSeconds(1) };

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly AgentOrchestrator _orchestrator;

    public WorkflowPlanEndTests() => _orchestrator = new(new OrchestratorOptions { Time = _time, Workers = [new Worker("w", slots: 2)], LookAheadPatience = 200 });

    public ValueTask DisposeAsync() => _orchestrator.DisposeAsync();

    private AgentTask<int, int> Work(string id, double seconds = 1) => AgentTask.Create<int, int>(id, (n, _) =>
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return Task.FromResult(n);
    });

    private static AgentTask<int, int> Endless { get; } = AgentTask.Create<int, int>("endless", async (n, context) =>
    {
        await Task.Delay(Timeout.Infinite, context.CancellationToken);
        return n;
    });

    private async Task<Job<TOutput, WorkflowEvent, WorkflowSignal>> StartAsync<TOutput>(Workflow<int, TOutput> workflow)
    {
        Job<TOutput, WorkflowEvent, WorkflowSignal> job = await _orchestrator.CreateJobAsync(workflow.Agent, 3);
        await job.UntilAsync("task.scheduled");
        Assert.NotNull(PlanOf(job));
        return job;
    }

    private JobPlan? PlanOf(Job job) => _orchestrator.Engine.Jobs.Find(job.Id)!.Scheduling.Plan;

    private async Task NothingIsLeftAsync(Job job)
    {
        // A job's last leases come back with its end, which outsiders may see first.
        while (PlanOf(job) is { Running: > 0 } || _orchestrator.Engine.Fleet.Snapshot().Leased.Count > 0)
            await Task.Yield();
        Assert.Empty(PlanOf(job)?.Waiting ?? []);
        Assert.Equal(0, PlanOf(job)?.Running ?? 0);
        SchedulerSnapshot left = _orchestrator.Engine.Fleet.Snapshot();
        Assert.Empty(left.Queues);
        Assert.Empty(left.Leased);
    }

    [Fact]
    public async Task Declared_OfManyShapes_EndsAgainAndAgain()
    {
        TestAgent<int, int> agent = new((n, c) => c.RunAsync(Work("inside"), n), "inside");
        Workflow<int, int> workflow = Workflow.Define<int, int>("shapes", "1", w =>
        {
            Node<int> first = w.Task("first", Work("first"), w.Input, Second);
            Node<int[]> all = w.ForEach("all", Work("all", 0.5), first.Select(n => Enumerable.Range(0, 5).ToArray()), Second with { MaxParallel = 2 });
            Node<Optional<int>> never = w.If("never", first.Select(_ => false), Work("never"), first, Second);
            Node<int> child = w.Agent("child", agent, first, Second);
            Node<int> sub = w.SubWorkflow("sub", Workflow.Define<int, int>("inner", "1", i => i.Task("b", Work("b"), i.Task("a", Work("a"), i.Input))), first, Second);
            return w.Join(w.Join(all, never, (a, n) => a.Sum() + n.Or(5)), w.Join(child, sub, (c, s) => c + s), (a, b) => a + b);
        });
        int plans = 0;
        for (int i = 0; i < 12; i++)
        {
            Job<int, WorkflowEvent, WorkflowSignal> job = await _orchestrator.CreateJobAsync(workflow.Agent, 3);
            Assert.Equal(21, await job.Completion);
            plans += PlanOf(job) is null ? 0 : 1;
            await NothingIsLeftAsync(job);
        }
        Assert.True(plans > 0, "no job went by a plan");
    }

    [Fact]
    public async Task Learned_ExactlyOften_TasksMayWaitAndEnd()
    {
        // One slot, so what is measured is what it took.
        await using AgentOrchestrator one = new(new OrchestratorOptions { Time = _time, Workers = [new Worker("w", slots: 1)], LookAheadPatience = 200 });
        Workflow<int, int> workflow = Workflow.Define<int, int>("exact", "1", w =>
            w.All([.. Enumerable.Range(0, 6).Select(i => w.Task($"then{i}", Work($"then{i}", 7 - i), w.Task($"first{i}", Work($"first{i}", 1 + i), w.Input)))]).Select(a => a.Sum()));
        bool mayWait = false;
        for (int i = 0; i < 14; i++)
        {
            Job<int, WorkflowEvent, WorkflowSignal> job = await one.CreateJobAsync(workflow.Agent, 3);
            Assert.Equal(18, await job.Completion);
            JobPlan? plan = one.Engine.Jobs.Find(job.Id)!.Scheduling.Plan;
            Assert.Empty(plan?.Waiting ?? []);
            mayWait = plan?.MayWait == true;
        }
        Assert.True(mayWait, "a dozen runs of the same length are not trusted");
    }

    [Fact]
    public async Task PauseAndResume_GoOn()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<int, int> waits = AgentTask.Create<int, int>("waits", async (n, _) => { await gate.Task; return n; });
        Workflow<int, int> workflow = Workflow.Define<int, int>("paused", "1", w => w.Task("b", Work("b"), w.Task("a", waits, w.Input, Second), Second));
        Job<int, WorkflowEvent, WorkflowSignal> job = await StartAsync(workflow);
        await job.SignalAsync(new WorkflowSignal.Pause());
        await job.UntilAsync(e => e.Value is WorkflowEvent.Paused);
        gate.SetResult();
        await job.UntilAsync(e => e.Value is WorkflowEvent.TaskEnded { Task: "a" });
        await job.SignalAsync(new WorkflowSignal.Resume());
        Assert.Equal(3, await job.Completion);
        await NothingIsLeftAsync(job);
    }

    [Fact]
    public async Task Retries_AreTasksThatAreLeftAgain()
    {
        int calls = 0;
        AgentTask<int, int> flaky = AgentTask.Create<int, int>("flaky", (n, _) => ++calls < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(n));
        NodeOptions thrice = Second with { Policy = new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.Zero } } };
        Workflow<int, int> workflow = Workflow.Define<int, int>("retried", "1", w =>
            w.Join(w.Task("b", Work("b"), w.Task("a", flaky, w.Input, thrice), Second), w.Task("c", Work("c"), w.Input, Second), (a, b) => a + b));
        Job<int, WorkflowEvent, WorkflowSignal> job = await StartAsync(workflow);
        Assert.Equal(6, await job.Completion);
        Assert.Equal(3, calls);
        await NothingIsLeftAsync(job);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failure_ThatWaitsForADecision_EndsWithIt(bool isSkipped)
    {
        int calls = 0;
        AgentTask<int, int> bad = AgentTask.Create<int, int>("bad", (n, _) => ++calls == 1 ? throw new TerminalTaskException("bad") : Task.FromResult(n));
        Workflow<int, int> workflow = Workflow.Define<int, int>("waiting", "1", w =>
        {
            Node<int> fails = w.Task("bad", bad, w.Input, Second);
            w.Task("after", Work("after"), fails, Second);
            return w.Task("other", Work("other"), w.Task("before", Work("before"), w.Input, Second), Second);
        }, new WorkflowOptions { OnFailure = FailureMode.Wait });
        Job<int, WorkflowEvent, WorkflowSignal> job = await StartAsync(workflow);
        await job.UntilAsync(e => e.Value is WorkflowEvent.DecisionNeeded);
        await job.SignalAsync(isSkipped ? new WorkflowSignal.SkipTask("bad") : new WorkflowSignal.RetryTask("bad"));
        Assert.Equal(3, await job.Completion);
        Assert.Equal(isSkipped ? 1 : 2, calls);
        await NothingIsLeftAsync(job);
    }

    [Fact]
    public async Task CancelAndSkip_TakeWhatWaitsOutOfThePlan()
    {
        Workflow<int, int[]> workflow = Workflow.Define<int, int[]>("cancelled", "1", w =>
            w.All([.. Enumerable.Range(0, 6).Select(i => w.Task($"then{i}", Work("then"), w.Task($"first{i}", Endless, w.Input, Second), Second))]));
        Job<int[], WorkflowEvent, WorkflowSignal> job = await StartAsync(workflow);
        await job.SignalAsync(new WorkflowSignal.SkipTask("first5"));
        await job.UntilAsync(e => e.Value is WorkflowEvent.TaskEnded { Task: "then5" });
        Assert.DoesNotContain(PlanOf(job)!.Waiting, r => r.TaskId == "first5");
        await job.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => job.Completion);
        await NothingIsLeftAsync(job);
    }
}
