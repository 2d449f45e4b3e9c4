using System.Text.Json;

namespace Millstream;

/// <summary>A kind of task that workflow files name under <c>uses</c>, as <c>sandbox.run</c>: its code, taking and giving JSON.</summary>
/// <param name="Name">The name.</param>
/// <param name="Make">Makes the task for one place in a file.</param>
public sealed record TaskKind(string Name, Func<TaskKindUse, AgentTask<JsonElement, JsonElement>> Make);

/// <summary>Where in a workflow file a kind is used.</summary>
/// <param name="TaskId">The task's id.</param>
/// <param name="Folder">The folder of the file, against which files that it names are found; empty for the current one.</param>
public sealed record TaskKindUse(string TaskId, string Folder)
{
    /// <summary>
    /// The folder that relative paths among a task's values mean: an absolute one where a job may go on in another process, empty for the current one.
    /// </summary>
    public string BaseFolder { get; init; } = "";

    /// <summary>What the files' own reader has read, for kinds that stand beside it.</summary>
    internal object? Texts { get; init; }
}
