namespace Millstream.Tests;

/// <summary>A thread on which a task has ended: what it goes on with, and what must not wait for it.</summary>
public sealed class TailTests : StoredJobTests
{
    [Fact]
    public async Task Task_ThatTheEndOfAnotherSetsFree_RunsWhileThatEndIsBeingStored()
    {
        await using HeldStorage held = new(Storage) { KeepsThread = true };
        TaskCompletionSource second = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<int, int> task = AgentTask.Create<int, int>("task", (input, _) =>
        {
            if (input == 1)
                held.Hold();
            else
                second.TrySetResult();
            return Task.FromResult(input);
        });
        TestAgent<string, string> agent = Agents.Make(async c => $"{(await c.RunAllAsync(task, [1, 2])).Sum()}");
        AgentRegistry agents = new();
        agents.Add(agent);
        await using AgentOrchestrator orchestrator = new(Options with { Journal = held, Agents = agents, Workers = [new Worker("w", slots: 1)] });
        await orchestrator.StartAsync();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        try
        {
            await held.ArrivedAsync();
            // Only so that a fault is one and no test that never ends.
            await second.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
        finally
        {
            held.LetGo();
        }
        Assert.Equal("3", await job.Completion);
    }

    [Fact]
    public async Task End_OfATask_RunsItsJobsTurnThatWaitsForAThread()
    {
        HeldExecutor executor = new();
        AgentTask<int, int> task = AgentTask.Create<int, int>("task", (input, _) => Task.FromResult(input));
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Executor = executor });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c => $"{(await c.RunAllAsync(task, [1, 2])).Sum()}"), "");
        executor.RunOne();
        // Two attempts are scheduled, and behind them the job.
        Task<SignalResult> signal = job.SignalAsync("are you there");
        Assert.Equal(2, job.Tasks.Count);
        executor.RunOne();
        Assert.Single(job.Tasks);
        Assert.Equal(SignalResult.Accepted, await signal);
        // What was scheduled finds nothing to do.
        executor.RunAll();
        Assert.Equal("3", await job.Completion);
    }

    private sealed class HeldExecutor : IExecutor
    {
        private readonly Queue<IThreadPoolWorkItem> _work = new();

        public bool RunsInline => true;

        public void Schedule(IThreadPoolWorkItem work) => _work.Enqueue(work);

        public void RunOne() => _work.Dequeue().Execute();

        public void RunAll()
        {
            while (_work.Count > 0)
                RunOne();
        }
    }
}
