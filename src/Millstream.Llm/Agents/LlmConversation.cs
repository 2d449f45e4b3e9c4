using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>The messages of a conversation, as the input of an agent.</summary>
/// <param name="Messages">The messages, oldest first. A system message goes behind the agent's own instructions.</param>
public sealed record LlmConversation([property: JsonConverter(typeof(AIJsonConverter<IReadOnlyList<ChatMessage>>))] IReadOnlyList<ChatMessage> Messages);
