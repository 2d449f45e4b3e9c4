namespace Millstream;

/// <summary>Builds workflows in code.</summary>
public static class Workflow
{
    /// <summary>
    /// Builds a workflow: <paramref name="define"/> adds tasks and returns the node whose value the workflow gives. Dependencies are the nodes
    /// themselves, so a wrong type or an unknown task does not compile.
    /// </summary>
    /// <param name="id">The id: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</param>
    /// <param name="version">The version that jobs record.</param>
    /// <param name="define">Adds the tasks.</param>
    /// <param name="options">What happens when a task fails.</param>
    /// <exception cref="WorkflowException">A wrong id, a cycle, a duplicate id, a missing output, a node of another workflow: lists every fault.</exception>
    public static Workflow<TInput, TOutput> Define<TInput, TOutput>(
        string id, string version, Func<WorkflowBuilder<TInput>, Node<TOutput>> define, WorkflowOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentException.ThrowIfNullOrWhiteSpace(version);
        ArgumentNullException.ThrowIfNull(define);
        WorkflowBuilder<TInput> builder = new();
        Node<TOutput>? output = define(builder);
        return new Workflow<TInput, TOutput>(builder.Build(id, version, options ?? new WorkflowOptions(), output));
    }

    /// <summary>Runs a workflow as a child job of a body's job.</summary>
    public static Task<TOutput> RunAsync<TInput, TOutput>(this AgentContext context, Workflow<TInput, TOutput> workflow, TInput input, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(workflow);
        return context.RunAsync(workflow.Agent, input, token);
    }
}

/// <summary>A passive, immutable graph of tasks; any number of jobs share it. It runs nothing: its <see cref="Agent"/> does.</summary>
public sealed class Workflow<TInput, TOutput> : IWork<TInput, TOutput>
{
    internal Workflow(WorkflowGraph graph)
    {
        Graph = graph;
        Agent = new WorkflowAgent<TInput, TOutput>(this);
    }

    /// <summary>The id.</summary>
    public string Id => Graph.Id;

    /// <summary>The version.</summary>
    public string Version => Graph.Version;

    /// <summary>The ids of its tasks, in the order in which they were added.</summary>
    public IReadOnlyList<string> Tasks => [.. Graph.Nodes.Where(n => n.Id is not null).Select(n => n.Id!)];

    /// <summary>The agent that executes it.</summary>
    public WorkflowAgent<TInput, TOutput> Agent { get; }

    object IWork<TInput, TOutput>.Runner => Agent;

    internal WorkflowGraph Graph { get; }
}

/// <summary>Executes a workflow: each task starts the moment its own inputs are ready. Its id and version are the workflow's.</summary>
public sealed class WorkflowAgent<TInput, TOutput> : Agent<TInput, TOutput, WorkflowEvent, WorkflowSignal>
{
    private readonly Workflow<TInput, TOutput> _workflow;

    internal WorkflowAgent(Workflow<TInput, TOutput> workflow) => _workflow = workflow;

    /// <inheritdoc/>
    public override string Id => _workflow.Id;

    /// <inheritdoc/>
    public override string Version => _workflow.Version;

    internal override string Operation => WorkflowOperation;

    /// <inheritdoc/>
    protected override async Task<TOutput> RunCoreAsync(TInput input, AgentContext<WorkflowEvent, WorkflowSignal> context) =>
        (TOutput)(await new WorkflowRun(_workflow.Graph, context, input).RunAsync())!;
}
