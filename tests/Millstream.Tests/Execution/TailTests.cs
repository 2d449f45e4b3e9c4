using Microsoft.Extensions.Time.Testing;

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Row_ThatIsLong_IsHandedOverOnlyWhereOtherWorkWaits(bool hasWaiting)
    {
        const int tasks = 300, longestRow = 256;
        HeldExecutor executor = new() { HasWaiting = hasWaiting };
        int runs = 0;
        AgentTask<int, int> task = AgentTask.Create<int, int>("task", (input, _) =>
        {
            runs++;
            return Task.FromResult(input);
        });
        // The clock stands, so that only the count ends a row.
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Executor = executor, Time = new FakeTimeProvider() });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            for (int i = 0; i < tasks; i++)
                await c.RunAsync(task, i);
            return "done";
        }), "");
        executor.RunOne();
        int before = executor.Scheduled;
        executor.RunOne();
        Assert.Equal(hasWaiting ? (longestRow, 1) : (tasks, 0), (runs, executor.Scheduled - before));
        executor.RunAll();
        Assert.Equal("done", await job.Completion);
        Assert.Equal(tasks, runs);
    }

    private sealed class HeldExecutor : IExecutor
    {
        private readonly Queue<IThreadPoolWorkItem> _work = new();

        public bool RunsInline => true;

        public bool HasWaiting { get; init; } = true;

        public int Scheduled { get; private set; }

        public void Schedule(IThreadPoolWorkItem work)
        {
            Scheduled++;
            _work.Enqueue(work);
        }

        public void RunOne() => _work.Dequeue().Execute();

        public void RunAll()
        {
            while (_work.Count > 0)
                RunOne();
        }
    }
}
