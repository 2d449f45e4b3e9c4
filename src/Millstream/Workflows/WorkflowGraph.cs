namespace Millstream;

/// <summary>How one node, or one run of a fan-out, ended.</summary>
/// <param name="Status">How.</param>
/// <param name="Output">What it gave.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Untold">Why it failed, where no entry of the task or its child says so.</param>
internal readonly record struct NodeEnd(WorkflowTaskStatus Status, object? Output, TaskError? Error = null, string? Untold = null)
{
    public static NodeEnd Skipped { get; } = new(WorkflowTaskStatus.Skipped, null);

    public static NodeEnd Completed(object? output) => new(WorkflowTaskStatus.Completed, output);

    public static NodeEnd Failed(TaskError error) => new(WorkflowTaskStatus.Failed, null, error);

    public static NodeEnd Stopped(string subject) => Failed(new TaskError(subject, 0, ErrorTypes.Cancelled, $"task {subject} was stopped", false));

    /// <summary>It failed without an entry of its own that says why.</summary>
    public static NodeEnd FailedUntold(TaskError error) => new(WorkflowTaskStatus.Failed, null, error, error.Message);

    /// <summary>A pure function or an expression of the workflow's author threw, or what it named is not there.</summary>
    public static NodeEnd FailedUntold(string subject, Exception e) => FailedUntold(new TaskError(subject, 0, e.GetType().Name, e.Message, false, e.ToString()));
}

/// <summary>What nodes that are done gave; the input is node 0.</summary>
internal sealed class NodeValues(NodeEnd[] ends)
{
    private Dictionary<GraphNode, object>? _kept;

    public NodeEnd this[GraphNode node] => ends[node.Index];

    /// <summary>The workflow's input.</summary>
    public object? Input => ends[0].Output;

    public T Get<T>(GraphNode node) => (T)ends[node.Index].Output!;

    /// <summary>What a node's functions make once in an execution and use for each item.</summary>
    public T Keep<T>(GraphNode node, Func<T> make) where T : class
    {
        _kept ??= [];
        if (!_kept.TryGetValue(node, out object? kept))
            _kept.Add(node, kept = make());
        return (T)kept;
    }
}

/// <summary>
/// One node: a task, an agent, a fan-out of a task, or a pure function of other nodes. Erased, so that what is built in code and what is read from
/// a file run alike. Its functions are pure and run in the workflow agent's turns.
/// </summary>
internal sealed class GraphNode(int index, string? id)
{
    public int Index => index;

    /// <summary>The id that streams show; null for a pure function.</summary>
    public string? Id => id;

    /// <summary>What must be done before it starts, while the graph is made; a graph keeps its own copy.</summary>
    public List<GraphNode> Dependencies { get; } = [];

    /// <summary>What it runs: a task; null for an agent or a pure function.</summary>
    public AgentTask? Task { get; init; }

    /// <summary>What it runs: an agent and its input, found when it starts.</summary>
    public Func<object?, (Agent Agent, object? Input)>? Child { get; init; }

    /// <summary>Its input, or of a pure function its output, or of a fan-out the list of items.</summary>
    public required Func<NodeValues, object?> Input { get; init; }

    /// <summary>Of a fan-out the input of one run.</summary>
    public Func<NodeValues, object?, int, object?>? ItemInput { get; init; }

    /// <summary>Of a fan-out whether one item runs.</summary>
    public Func<NodeValues, object?, int, bool>? ItemCondition { get; init; }

    /// <summary>Whether it runs at all.</summary>
    public Func<NodeValues, bool>? Condition { get; init; }

    /// <summary>What its dependants see of how it ended.</summary>
    public required Func<NodeEnd, object?> Result { get; init; }

    /// <summary>Of a fan-out what its dependants see of how its runs ended.</summary>
    public Func<IReadOnlyList<NodeEnd>, object?>? Results { get; init; }

    public NodeOptions Options { get; init; } = new();

    /// <summary>Whether it may fail.</summary>
    public bool ContinuesOnError { get; init; }

    /// <summary>Whether dependants of it run when it is skipped. A typed dependant has nothing to run with; one of a file sees null.</summary>
    public bool PassesWhenSkipped { get; init; }

    public bool IsPure => id is null;
}

