using System.Text.Json;

namespace Millstream;

/// <summary>Reads workflows that are text, for agents that make them while they run.</summary>
public interface IWorkflowReader
{
    /// <summary>What one must know to write such a workflow: its form, the kinds of tasks with what they take and give, an example.</summary>
    /// <param name="rules">What it may use.</param>
    string Guide(WorkflowRules rules);

    /// <summary>Reads and checks a text; nothing runs.</summary>
    /// <param name="text">The text.</param>
    /// <param name="rules">What it may use.</param>
    WorkflowReading Read(string text, WorkflowRules rules);
}

/// <summary>What a workflow made at run time may use.</summary>
/// <param name="Kinds">The kinds of tasks; any other is a fault.</param>
/// <param name="Folder">The absolute folder that relative paths mean.</param>
public sealed record WorkflowRules(IReadOnlyList<string> Kinds, string Folder)
{
    /// <summary>The texts of the files that it may name, by the path that it names them by; no file is read from disk.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();
}

/// <summary>What a text is: a workflow that can run, or faults.</summary>
/// <param name="Faults">What is wrong, each with its line; empty where nothing is.</param>
/// <param name="Agent">The agent that runs it; null where something is wrong.</param>
/// <param name="Input">The agent's input.</param>
public sealed record WorkflowReading(IReadOnlyList<string> Faults, Agent? Agent, JsonElement Input);
