namespace Millstream;

/// <summary>Adds tasks to a workflow that is being built by <see cref="Workflow.Define"/>. Once it is built, every member that adds throws an <see cref="InvalidOperationException"/>.</summary>
/// <typeparam name="TInput">The workflow's input.</typeparam>
public sealed class WorkflowBuilder<TInput>
{
    private readonly NodeList _nodes = new();

    internal WorkflowBuilder() => Input = Wrap<TInput>(_nodes.Add(new GraphNode(0, null) { Input = static _ => null, Result = Output }));

    /// <summary>The workflow's input.</summary>
    public Node<TInput> Input { get; }

    /// <summary>Adds a task.</summary>
    /// <param name="id">The id that streams show.</param>
    /// <param name="task">The task.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How it runs.</param>
    public Node<TOut> Task<TIn, TOut>(string id, AgentTask<TIn, TOut> task, Node<TIn> input, NodeOptions? options = null) =>
        Wrap<TOut>(AddOne(id, task, input, options, Output));

    /// <summary>Adds an agent, which runs as a child job, a new one for each attempt.</summary>
    public Node<TOut> Agent<TIn, TOut, TEvent, TSignal>(string id, Agent<TIn, TOut, TEvent, TSignal> agent, Node<TIn> input, NodeOptions? options = null) =>
        Wrap<TOut>(AddOne(id, agent, input, options, Output));

    /// <summary>Adds another workflow, which runs as a child job, a new one for each attempt.</summary>
    public Node<TOut> SubWorkflow<TIn, TOut>(string id, Workflow<TIn, TOut> workflow, Node<TIn> input, NodeOptions? options = null) =>
        Wrap<TOut>(AddOne(id, workflow, input, options, Output));

    /// <summary>Adds a task, agent or workflow that may fail: dependants get its output or its error.</summary>
    public Node<Outcome<TOut>> Try<TIn, TOut>(string id, IWork<TIn, TOut> work, Node<TIn> input, NodeOptions? options = null) =>
        Wrap<Outcome<TOut>>(AddOne(id, work, input, options, static end => OutcomeOf<TOut>(end), continues: true));

    /// <summary>Adds a task, agent or workflow that runs only where a condition holds.</summary>
    public Node<Optional<TOut>> If<TIn, TOut>(string id, Node<bool> condition, IWork<TIn, TOut> work, Node<TIn> input, NodeOptions? options = null) =>
        Wrap<Optional<TOut>>(AddOne(id, work, input, options, static end => OptionalOf<TOut>(end), condition: condition));

    /// <summary>Adds a fan-out: the task, agent or workflow runs once for each item, as many at once as resources and <see cref="NodeOptions.MaxParallel"/> allow.</summary>
    /// <returns>The outputs, in the order of the items.</returns>
    public Node<TOut[]> ForEach<TIn, TOut, TList>(string id, IWork<TIn, TOut> work, Node<TList> items, NodeOptions? options = null)
        where TList : IReadOnlyList<TIn> =>
        Wrap<TOut[]>(AddForEach(id, work, items, options, static ends => ends.Select(e => (TOut)e.Output!).ToArray()));

    /// <summary>Adds a fan-out whose runs may fail: each gives its output or its error, in its place.</summary>
    public Node<Outcome<TOut>[]> TryForEach<TIn, TOut, TList>(string id, IWork<TIn, TOut> work, Node<TList> items, NodeOptions? options = null)
        where TList : IReadOnlyList<TIn> =>
        Wrap<Outcome<TOut>[]>(AddForEach(id, work, items, options, static ends => ends.Select(OutcomeOf<TOut>).ToArray(), continues: true));

    /// <summary>A pure function of two values.</summary>
    public Node<TOut> Join<T1, T2, TOut>(Node<T1> first, Node<T2> second, Func<T1, T2, TOut> join)
    {
        ArgumentNullException.ThrowIfNull(join);
        (GraphNode a, GraphNode b) = (Inner(first), Inner(second));
        return Wrap<TOut>(_nodes.AddPure(values => join(values.Get<T1>(a), values.Get<T2>(b)), first, second));
    }

