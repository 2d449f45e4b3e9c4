namespace Millstream.Definitions;

/// <summary>Reads the file that a task of kind <c>workflow</c> names, relative to the file that names it.</summary>
internal static class NestedWorkflow
{
    public static WorkflowDefinition? Read(ReadContext context, MapValue with, string name)
    {
        (_, _, ValueNode? file) = with.Entries.FirstOrDefault(e => e.Key == "file");
        if (file is null)
            return null;
        if (file is not ConstantValue { Value: { ValueKind: System.Text.Json.JsonValueKind.String } text })
        {
            context.Faults.Add(file.Mark, $"{name}.with.file must be a constant text, so that the other workflow can be checked before anything runs");
            return null;
        }
        string path = Path.Combine(Path.GetDirectoryName(context.Path) ?? "", text.GetString()!);
        string full = context.Texts.FullPath(path);
        List<string> parents = [.. context.Parents, context.Texts.FullPath(context.Path.Length == 0 ? "." : context.Path)];
        if (parents.Contains(full))
        {
            context.Faults.Add(file.Mark, $"{name}.with.file: the workflow '{path}' would run itself");
            return null;
        }
        if (parents.Count >= context.Limits.Nesting)
        {
            context.Faults.Add(file.Mark, $"{name}.with.file: workflows are nested deeper than {context.Limits.Nesting} levels; the limit is WorkflowLimits.Nesting");
            return null;
        }
        try
        {
            return WorkflowFile.Parse(context.Texts.Load(path, context.Limits), path, context.Limits, context.Texts, parents, context.HasAgents);
        }
        catch (WorkflowFileException e)
        {
            if (e.Faults is [{ Line: 0 } missing])
                context.Faults.Add(file.Mark, $"{name}.with.file: {missing.Message}");
            else
                context.Faults.AddAll(e.Faults);
            return null;
        }
    }

    /// <summary>What the task takes: the inputs of the other workflow, those without a default required.</summary>
    public static DataType With(WorkflowDefinition workflow)
    {
        DataType input = DataType.ObjectOf(workflow.Inputs.ToDictionary(i => i.Name, i => new DataField(i.DataType, i.Default is null), StringComparer.Ordinal));
        bool required = workflow.Inputs.Any(i => i.Default is null);
        return DataType.ObjectOf(("file!", DataType.String), (required ? "input!" : "input", input));
    }
}
