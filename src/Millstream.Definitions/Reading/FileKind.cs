namespace Millstream.Definitions;

/// <summary>The kinds of files there are, in words for faults.</summary>
/// <param name="Name">What stands under <c>kind</c>.</param>
/// <param name="Noun">What a file of it holds, as in "an agent".</param>
/// <param name="Needs">What it must hold at least.</param>
internal sealed record FileKind(string Name, string Noun, string Needs)
{
    public static FileKind Workflow { get; } = new("workflow", "a workflow", "a workflow needs at least 'name' and 'tasks'");

    public static FileKind Agent { get; } = new("agent", "an agent", "an agent needs at least 'kind: agent' and 'name'");

    public static FileKind Models { get; } = new("models", "a models", "a models file needs at least 'kind: models' and 'endpoints'");

    /// <summary>As in "an agent file".</summary>
    public string File => $"{Noun} file";

    private static string[] All => [Workflow.Name, Agent.Name, Models.Name];

    /// <summary>What a text says it is; that of a workflow where it says nothing, or cannot be read.</summary>
    public static string Of(string text)
    {
        var faults = new FaultList("");
        YamlNode? root = text.Length > WorkflowLimits.Default.FileBytes ? null : new YamlReader(faults, WorkflowLimits.Default).Read(text);
        return ((root as YamlMap)?.Find("kind")?.Value as YamlScalar)?.Text ?? Workflow.Name;
    }

    /// <summary>What a file says it is, see <see cref="Of"/>; that of a workflow where it cannot be read, so that its reader tells why.</summary>
    public static string OfFile(string path)
    {
        try
        {
            return Of(WorkflowFile.Load(path, WorkflowLimits.Default));
        }
        catch (WorkflowFileException)
        {
            return Workflow.Name;
        }
    }

    /// <summary>Tells a 'kind' that is another, or none where there must be one.</summary>
    public void Check(NodeReader nodes, YamlMap map, bool isNeeded)
    {
        if (map.Find("kind") is null && isNeeded)
            nodes.Faults.Add(map.Mark, $"'kind' is missing: write kind: {Name}");
        else if (nodes.Text(map, "kind", "'kind'") is { } kind && kind != Name)
            nodes.Faults.Add(map.Find("kind")!.Value.Mark, $"'kind' is '{kind}'{(All.Contains(kind) ? $"; here {File} is wanted, kind: {Name}" : $", which is none{Names.Suggest(kind, All)}")}");
    }
}