    /// <summary>A pure function of three values.</summary>
    public Node<TOut> Join<T1, T2, T3, TOut>(Node<T1> first, Node<T2> second, Node<T3> third, Func<T1, T2, T3, TOut> join)
    {
        ArgumentNullException.ThrowIfNull(join);
        (GraphNode a, GraphNode b, GraphNode c) = (Inner(first), Inner(second), Inner(third));
        return Wrap<TOut>(_nodes.AddPure(values => join(values.Get<T1>(a), values.Get<T2>(b), values.Get<T3>(c)), first, second, third));
    }

    /// <summary>All values of a list of nodes: the fan-in of tasks that were added one by one.</summary>
    public Node<T[]> All<T>(IReadOnlyList<Node<T>> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        GraphNode[] inner = [.. nodes.Select(Inner)];
        return Wrap<T[]>(_nodes.AddPure(values => Array.ConvertAll(inner, values.Get<T>), [.. nodes]));
    }

    internal WorkflowGraph Build(string id, string version, WorkflowOptions options, Node? output) => _nodes.Build(id, version, options, output);

    private static GraphNode Inner(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Inner;
    }

    private static object? Output(NodeEnd end) => end.Output;

    private static Outcome<T> OutcomeOf<T>(NodeEnd end) => new(end.Status == WorkflowTaskStatus.Completed, end.Output is T value ? value : default, end.Error);

    private static Optional<T> OptionalOf<T>(NodeEnd end) => new(end.Status == WorkflowTaskStatus.Completed, end.Output is T value ? value : default);

    private GraphNode AddOne<TIn, TOut>(
        string id, IWork<TIn, TOut> work, Node<TIn> input, NodeOptions? options, Func<NodeEnd, object?> result, bool continues = false, Node<bool>? condition = null)
    {
        object runner = Check(id, work, input, options);
        if (options?.MaxParallel is { } parallel)
            _nodes.Faults.Add($"the task '{id}' has MaxParallel {parallel}, but runs once; leave it out, or use ForEach or TryForEach");
        GraphNode from = input.Inner;
        GraphNode? when = condition?.Inner;
        GraphNode node = new(_nodes.Count, id)
        {
            Task = runner as AgentTask,
            Child = ChildOf(runner),
            Input = values => values[from].Output,
            Condition = when is null ? null : values => values.Get<bool>(when),
            Result = result,
            Options = Copy(options),
            ContinuesOnError = continues,
            // An Optional and an Outcome can say that there is nothing.
            PassesWhenSkipped = when is not null || continues,
        };
        node.Dependencies.Add(from);
        if (when is not null)
            node.Dependencies.Add(when);
        return _nodes.Add(node);
    }

    private GraphNode AddForEach<TIn, TOut, TList>(
        string id, IWork<TIn, TOut> work, Node<TList> items, NodeOptions? options, Func<IReadOnlyList<NodeEnd>, object?> results, bool continues = false)
        where TList : IReadOnlyList<TIn>
    {
        object runner = Check(id, work, items, options);
        if (options?.MaxParallel is < 1)
            _nodes.Faults.Add($"the task '{id}' has MaxParallel {options.MaxParallel}; give 1 or more, or null to leave it to the resources");
        GraphNode from = items.Inner;
        GraphNode node = new(_nodes.Count, id)
        {
            Task = runner as AgentTask,
            Child = ChildOf(runner),
            Input = values => values.Get<TList>(from).Cast<object?>().ToArray(),
            ItemInput = static (_, item, _) => item,
            Result = Output,
            Results = results,
            Options = Copy(options),
            ContinuesOnError = continues,
        };
        node.Dependencies.Add(from);
        return _nodes.Add(node);
    }

    private object Check<TIn, TOut>(string id, IWork<TIn, TOut> work, Node input, NodeOptions? options)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(input);
        if (id.Length == 0 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            _nodes.Faults.Add($"'{id}' is no id; use letters, digits, '_' and '-'");
        object runner = work.Runner;
        if (runner is Agent agent && options?.Requirements.Count > 0)
            _nodes.Faults.Add($"the task '{id}' has Requirements, but runs {agent.Id} as a child job, which leases nothing itself; give them to the tasks in it");
        return runner;
    }

    private static Func<object?, (Agent, object?)>? ChildOf(object runner) => runner is Agent agent ? input => (agent, input) : null;

    // The caller may still hold the list.
    private static NodeOptions Copy(NodeOptions? options) => options is null ? new NodeOptions() : options with { Requirements = [.. options.Requirements] };

    private Node<T> Wrap<T>(GraphNode node) => new(_nodes, node);
}
