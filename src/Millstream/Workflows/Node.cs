namespace Millstream;

/// <summary>A node of a workflow that is being built.</summary>
public abstract class Node
{
    private protected Node(NodeList list, GraphNode node) => (List, Inner) = (list, node);

    internal NodeList List { get; }

    internal GraphNode Inner { get; }
}

/// <summary>A value that will be there when a workflow runs: a task's output, or what a pure function makes of others.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public sealed class Node<T> : Node
{
    internal Node(NodeList list, GraphNode node) : base(list, node)
    {
    }

    /// <summary>A pure function of the value. It runs in the workflow agent's turn: no clocks, files or randomness.</summary>
    /// <exception cref="InvalidOperationException">The workflow is built.</exception>
    public Node<TResult> Select<TResult>(Func<T, TResult> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        GraphNode inner = Inner;
        return new Node<TResult>(List, List.AddPure(values => select(values.Get<T>(inner)), this));
    }

    /// <summary>Lets the task start only after others have ended, whose values it does not need.</summary>
    /// <exception cref="InvalidOperationException">The workflow is built.</exception>
    public Node<T> After(params ReadOnlySpan<Node> others)
    {
        foreach (Node other in others)
        {
            ArgumentNullException.ThrowIfNull(other, nameof(others));
            List.AddDependency(Inner, other.Inner);
        }
        return this;
    }
}
