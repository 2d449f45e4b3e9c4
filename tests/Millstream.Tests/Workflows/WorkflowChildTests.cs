namespace Millstream.Tests;

/// <summary>Agents and workflows as nodes of a workflow: what holds for tasks holds for them.</summary>
public sealed class WorkflowChildTests
{
    private static readonly AgentTask<int, int> Double = AgentTask.Create<int, int>("double", (n, _) => Task.FromResult(n * 2));

    private static readonly AgentTask<int, int> Endless = AgentTask.Create<int, int>("endless", async (n, context) => { await Task.Delay(Timeout.Infinite, context.CancellationToken); return n; });

    private static readonly NodeOptions ThreeAttempts = new() { Policy = new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.FromMilliseconds(1) } } };

    private static readonly NodeOptions ShortTimeout = new() { Policy = new TaskPolicy { Timeout = TimeSpan.FromMilliseconds(20) } };

    private static TestAgent<int, int> FailsBelow(int least) => new((n, _) => n < least ? throw new InvalidDataException($"{n} is bad") : Task.FromResult(n * 2), "child");

    private static Workflow<int, int> Inner(AgentTask<int, int> task) => Workflow.Define<int, int>("inner", "1", w => w.Task("i", task, w.Input));

    private static async Task<List<JobEvent>> RunAsync(AgentOrchestrator orchestrator, Workflow<int, string> workflow, int input, string expected)
    {
        Job<string, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, input);
        Assert.Equal(expected, await job.Completion);
        return await job.AllAsync();
    }

    [Fact]
    public async Task Agent_Retry_IsANewChildForEachAttempt()
    {
        int calls = 0;
        TestAgent<int, int> fails = new((n, _) => ++calls < 3 ? throw new InvalidDataException("not yet") : Task.FromResult(n), "flaky");
        Workflow<int, string> workflow = Workflow.Define<int, string>("retry", "1", w => w.Agent("a", fails, w.Input, ThreeAttempts).Select(n => $"{n}"));
        await using AgentOrchestrator orchestrator = new();
        List<JobEvent> events = await RunAsync(orchestrator, workflow, 7, "7");
        JobEvent[] started = [.. events.Where(e => e.Kind == JobEventKinds.ChildStarted)];
        Assert.Equal(["a", "a", "a"], started.Select(e => e.Task));
        // The numbers in between are the waits.
        Assert.Equal(["1", "3", "5"], started.Select(e => e.Child!.Value.Value.Split('/')[1]));
        Assert.Equal([JobEventKinds.ChildFailed, JobEventKinds.ChildFailed, JobEventKinds.ChildCompleted], events.Select(e => e.Kind).Where(k => k is JobEventKinds.ChildFailed or JobEventKinds.ChildCompleted));
    }

    [Fact]
    public async Task SubWorkflow_RetriesUsedUp_FailsWithTheLastErrorAndTheCount()
    {
        AgentTask<int, int> bad = AgentTask.Create<int, int>("bad", (_, _) => throw new InvalidDataException("never"));
        Workflow<int, string> workflow = Workflow.Define<int, string>("used-up", "1", w => w.Try("sub", Inner(bad), w.Input, ThreeAttempts).Select(o => $"{o.Error!.Task} {o.Error.Attempts} {o.Error.Message}"));
        await using AgentOrchestrator orchestrator = new();
        await RunAsync(orchestrator, workflow, 1, "sub 3 never");
    }

    [Fact]
    public async Task SubWorkflow_Timeout_StopsTheChild()
    {
        Workflow<int, string> workflow = Workflow.Define<int, string>("timeout", "1", w => w.Try("sub", Inner(Endless), w.Input, ShortTimeout).Select(o => $"{o.Error!.Type}: {o.Error.Message}"));
        await using AgentOrchestrator orchestrator = new();
        List<JobEvent> events = await RunAsync(orchestrator, workflow, 1, "TimedOut: task sub took longer than its timeout of 20 ms");
        Assert.Contains(events, e => e.Kind == JobEventKinds.ChildCancelled);
    }

    [Fact]
    public async Task Agent_FailsForGood_FailsTheWorkflowUnlessItMay()
    {
        Workflow<int, int> strict = Workflow.Define<int, int>("strict", "1", w => w.Agent("a", FailsBelow(5), w.Input));
        Assert.Equal("a", (await Assert.ThrowsAsync<JobFailedException>(() => strict.Agent.RunAsync(1))).Error.Task);
        Workflow<int, string> lenient = Workflow.Define<int, string>("lenient", "1", w =>
            w.Join(w.Try("bad", FailsBelow(5), w.Input), w.Try("good", FailsBelow(0), w.Input), (bad, good) => $"{bad.Error?.Message}, {good.Value}"));
        Assert.Equal("1 is bad, 2", await lenient.Agent.RunAsync(1));
    }

    [Fact]
    public async Task If_ConditionOfAChild_StartsItOnlyWhereItHolds()
    {
        Workflow<int, string> workflow = Workflow.Define<int, string>("if", "1", w =>
        {
            Node<Optional<int>> big = w.If("big", w.Input.Select(n => n > 100), Inner(Double), w.Input);
            Node<Optional<int>> small = w.If("small", w.Input.Select(n => n <= 100), FailsBelow(0), w.Input);
            return w.Join(big, small, (b, s) => $"{b.Or(-1)} {s.Or(-1)}");
        });
        await using AgentOrchestrator orchestrator = new();
        List<JobEvent> events = await RunAsync(orchestrator, workflow, 3, "-1 6");
        Assert.Equal("small", Assert.Single(events, e => e.Kind == JobEventKinds.ChildStarted).Task);
    }

    [Fact]
    public async Task ForEach_OverChildren_GivesOutputsInOrderAndHoldsMaxParallel()
    {
        Workflow<int, string> workflow = Workflow.Define<int, string>("each", "1", w =>
        {
            Node<int[]> items = w.Input.Select(n => Enumerable.Range(0, n).ToArray());
            Node<int[]> all = w.ForEach("all", Inner(Double), items, new NodeOptions { MaxParallel = 2 });
            Node<Outcome<int>[]> some = w.TryForEach("some", FailsBelow(2), items, ThreeAttempts);
            return w.Join(all, some, (a, s) => $"{string.Join(' ', a)} | {string.Join(' ', s.Select(o => o.Ok ? $"{o.Value}" : o.Error!.Task))}");
        });
        await using AgentOrchestrator orchestrator = new();
        List<JobEvent> events = await RunAsync(orchestrator, workflow, 4, "0 2 4 6 | some[0] some[1] 4 6");
        HashSet<JobId> open = [];
        foreach (JobEvent e in events.Where(e => e.Child is not null))
        {
            if (e.Kind == JobEventKinds.ChildStarted && e.Task!.StartsWith("all[", StringComparison.Ordinal))
                open.Add(e.Child!.Value);
            else
                open.Remove(e.Child!.Value);
            Assert.InRange(open.Count, 0, 2);
        }
        Assert.Equal(4 + 2 * 3 + 2, events.Count(e => e.Kind == JobEventKinds.ChildStarted));
    }

    [Fact]
    public void Define_OptionsThatCannotBeHeld_AreFaults()
    {
        WorkflowException e = Assert.Throws<WorkflowException>(() => Workflow.Define<int, int>("bad", "1", w =>
        {
            w.Agent("a", FailsBelow(0), w.Input, new NodeOptions { Requirements = [ResourceRequirement.Exclusive("gpu")] });
            w.SubWorkflow("b", Inner(Double), w.Input, new NodeOptions { MaxParallel = 2 });
            w.Task("d", Double, w.Input, new NodeOptions { Requirements = [ResourceRequirement.Exclusive("a", amount: 9), ResourceRequirement.Exclusive("b", amount: 8)] });
            return w.Task("c", Double, w.Input, new NodeOptions { MaxParallel = 3 });
        }));
        Assert.Equal(4, e.Faults.Count);
        Assert.Contains("Task d asks for 17 resources together (9 a, 8 b), but 16 is the most", e.Message, StringComparison.Ordinal);
        Assert.Contains("the task 'a' has Requirements, but runs child as a child job", e.Message, StringComparison.Ordinal);
        Assert.Contains("the task 'b' has MaxParallel 2, but runs once", e.Message, StringComparison.Ordinal);
        Assert.Contains("the task 'c' has MaxParallel 3, but runs once", e.Message, StringComparison.Ordinal);
    }
}
