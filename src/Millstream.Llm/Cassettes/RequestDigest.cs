using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What a request is told apart by: a hash of each message, and one of everything else that it asks. Which endpoint serves it does not count.</summary>
/// <param name="Messages">A hash of each message, in order.</param>
/// <param name="Options">A hash of the tools, the format and the numbers.</param>
internal sealed record RequestDigest(IReadOnlyList<string> Messages, string Options)
{
    // When a message was made and what its server called it says nothing of what is asked.
    private static readonly string[] Passing = ["createdAt", "messageId", "additionalProperties", "rawRepresentation"];

    /// <summary>All of it in one.</summary>
    public string Hash => HashOf(string.Join(' ', Messages.Append(Options)));

    public static RequestDigest Of(IReadOnlyList<ChatMessage> messages, ChatOptions options) =>
        new([.. messages.Select(m => HashOf(JsonSerializer.SerializeToNode(m, AIJson.Options)))], HashOf(JsonSerializer.SerializeToNode(new
        {
            options.Instructions, options.Temperature, options.MaxOutputTokens, options.TopP, options.TopK, options.FrequencyPenalty, options.PresencePenalty, options.Seed,
            options.StopSequences, options.AllowMultipleToolCalls,
            Reasoning = options.Reasoning is { } reasoning ? $"{reasoning.Effort} {reasoning.Output}" : null,
            ToolMode = options.ToolMode switch { null or AutoChatToolMode => null, RequiredChatToolMode required => $"required {required.RequiredFunctionName}", _ => "none" },
            Format = options.ResponseFormat is ChatResponseFormatJson json ? json.Schema?.GetRawText() ?? "json" : null,
            Tools = options.Tools?.Select(t => new { t.Name, t.Description, Schema = (t as AIFunctionDeclaration)?.JsonSchema }).ToArray(),
        }, AIJson.Options)));

    /// <summary>How many messages are the same from the first on.</summary>
    public int SameUpTo(RequestDigest other) => Messages.Zip(other.Messages).TakeWhile(p => p.First == p.Second).Count();

    private static string HashOf(JsonNode? node) => HashOf(Canonical(node)?.ToJsonString() ?? "");

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    private static JsonNode? Canonical(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(fields.Where(f => f.Value is not null && !Passing.Contains(f.Key)).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => KeyValuePair.Create(f.Key, Canonical(f.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Canonical)]),
        _ => node?.DeepClone(),
    };
}