/// <summary>A checked graph: immutable, run by any number of jobs at once.</summary>
internal sealed class WorkflowGraph : IPlannable
{
    private readonly RunSettings?[] _settings;

    /// <summary>Checks a graph as a whole.</summary>
    /// <exception cref="WorkflowException">It is wrong; lists every fault.</exception>
    public WorkflowGraph(string id, string version, WorkflowOptions options, IReadOnlyList<GraphNode> nodes, GraphNode? output, List<string>? faults = null)
    {
        faults ??= [];
        Id = id;
        Version = version;
        Options = options;
        // Copies: whoever made the graph may still hold the lists.
        Nodes = [.. nodes];
        Dependencies = [.. nodes.Select(n => n.Dependencies.Distinct().ToArray())];
        Output = output!;
        if (output is null)
            faults.Add("it has no output; return the node whose value the workflow gives");
        foreach (IGrouping<string?, GraphNode> same in nodes.Where(n => n.Id is not null).GroupBy(n => n.Id).Where(g => g.Count() > 1))
            faults.Add($"the id '{same.Key}' stands {same.Count()} times; ids are unique in a workflow");
        faults.AddRange(nodes.Where(n => n.Task is not null).Select(n => ResourceRequirement.GangFault(n.Id!, n.Task!.Requirements, n.Options.Requirements)).OfType<string>());
        Successors = [.. nodes.Select(_ => new List<GraphNode>())];
        foreach (GraphNode node in nodes)
        {
            foreach (GraphNode dependency in Dependencies[node.Index])
                Successors[dependency.Index].Add(node);
        }
        Network = new TaskNetwork([.. Successors.Select(s => s.Select(n => n.Index).ToArray())]);
        if (FindCycle() is { } cycle)
            faults.Add($"there is a cycle: {string.Join(" -> ", cycle.Where(n => n.Id is not null).Select(n => n.Id))}");
        if (faults.Count > 0)
            throw new WorkflowException(id, faults);
        Ranking = new TaskRanking(Network, i => !nodes[i].IsPure, [.. nodes.Select(NeedsOf)]);
        IsTimed = nodes.Any(n => n.Options.ExpectedTime is not null);
        TaskCount = nodes.Count(n => !n.IsPure);
        _settings = new RunSettings?[Nodes.Count];
    }

    public string Id { get; }

    public string Version { get; }

    public WorkflowOptions Options { get; }

    public IReadOnlyList<GraphNode> Nodes { get; }

    public GraphNode Output { get; }

    /// <summary>By index what must be done before each node starts, each once.</summary>
    public GraphNode[][] Dependencies { get; }

    public List<GraphNode>[] Successors { get; }

    /// <summary>The graph by indexes.</summary>
    public TaskNetwork Network { get; }

    /// <summary>Which node goes first.</summary>
    public TaskRanking Ranking { get; }

    /// <summary>Whether its author says how long something in it takes.</summary>
    public bool IsTimed { get; }

    /// <summary>How many nodes do something.</summary>
    public int TaskCount { get; }

    /// <summary>How the tasks of a node run.</summary>
    public RunSettings SettingsOf(GraphNode node)
    {
        // The policy is the task's code, and may be another one each time.
        TaskPolicy policy = node.Options.Policy ?? node.Task!.Policy;
        return _settings[node.Index] is { } known && known.Policy == policy ? known
            : _settings[node.Index] = new RunSettings(policy, Ranking.Ranks[node.Index], node.Options.Requirements, PlanTask: node.Index);
    }

    private static IReadOnlyList<ResourceRequirement>? NeedsOf(GraphNode node) =>
        node.Task is { } task ? node.Options.Requirements.Count == 0 ? task.Requirements : [.. task.Requirements, .. node.Options.Requirements] : null;

    private List<GraphNode>? FindCycle()
    {
        if (Network.Order.Length == Nodes.Count)
            return null;
        HashSet<int> done = [.. Network.Order];
        // Every node that is left waits for another one that is left, so following them comes back.
        List<GraphNode> path = [Nodes.First(n => !done.Contains(n.Index))];
        while (true)
        {
            GraphNode next = Dependencies[path[^1].Index].First(d => !done.Contains(d.Index));
            int at = path.IndexOf(next);
            path.Add(next);
            if (at >= 0)
                return [.. path[at..].AsEnumerable().Reverse()];
        }
    }
}
