namespace Millstream;

/// <summary>The nodes of a workflow that is being built. Nothing is added once it is built, since jobs share it.</summary>
internal sealed class NodeList
{
    private readonly List<GraphNode> _nodes = [];
    private string? _built;

    /// <summary>What is wrong so far.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>The index of the node that is added next.</summary>
    public int Count => _nodes.Count;

    public GraphNode Add(GraphNode node)
    {
        ThrowIfBuilt("a node cannot be added");
        _nodes.Add(node);
        return node;
    }

    public GraphNode AddPure(Func<NodeValues, object?> value, params ReadOnlySpan<Node> from)
    {
        GraphNode node = new(Count, null) { Input = value, Result = static end => end.Output };
        foreach (Node one in from)
            node.Dependencies.Add(one.Inner);
        return Add(node);
    }

    public void AddDependency(GraphNode node, GraphNode on)
    {
        ThrowIfBuilt("a node cannot be told to run after another");
        node.Dependencies.Add(on);
    }

    public WorkflowGraph Build(string id, string version, WorkflowOptions options, Node? output)
    {
        _built = id;
        if (!Words.IsId(id))
            Faults.Add($"its id '{id}' is none; use letters, digits, '_', '-' and '.'");
        bool isForeign = output is not null && output.List != this;
        if (isForeign)
            Faults.Add("its output is a node of another workflow");
        // Left out, so that the rest can be checked, too.
        if (_nodes.Sum(n => n.Dependencies.RemoveAll(d => d.Index >= Count || _nodes[d.Index] != d)) > 0)
            Faults.Add("a task takes a node of another workflow; pass what it needs as the workflow's input");
        return new WorkflowGraph(id, version, options, _nodes, isForeign ? _nodes[0] : output?.Inner, Faults);
    }

    private void ThrowIfBuilt(string what)
    {
        if (_built is not null)
            throw new InvalidOperationException($"Workflow {_built} is built, and {what}; do it inside the function that Workflow.Define is given, or define another workflow.");
    }
}
