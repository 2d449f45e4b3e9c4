using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>What can be sent to a running LLM agent.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Steer), "steer")]
[JsonDerivedType(typeof(Interrupt), "interrupt")]
[JsonDerivedType(typeof(ApproveToolCall), "approve")]
[JsonDerivedType(typeof(DenyToolCall), "deny")]
[JsonDerivedType(typeof(ChangeLimits), "limits")]
public abstract record LlmSignal
{
    private LlmSignal()
    {
    }

    /// <summary>A message of a user. It enters at the next turn; an agent that was about to answer takes another turn.</summary>
    /// <param name="Text">The message.</param>
    public sealed record Steer(string Text) : LlmSignal;

    /// <summary>Stop what is under way, the model's call and its tools' calls. The agent goes on with the text, or waits for a <see cref="Steer"/>.</summary>
    /// <param name="Text">A message to go on with.</param>
    public sealed record Interrupt(string? Text = null) : LlmSignal;

    /// <summary>A tool call may run.</summary>
    /// <param name="CallId">The call's id.</param>
    /// <param name="Arguments">Other arguments to run it with; null for the model's own.</param>
    public sealed record ApproveToolCall(string CallId, JsonElement? Arguments = null) : LlmSignal;

    /// <summary>A tool call must not run.</summary>
    /// <param name="CallId">The call's id.</param>
    /// <param name="Reason">What the model is told.</param>
    public sealed record DenyToolCall(string CallId, string? Reason = null) : LlmSignal;

    /// <summary>Other limits from now on; a limit that is null stays. An agent that asked because of a limit goes on when nothing is above its limit any more.</summary>
    /// <param name="Limits">The limits.</param>
    public sealed record ChangeLimits(LlmLimits Limits) : LlmSignal;
}
