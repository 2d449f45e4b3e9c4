using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What one call of a model gave. It survives as JSON.</summary>
public sealed record LlmReply
{
    /// <summary>The reason of a reply that an interrupt cut off.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>The model's message, or messages.</summary>
    [JsonConverter(typeof(AIJsonConverter<IReadOnlyList<ChatMessage>>))]
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tokens of this call, as the server counted them; where it did not, both counts are null.</summary>
    [JsonConverter(typeof(AIJsonConverter<UsageDetails>))]
    public required UsageDetails Usage { get; init; }

    /// <summary>What it cost in US dollars; null where the model has no price or the tokens were not counted.</summary>
    public decimal? Cost { get; init; }

    /// <summary>The model as the server names it.</summary>
    public required string Model { get; init; }

    /// <summary>The endpoint's id.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Why it ended: <c>stop</c>, <c>length</c>, <c>tool_calls</c>, <c>content_filter</c>, <c>interrupted</c>, or a word of the server's own.</summary>
    public required string FinishReason { get; init; }

    /// <summary>Whether it came from a cassette and no model was asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Replayed { get; init; }

    /// <summary>Ids of tool calls whose arguments are no JSON, and why. Such a call has no arguments in <see cref="Messages"/>.</summary>
    public IReadOnlyDictionary<string, string> ArgumentFaults { get; init; } = new Dictionary<string, string>();

    /// <summary>The text of all messages.</summary>
    [JsonIgnore]
    public string Text => string.Concat(Messages.Select(m => m.Text));
}
