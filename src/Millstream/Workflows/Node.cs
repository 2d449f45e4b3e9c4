namespace Millstream;

/// <summary>A node of a workflow that is being built.</summary>
public abstract class Node
{
    private protected Node(object builder, GraphNode node) => (Builder, Inner) = (builder, node);

    internal object Builder { get; }

    internal GraphNode Inner { get; }
}

/// <summary>A value that will be there when a workflow runs: a task's output, or what a pure function makes of others.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public sealed class Node<T> : Node
{
    private readonly Func<Func<NodeValues, object?>, IReadOnlyList<Node>, GraphNode> _addPure;

    internal Node(object builder, GraphNode node, Func<Func<NodeValues, object?>, IReadOnlyList<Node>, GraphNode> addPure) : base(builder, node) => _addPure = addPure;

    /// <summary>A pure function of the value. It runs in the workflow agent's turn: no clocks, files or randomness.</summary>
    public Node<TResult> Select<TResult>(Func<T, TResult> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        GraphNode inner = Inner;
        return new Node<TResult>(Builder, _addPure(values => select(values.Get<T>(inner)), [this]), _addPure);
    }

    /// <summary>Lets the task start only after others have ended, whose values it does not need.</summary>
    public Node<T> After(params ReadOnlySpan<Node> others)
    {
        foreach (Node other in others)
            Inner.Dependencies.Add(other.Inner);
        return this;
    }
}
