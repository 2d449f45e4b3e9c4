using Microsoft.Extensions.Time.Testing;

namespace Millstream.Sqlite.Tests;

/// <summary>How long tasks took is in the journal: a process that comes later orders by it from its first job on.</summary>
public sealed class LearnedDurationTests : SqliteTest
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Workflow<int, int> _workflow;

    // By the graph alone what four tasks wait for goes first; a task that takes a minute comes after the other one.
    public LearnedDurationTests() => _workflow = Workflow.Define<int, int>("uneven", "1", w =>
    {
        Node<int> many = w.Task("many", Takes(1), w.Input), deep = w.Task("deep", Takes(1), w.Input), slow = w.Task("slow", Takes(60), deep);
        return w.Join(slow, w.All([.. Enumerable.Range(0, 4).Select(i => w.Task($"short{i}", Takes(1), many))]), (n, _) => n);
    });

    // One slot, so the clock is at its end when the task is.
    private AgentTask<int, int> Takes(double seconds) => AgentTask.Create<int, int>("work", (n, _) =>
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return Task.FromResult(n);
    });

    /// <summary>A process of its own runs jobs one after the other.</summary>
    /// <returns>The tasks of each in the order in which they started.</returns>
    private async Task<string[][]> RunAsync(string journal, int jobs)
    {
        await using SqliteJournalStorage store = new(journal);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
        {
            Journal = store, Agents = new AgentRegistry().Add(_workflow.Agent), Time = _time, Workers = [new Worker("w", slots: 1)], LookAhead = TimeSpan.Zero,
        });
        await orchestrator.StartAsync();
        List<string[]> orders = [];
        for (int i = 0; i < jobs; i++)
        {
            Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(_workflow.Agent, i);
            Assert.Equal(i, await job.Completion);
            List<string> order = [];
            await foreach (JobEvent entry in job.EventsAsync())
            {
                if (entry.Kind == JobEventKinds.TaskStarted)
                    order.Add(entry.Task!);
            }
            orders.Add([.. order]);
        }
        return [.. orders];
    }

    [Fact]
    public async Task Start_InANewProcess_OrdersByWhatEarlierJobsTook()
    {
        string[][] first = await RunAsync(Journal, 3);
        Assert.Equal(["many", "deep", "deep"], first.Select(order => order[0]));
        Assert.Equal("deep", (await RunAsync(Journal, 1))[0][0]);
        Assert.Equal("many", (await RunAsync(Path.Combine(Folder, "another.db"), 1))[0][0]);
    }
}
