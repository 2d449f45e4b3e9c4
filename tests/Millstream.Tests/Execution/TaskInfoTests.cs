namespace Millstream.Tests;

/// <summary>What a snapshot says of a task.</summary>
public sealed class TaskInfoTests
{
    [Fact]
    public async Task Tasks_OfAnUnchangedTask_AreTheSameAtEachCallAndSinceStaysWhenItsEndWaitsForATurn()
    {
        // Where the wall clock and the other one have drifted apart, a start that is worked out anew is another one.
        DriftingTime time = new();
        using ManualResetEventSlim turn = new();
        TaskCompletionSource inTurn = new(TaskCreationOptions.RunContinuationsAsynchronously), release = new(TaskCreationOptions.RunContinuationsAsynchronously), begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<string, string> task = AgentTask.Create<string, string>("task", async (_, _) => { begun.SetResult(); await release.Task; return "ok"; });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Time = time });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            Task<string> running = c.RunAsync(task, "");
            await c.Signals.WaitToReadAsync();
            // This turn holds up the delivery of the task's end.
            inTurn.SetResult();
            turn.Wait();
            return await running;
        }), "");
        try
        {
            await begun.Task;
            AgentTaskInfo first = Assert.Single(job.Tasks);
            Assert.Equal(AgentTaskStatus.Running, first.Status);
            time.Drift();
            Assert.Equal(first, Assert.Single(job.Tasks));
            _ = job.SignalAsync("go on");
            await inTurn.Task;
            release.SetResult();
            AgentTaskInfo ended;
            while ((ended = Assert.Single(job.Tasks)).Status != AgentTaskStatus.Waiting)
                await Task.Yield();
            Assert.Equal(("waits for its job's turn", first.Since), (ended.Detail, ended.Since));
        }
        finally
        {
            turn.Set();
        }
        Assert.Equal("ok", await job.Completion);
    }

    private sealed class DriftingTime : TimeProvider
    {
        private long _drift;

        public void Drift() => Interlocked.Add(ref _drift, TimeSpan.TicksPerMinute);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _drift));
    }
}
