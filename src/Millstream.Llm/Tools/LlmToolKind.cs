namespace Millstream;

/// <summary>A kind of tool that agent files name under <c>use</c>.</summary>
/// <param name="Name">The name, as <c>http.get</c>.</param>
/// <param name="Make">Makes the tool that one entry of a file means. Pure: called again when a job is replayed.</param>
public sealed record LlmToolKind(string Name, Func<LlmToolUse, LlmTool> Make);

/// <summary>One entry of a file's tools.</summary>
/// <param name="Spec">What it says.</param>
/// <param name="Folder">The absolute folder that the agent works in.</param>
public sealed record LlmToolUse(LlmToolSpec Spec, string Folder);
