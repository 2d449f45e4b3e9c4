namespace Millstream.Definitions;

/// <summary>Reads the file that a task of kind <c>agent</c> names, and what such a task takes.</summary>
internal static class NestedAgent
{
    public static AgentDefinition? Read(ReadContext context, MapValue with, string name) =>
        FilePlace.FileOf(context.Faults, with, name, "agent", out string file) is { } node
            ? context.Place.Read(context.Faults, file, node.Mark, name, FileKind.Agent, AgentFile.Parse) : null;

    /// <summary>What it takes: one of an agent in code and an agent's file, and what goes with that.</summary>
    public static DataType With(ReadContext context, MapValue with, string name)
    {
        bool hasFile = Has(with, "file"), hasAgent = Has(with, "agent");
        if (hasFile == hasAgent)
            context.Faults.Add(with.Mark, $"{name}.with needs either 'file', an agent file, or 'agent', the id of an agent of a C# program{(hasFile ? ", not both" : "")}");
        else if (hasFile && !Has(with, "prompt") && !Has(with, "input"))
            context.Faults.Add(with.Mark, $"{name}.with needs 'prompt' or 'input', what the agent is to do");
        else if (hasAgent && !context.HasAgents)
            context.Faults.Add(with.Entries.First(e => e.Key == "agent").Value.Mark,
                $"{name}.with.agent names an agent of a C# program, and the millstream command has none; name an agent file under 'file', or run this file in the program that registers the agent (WorkflowFile.Read)");
        return hasFile == hasAgent ? DataType.MapOf(DataType.Any)
            : hasFile ? DataType.ObjectOf(("file!", DataType.String), ("prompt", DataType.String), ("input", DataType.Any))
            : DataType.ObjectOf(("agent!", DataType.String), ("version", DataType.String), ("input", DataType.Any));
    }

    private static bool Has(MapValue with, string key) => with.Entries.Any(e => e.Key == key);
}
