using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Which task of a workflow goes first where it is known how long its tasks take.</summary>
public sealed class WorkflowPlanTests : StoredJobTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<string> _order = [];
    private JobPlan? _plan;

    public WorkflowPlanTests() => Options = Options with { Time = _time, Workers = [new Worker("w", slots: 1)], LookAheadPatience = 200 };

    private static NodeOptions Takes(double seconds) => new() { ExpectedTime = TimeSpan.FromSeconds(seconds) };

    // One slot, so the clock is at its end when the task is.
    private AgentTask<int, int> Work(string id, Func<int, double> seconds) => AgentTask.Create<int, int>(id, (n, context) =>
    {
        _order.Add(id);
        _plan = Orchestrator.Engine.Jobs.Find(context.JobId)!.Scheduling.Plan;
        _time.Advance(TimeSpan.FromSeconds(seconds(n)));
        return Task.FromResult(n);
    });

    /// <summary>Many short tasks come after one task, a long one after another.</summary>
    private Workflow<int, int> Uneven(Func<int, double> @long, bool isDeclared = false, string id = "uneven") => Workflow.Define<int, int>(id, "1", w =>
    {
        Node<int> many = w.Task("many", Work("many", _ => 1), w.Input, isDeclared ? Takes(1) : null);
        Node<int> deep = w.Task("deep", Work("deep", _ => 1), w.Input, isDeclared ? Takes(1) : null);
        Node<int> slow = w.Task("slow", Work("slow", @long), deep, isDeclared ? Takes(60) : null);
        Node<int[]> rest = w.All([.. Enumerable.Range(0, 4).Select(i => w.Task($"short{i}", Work("short", _ => 1), many, isDeclared ? Takes(1) : null))]);
        return w.Join(slow, rest, (n, _) => n);
    });

    private async Task<string> FirstAsync(Workflow<int, int> workflow, int input = 1)
    {
        _order.Clear();
        Assert.Equal(input, await (await Orchestrator.CreateJobAsync(workflow.Agent, input)).Completion);
        Assert.Equal(7, _order.Count);
        return _order[0];
    }

    [Fact]
    public async Task Declared_TheLongestChainGoesFirst()
    {
        Workflow<int, int> workflow = Uneven(_ => 60, isDeclared: true), unknown = Uneven(_ => 60, id: "unknown");
        await StartAsync(workflow.Agent, unknown.Agent);
        Assert.Equal("many", await FirstAsync(unknown));
        Assert.Null(_plan);
        Assert.Equal("deep", await FirstAsync(workflow));
        Assert.False(_plan!.MayWait, "what an author says is exact enough for an order only");
    }

    [Fact]
    public async Task Declared_WhatTasksThatTakeForEverWaitFor_GoesFirst()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("endless", "1", w =>
        {
            Node<int> brief = w.Task("brief", Work("brief", _ => 1), w.Input, Takes(1)), before = w.Task("before", Work("before", _ => 1), w.Input, Takes(1));
            NodeOptions endless = new() { ExpectedTime = TimeSpan.MaxValue };
            Node<int[]> rest = w.All([.. Enumerable.Range(0, 6).Select(i => w.Task($"short{i}", Work("short", _ => 1), brief, Takes(1)))]);
            return w.Join(w.Task("second", Work("second", _ => 1), w.Task("first", Work("first", _ => 1), before, endless), endless), rest, (n, _) => n);
        });
        await StartAsync(workflow.Agent);
        Assert.Equal(1, await (await Orchestrator.CreateJobAsync(workflow.Agent, 1)).Completion);
        Assert.Equal("before", _order[0]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Declared_NoTime_IsRefused(int seconds)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => Takes(seconds));
        Assert.Contains("ExpectedTime is ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Learned_TheSecondJobGoesByTheDurationsOfTheFirst()
    {
        Workflow<int, int> workflow = Uneven(_ => 60);
        await StartAsync(workflow.Agent);
        Assert.Equal("many", await FirstAsync(workflow));
        Assert.Equal("deep", await FirstAsync(workflow));
    }

    [Fact]
    public async Task Learned_AnotherProcessReadsTheJournalBeforeItsFirstJob()
    {
        Workflow<int, int> workflow = Uneven(_ => 60);
        await StartAsync(workflow.Agent);
        Assert.Equal("many", await FirstAsync(workflow));
        await RestartAsync(workflow.Agent);
        Assert.Equal("deep", await FirstAsync(workflow));
    }

    [Fact]
    public async Task Learned_AgentsAsNodesToo()
    {
        TestAgent<int, int> slow = new((n, c) => c.RunAsync(Work("inside", _ => 60), n), "slow-agent");
        Workflow<int, int> workflow = Workflow.Define<int, int>("agents", "1", w =>
        {
            Node<int> many = w.Task("many", Work("many", _ => 1), w.Input), deep = w.Task("deep", Work("deep", _ => 1), w.Input);
            return w.Join(w.Agent("slow", slow, deep), w.All([.. Enumerable.Range(0, 4).Select(i => w.Task($"short{i}", Work("short", _ => 1), many))]), (n, _) => n);
        });
        await StartAsync(workflow.Agent, slow);
        Assert.Equal("many", await FirstAsync(workflow));
        Assert.Equal("deep", await FirstAsync(workflow));
        await RestartAsync(workflow.Agent, slow);
        Assert.Equal("deep", await FirstAsync(workflow));
    }

    [Fact]
    public async Task Learned_DurationsThatVaryMuch_AreNotGoneBy()
    {
        Workflow<int, int> workflow = Uneven(n => n % 2 == 0 ? 400 : 4);
        await StartAsync(workflow.Agent);
        Assert.Equal("many", await FirstAsync(workflow, 2));
        Assert.Equal("deep", await FirstAsync(workflow, 3));
        for (int input = 4; input < 10; input++)
            Assert.Equal("many", await FirstAsync(workflow, input));
        Assert.Null(_plan);
    }

    [Fact]
    public async Task ShortJobs_AreNotPlanned()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("brief", "1", w => w.Task("b", Work("b", _ => 0.04), w.Task("a", Work("a", _ => 0.04), w.Input)));
        await StartAsync(workflow.Agent);
        for (int i = 0; i < 3; i++)
            await (await Orchestrator.CreateJobAsync(workflow.Agent, 1)).Completion;
        Assert.Null(_plan);
    }

    [Fact]
    public async Task LookAhead_Zero_TurnsItOffAndLeavesThePlan()
    {
        Options = Options with { LookAhead = TimeSpan.Zero };
        Workflow<int, int> workflow = Uneven(_ => 60, isDeclared: true);
        await StartAsync(workflow.Agent);
        Assert.Equal("deep", await FirstAsync(workflow));
        Assert.False(_plan!.HasOrder);
    }

    [Fact]
    public async Task Recovered_InTheMiddle_GoesOnWithAPlan()
    {
        TaskCompletionSource entered = new(), open = new();
        AgentTask<int, int> gate = AgentTask.Create<int, int>("gate", async (n, context) =>
        {
            entered.TrySetResult();
            await open.Task.WaitAsync(context.CancellationToken);
            return n;
        });
        Workflow<int, int> workflow = Workflow.Define<int, int>("recovered", "1", w =>
        {
            Node<int> first = w.Task("first", Work("first", _ => 1), w.Input, Takes(1)), middle = w.Task("gate", gate, first, Takes(1));
            Node<int> many = w.Task("many", Work("many", _ => 1), middle, Takes(1)), deep = w.Task("deep", Work("deep", _ => 1), middle, Takes(1));
            Node<int> slow = w.Task("slow", Work("slow", _ => 60), deep, Takes(60));
            return w.Join(slow, w.All([.. Enumerable.Range(0, 4).Select(i => w.Task($"short{i}", Work("short", _ => 1), many, Takes(1)))]), (n, _) => n);
        });
        // What ends with a process ends by its clock.
        Options = Options with { Time = TimeProvider.System };
        await StartAsync(workflow.Agent);
        Job<int, WorkflowEvent, WorkflowSignal> job = await Orchestrator.CreateJobAsync(workflow.Agent, 1);
        await entered.Task;
        await job.UntilAsync(e => e.Kind == JobEventKinds.TaskStarted && e.Task == "gate");
        entered = new TaskCompletionSource();
        await RestartAsync(workflow.Agent);
        await entered.Task;
        JobPlan plan = Orchestrator.Engine.Jobs.Find(job.Id)!.Scheduling.Plan!;
        int[] done = [.. workflow.Graph.Nodes.Where(n => plan.StateAt(0).IsDone[n.Index]).Select(n => n.Index)];
        Assert.Equal([0, workflow.Graph.Nodes.Single(n => n.Id == "first").Index], done);
        open.SetResult();
        Assert.Equal(1, await (await Orchestrator.GetJobAsync(workflow.Agent, job.Id))!.Completion);
        Assert.Equal(["first", "deep"], _order[..2]);
    }
}
