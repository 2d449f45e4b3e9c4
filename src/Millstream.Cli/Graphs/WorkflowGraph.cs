using System.Globalization;
using Millstream.Definitions;

namespace Millstream.Cli.Graphs;

/// <summary>One task as it is drawn.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">What it uses.</param>
/// <param name="Description">In its author's words, or null.</param>
/// <param name="Marks">What is special about it, in a word or two each.</param>
internal sealed record GraphNode(string Id, string Kind, string? Description, IReadOnlyList<string> Marks)
{
    public bool IsMany { get; init; }

    public bool IsConditional { get; init; }
}

/// <summary>A workflow as nodes and edges, to be written in some format.</summary>
internal sealed record WorkflowGraph(string Name, string Version, IReadOnlyList<GraphNode> Nodes, IReadOnlyList<(int From, int To)> Edges)
{
    public static WorkflowGraph Of(WorkflowDefinition workflow)
    {
        Dictionary<string, int> places = workflow.Tasks.Select((t, i) => (t.Id, i)).ToDictionary(p => p.Id, p => p.i);
        return new WorkflowGraph(workflow.Name, workflow.Version, [.. workflow.Tasks.Select(NodeOf)],
            [.. workflow.Tasks.SelectMany((t, i) => t.DependsOn.Select(d => (places[d], i)))]);
    }

    private static GraphNode NodeOf(TaskDefinition task) =>
        new(task.Id, task.Workflow is null ? task.Uses : $"workflow {task.Workflow.Name}", task.Description, [.. Marks(task)])
        {
            IsMany = task.IsForEach,
            IsConditional = task.IsConditional,
        };

    private static IEnumerable<string> Marks(TaskDefinition task)
    {
        if (task.IsForEach)
            yield return task.Batch is { } batch ? string.Create(CultureInfo.InvariantCulture, $"for each {batch}") : "for each";
        if (task.IsConditional)
            yield return "if";
        if (task.Retry.Attempts > 1)
            yield return string.Create(CultureInfo.InvariantCulture, $"{task.Retry.Attempts} tries");
        if (task.ContinueOnError)
            yield return "may fail";
    }
}
