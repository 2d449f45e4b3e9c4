namespace Millstream;

/// <summary>Whether a person must allow a tool's calls.</summary>
public enum ToolApproval
{
    /// <summary>Calls run at once.</summary>
    Never,

    /// <summary>Each call waits for a <see cref="LlmSignal.ApproveToolCall"/>.</summary>
    Always,
}
