using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>What the simulation found in races of leases, stops and senders.</summary>
public sealed class LostLeaseTests
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AgentTask<string, string> Stubborn => AgentTask.Create<string, string>("stubborn", async (_, context) =>
    {
        _started.TrySetResult();
        await _finish.Task;
        return context.Lease.WorkerId;
    });

    [Fact]
    public async Task LostLease_TaskCompletesAllTheSame_GivesBackWhatItWasGrantedAgain()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("first")] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Stubborn, "")), "");
        await _started.Task;
        orchestrator.RemoveWorker("first");
        orchestrator.AddWorker(new Worker("second"));
        _finish.SetResult();
        Assert.Equal("first", await job.Completion);
        SchedulerSnapshot left = orchestrator.Engine.Fleet.Snapshot();
        Assert.Empty(left.Leased);
        Assert.Equal(left.Workers[0].Slots, left.Workers[0].FreeSlots);
    }

    [Fact]
    public async Task LostLease_TaskCompletesBeforeItsTurn_LeavesNoGhostInTheQueue()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("first")] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Stubborn, "")), "");
        await _started.Task;
        orchestrator.RemoveWorker("first");
        _finish.SetResult();
        await job.Completion;
        Assert.Empty(orchestrator.Engine.Fleet.Snapshot().Queues);
    }

    [Fact]
    public async Task LostLease_ThenCancelled_TaskEndsWhenItsAttemptHasEndedAndNotWhenANewGrantIsRefused()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("first")] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Stubborn, "")), "");
        await _started.Task;
        orchestrator.RemoveWorker("first");
        await job.CancelAsync();
        orchestrator.AddWorker(new Worker("second"));
        // A signal's answer comes after whatever the refused grant would have set off.
        await job.SignalAsync("are you there");
        Assert.False(job.Ending.IsCompleted);
        _finish.SetResult();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
    }

    [Fact]
    public async Task Cancel_Twice_TheSecondIsAnsweredWhileTheFirstIsUnderWay()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Stubborn, "")), "");
        await _started.Task;
        Assert.Equal(SignalResult.Accepted, await job.CancelAsync());
        Assert.Equal(SignalResult.Accepted, await job.CancelAsync());
        Assert.False(job.Ending.IsCompleted);
        _finish.SetResult();
        await job.Ending;
    }

    [Fact]
    public async Task Cancel_LoopOverWhenAnyOfTaskAndSignals_EndsAndDoesNotSpin()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async context =>
        {
            Task<string> work = context.RunAsync(Agents.Forever, "");
            while (!work.IsCompleted)
            {
                await Task.WhenAny(work, context.Signals.WaitToReadAsync());
                while (context.Signals.TryRead(out string? signal))
                    context.Emit(signal);
            }
            return await work;
        }), "");
        await job.UntilAsync("task.started");
        await job.CancelAsync();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
    }

    [Fact]
    public async Task Stop_OfAnAttemptThatABusyMachineHasNotBegun_RunsNothingAndNothingFollowsTheEnd()
    {
        HeldExecutor executor = new();
        FakeTimeProvider time = new();
        int ran = 0;
        AgentTask<string, string> count = AgentTask.Create<string, string>("count", (_, _) => { ran++; return Task.FromResult(""); });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Executor = executor, Time = time });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(count, "")), "");
        executor.RunOne();
        IThreadPoolWorkItem attempt = executor.Take();
        _ = job.CancelAsync();
        executor.RunAll();
        time.Advance(TimeSpan.FromMinutes(1));
        executor.RunAll();
        attempt.Execute();
        executor.RunAll();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
        Assert.Equal(0, ran);
        Assert.Equal("job.cancelled", (await job.KindsAsync())[^1]);
    }

    [Fact]
    public async Task Stop_WhileAResourceOpens_TheTaskIsNotRunWhenItHasOpened()
    {
        bool ran = false;
        AgentTask<string, string> uses = AgentTask.Create<string, string>("uses", (_, _) => { ran = true; return Task.FromResult(""); }, [ResourceRequirement.Exclusive("slow")]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [new SlowResource(_started, _finish)])] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(uses, "")), "");
        await _started.Task;
        await job.CancelAsync();
        _finish.SetResult();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
        Assert.False(ran);
    }

    [Fact]
    public async Task Reader_WithToken_IsWokenThroughTheExecutorAndLeavesWhenItFires()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Stubborn, "")), "");
        await _started.Task;
        using CancellationTokenSource leave = new();
        using CancellationTokenSource stay = new();
        Task<List<string>> leaver = ReadAsync(leave.Token);
        Task<List<string>> stayer = ReadAsync(stay.Token);
        leave.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => leaver);
        _finish.SetResult();
        Assert.Equal("job.completed", (await stayer)[^1]);

        async Task<List<string>> ReadAsync(CancellationToken token)
        {
            List<string> kinds = [];
            await foreach (JobEvent e in job.EventsAsync(1, token))
                kinds.Add(e.Kind);
            return kinds;
        }
    }

    private sealed class SlowResource(TaskCompletionSource opening, TaskCompletionSource open) : Resource("slow", "slow")
    {
        protected internal override async ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
        {
            opening.TrySetResult();
            await open.Task;
            return null;
        }
    }

    /// <summary>Runs what is scheduled when it is told to.</summary>
    private sealed class HeldExecutor : IExecutor
    {
        private readonly Queue<IThreadPoolWorkItem> _work = new();

        public bool RunsInline => false;

        public void Schedule(IThreadPoolWorkItem work) => _work.Enqueue(work);

        public IThreadPoolWorkItem Take() => _work.Dequeue();

        public void RunOne() => Take().Execute();

        public void RunAll()
        {
            while (_work.Count > 0)
                RunOne();
        }
    }
}
