using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What an LLM agent knows between two turns.</summary>
public sealed record LlmState
{
    /// <summary>The conversation as the model gets it, without the system message. No tool call in it is without a result.</summary>
    [JsonConverter(typeof(AIJsonConverter<IReadOnlyList<ChatMessage>>))]
    public IReadOnlyList<ChatMessage> Messages { get; init; } = [];

    /// <summary>A chained hash of all that the conversation ever was: what a call of the model is recorded with instead of the messages.</summary>
    public string Hash { get; init; } = "";

    /// <summary>How many turns were begun.</summary>
    public int Turn { get; init; }

    /// <summary>How many tools were called.</summary>
    public int ToolCalls { get; init; }

    /// <summary>Tokens so far.</summary>
    [JsonConverter(typeof(AIJsonConverter<UsageDetails>))]
    public UsageDetails Usage { get; init; } = new();

    /// <summary>US dollars so far.</summary>
    public decimal Cost { get; init; }

    /// <summary>When the first turn began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>The limits, with what signals changed.</summary>
    public LlmLimits Limits { get; init; } = new();

    /// <summary>How often the model was asked to mend its answer.</summary>
    public int Repairs { get; init; }

    /// <summary>Ids of tool calls that were dropped from the conversation; none is used again.</summary>
    public IReadOnlyList<string> DroppedCalls { get; init; } = [];

    /// <summary>The last text of the model.</summary>
    public string? LastText { get; init; }

    /// <summary>Whether the next turn is the last one, without tools.</summary>
    public bool IsLast { get; init; }

    /// <summary>Whether an interrupt came and the next turn waits for a message.</summary>
    public bool IsInterrupted { get; init; }

    /// <summary>The workflow that a planner made and that runs next.</summary>
    public string? Plan { get; init; }

    /// <summary>How often another plan was made after one had failed.</summary>
    public int Replans { get; init; }

    /// <summary>The tools of MCP servers that the job may call, by server; null before they were asked.</summary>
    public IReadOnlyDictionary<string, McpTools>? Servers { get; init; }

    /// <summary>The agent as data, where it is one.</summary>
    public LlmSpecInput? Spec { get; init; }

    /// <summary>The state with messages at the end of its conversation.</summary>
    internal LlmState With(params IReadOnlyList<ChatMessage> more)
    {
        string hash = Hash;
        foreach (ChatMessage message in more)
            hash = Chained(hash, message);
        return this with { Messages = [.. Messages, .. more], Hash = hash };
    }

    private static string Chained(string hash, ChatMessage message)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, AIJson.Options);
        return Convert.ToHexStringLower(SHA256.HashData([.. System.Text.Encoding.ASCII.GetBytes(hash), .. json]).AsSpan(0, 16));
    }
}
