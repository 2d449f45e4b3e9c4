namespace Millstream.Definitions;

/// <summary>Reads the file that a task of kind <c>workflow</c> names, relative to the file that names it.</summary>
internal static class NestedWorkflow
{
    public static WorkflowDefinition? Read(ReadContext context, MapValue with, string name) =>
        FilePlace.FileOf(context.Faults, with, name, "workflow", out string file) is { } node ? Read(context.Place, context.Faults, file, node.Mark, name) : null;

    public static WorkflowDefinition? Read(FilePlace place, FaultList faults, string file, Mark mark, string name) =>
        place.Read(faults, file, mark, name, FileKind.Workflow, WorkflowFile.Parse);

    /// <summary>What the task takes: the inputs of the other workflow, those without a default required.</summary>
    public static DataType With(WorkflowDefinition workflow)
    {
        DataType input = Input(workflow);
        bool required = workflow.Inputs.Any(i => i.Default is null);
        return DataType.ObjectOf(("file!", DataType.String), (required ? "input!" : "input", input));
    }

    /// <summary>The inputs of a workflow as an object.</summary>
    public static DataType Input(WorkflowDefinition workflow) =>
        DataType.ObjectOf(workflow.Inputs.ToDictionary(i => i.Name, i => new DataField(i.DataType, i.Default is null), StringComparer.Ordinal));
}
