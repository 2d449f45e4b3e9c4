namespace Millstream.Simulation;

/// <summary>How a node runs its task; <see cref="Agent"/>: it runs an agent instead, as a child job.</summary>
internal enum Way { Once, If, ForEach, Agent }

/// <summary>One task of a workflow: what it comes after, how it runs, and how long it is thought to take and takes, in milliseconds.</summary>
internal sealed record SimulatedNode(string Id, int[] After, Way Way, int Thought, int Takes);

/// <summary>
/// A workflow of a seed: a graph of tasks that contend for little, of which is known beforehand how long they take, from earlier jobs or by their
/// author. By workflow that is right, nearly right, or wrong.
/// </summary>
internal sealed class SimulatedWorkflow
{
    public const int Attempts = 3;

    // So many earlier runs make durations that a plan lets tasks wait by.
    private const int Runs = 16;

    private readonly History _history;
    private readonly bool _isLearned;
    private readonly int _failures;

    public SimulatedWorkflow(History history, int number, Random random)
    {
        _history = history;
        _isLearned = random.Next(6) > 0;
        _failures = random.Next(3) == 0 ? random.Next(10) : 0;
        bool hasMany = random.Next(6) == 0;
        Accuracy accuracy = (Accuracy)random.Next(3);
        Nodes = [.. Enumerable.Range(0, 6 + random.Next(12)).Select(i => MakeNode(i, accuracy, hasMany, random))];
        history.Plans.Add(new Plan([new PlanNode(Step.Sequence, Parts: [new PlanNode(Step.Delay, Count: 30), new PlanNode(Step.Run, random.Next(History.TaskCount))])], false));
        Plan = history.Plans.Count - 1;
        WorkflowOptions options = new() { OnFailure = random.Next(2) == 0 ? FailureMode.Cancel : FailureMode.Finish };
        Workflow = Millstream.Workflow.Define<int, int>($"workflow{number}", "1", w => Define(w, random), options);
    }

    private enum Accuracy { Exact, Near, Wrong }

    public Workflow<int, int> Workflow { get; }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>The plan that its agents run.</summary>
    public int Plan { get; }

    /// <summary>Tells a process what earlier jobs took.</summary>
    public void Teach(AgentOrchestrator orchestrator)
    {
        if (!_isLearned)
            return;
        NodeDurations durations = orchestrator.Engine.Durations.Of(Workflow.Graph);
        foreach (GraphNode known in Workflow.Graph.Nodes.Where(n => n.Id is not null))
        {
            long ticks = TimeSpan.FromMilliseconds(Nodes.First(n => n.Id == known.Id).Thought).Ticks;
            for (int run = 0; run < Runs; run++)
                durations.Add(known.Index, ticks);
        }
    }

    /// <summary>What a node gets of the values of those that it comes after, and the workflow gives of all.</summary>
    public static int Mix(IEnumerable<int> values) => values.Aggregate(17, static (mixed, value) => unchecked(mixed * 31 + value)) & int.MaxValue;

    public static int[] Items(int input) => [.. Enumerable.Range(input, 1 + input % 4)];

    public static bool Holds(int input) => input % 4 > 0;

    private static SimulatedNode MakeNode(int index, Accuracy accuracy, bool hasMany, Random random)
    {
        int[] after = [.. Enumerable.Range(0, index == 0 ? 0 : random.Next(3)).Select(_ => random.Next(index)).Distinct()];
        Way way = random.Next(8) == 0 ? Way.If : hasMany && random.Next(3) == 0 ? Way.ForEach : random.Next(12) == 0 ? Way.Agent : Way.Once;
        int thought = 20 + random.Next(random.Next(3) == 0 ? 400 : 100);
        int takes = accuracy switch { Accuracy.Exact => thought, Accuracy.Near => thought * (90 + random.Next(21)) / 100, _ => random.Next(2 * thought) };
        return new SimulatedNode($"n{index}", after, way, thought, takes);
    }

    private Node<int> Define(WorkflowBuilder<int> w, Random random)
    {
        List<Node<int>> made = [];
        foreach (SimulatedNode node in Nodes)
        {
            Node<int> input = node.After.Length == 0 ? w.Input : w.All([.. node.After.Select(a => made[a])]).Select(values => Mix(values));
            AgentTask<int, int> task = AgentTask.Create<int, int>(node.Id, (got, context) => RunAsync(got, node.Takes, context), Requirements(random),
                new TaskPolicy { Retry = new RetryPolicy { Attempts = Attempts, Delay = TimeSpan.FromMilliseconds(1 + random.Next(50)) } });
            NodeOptions options = new() { ExpectedTime = _isLearned ? null : TimeSpan.FromMilliseconds(node.Thought) };
            made.Add(node.Way switch
            {
                Way.If => w.If(node.Id, input.Select(Holds), task, input, options).Select(o => o.Or(0)),
                Way.ForEach => w.ForEach(node.Id, task, input.Select(Items), options).Select(values => Mix(values)),
                Way.Agent => w.Agent(node.Id, PlanAgent.Instance, input.Select(_ => Plan), options),
                _ => w.Task(node.Id, task, input, options),
            });
        }
        return w.All(made).Select(values => Mix(values));
    }

    private static IReadOnlyList<ResourceRequirement> Requirements(Random random) => random.Next(10) switch
    {
        0 => [ResourceRequirement.Exclusive("browser")],
        1 or 2 => [],
        _ => [ResourceRequirement.Exclusive("lathe", amount: 1 + random.Next(3))],
    };

    private async Task<int> RunAsync(int input, int milliseconds, TaskContext context)
    {
        Attempt attempt = _history.Began((TaskAttempt)context, input);
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), context.Time, attempt.Token());
            attempt.GoesOn();
            if (_history.Random.Next(100) < _failures)
                throw _history.Random.Next(3) > 0 ? new InvalidOperationException("retryable") : new TerminalTaskException("terminal");
            return attempt.Result();
        }
        finally
        {
            attempt.Ended();
        }
    }
}
