namespace Millstream.Definitions;

/// <summary>Reads agent files (YAML or JSON, <c>kind: agent</c>). Nothing of an agent runs while it is read.</summary>
public static class AgentFile
{
    /// <summary>Reads and validates a file and the files that it names.</summary>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static AgentDefinition Read(string path, WorkflowLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(path, limits ?? WorkflowLimits.Default, hasAgents: true);
    }

    /// <summary>Reads and validates text.</summary>
    /// <param name="text">The YAML or JSON text.</param>
    /// <param name="path">The file it came from: named in faults, and other files are found relative to it. Empty for none.</param>
    /// <param name="limits">Bounds on the text; the defaults when null.</param>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static AgentDefinition Parse(string text, string path = "", WorkflowLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text, new FilePlace(path, new WorkflowTexts(), limits ?? WorkflowLimits.Default, [], HasAgents: true));
    }

    /// <summary>Reads a file for a host that has no agents in code, so that a workflow's task that names one is a fault.</summary>
    internal static AgentDefinition ReadWithoutAgents(string path) => Read(path, WorkflowLimits.Default, hasAgents: false);

    internal static AgentDefinition Parse(string text, FilePlace place) =>
        WorkflowFile.Parse(text, place, FileKind.Agent, (faults, root) => new AgentReader(faults, text, place).Read(root));

    private static AgentDefinition Read(string path, WorkflowLimits limits, bool hasAgents)
    {
        var texts = new WorkflowTexts();
        return Parse(texts.Load(path, limits), new FilePlace(path, texts, limits, [], hasAgents));
    }
}
