using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// <c>llm.chat</c> for workflow files: one call of a model. It takes <c>model</c> (a name or a label), <c>prompt</c> or <c>messages</c>, <c>system</c>, <c>temperature</c>, <c>max_tokens</c>
/// and <c>output</c> (a JSON schema), and gives <c>text</c>, <c>json</c>, <c>model</c>, <c>usage</c>, <c>cost</c> (US dollars) and <c>replayed</c>. The text streams as deltas.
/// </summary>
public static class LlmChatKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "llm.chat";

    /// <summary>The kind.</summary>
    public static TaskKind Kind { get; } = new(Name, static use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, RunAsync, RequirementsFor));

    private static IReadOnlyList<ResourceRequirement> RequirementsFor(JsonElement with)
    {
        (string? model, List<ChatMessage> messages, ChatOptions options, _) = Read(with);
        return [LlmResource.Requirement(model, TokenEstimate.Of(messages, options))];
    }

    private static async Task<JsonElement> RunAsync(JsonElement with, TaskContext context)
    {
        (_, List<ChatMessage> messages, ChatOptions options, OutputForm? form) = Read(with);
        LlmReply reply = await context.Resource<LlmResource>().CallAsync(messages, options, context, update => ModelCall.Show(update, context));
        object? json = null;
        if (form is not null && !form.TryRead(reply.Text, out json, out string fault))
            throw new RetryableTaskException(reply.FinishReason == "length"
                ? $"{Name}: the answer was cut at max_tokens, {options.MaxOutputTokens?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "the model's own bound"}, before its JSON was complete; raise max_tokens"
                : $"{Name}: the answer does not fit 'output': {fault}");
        return JsonSerializer.SerializeToElement(new Answer(
            reply.Text, json as JsonElement?, reply.Model, new Tokens(reply.Usage.InputTokenCount, reply.Usage.OutputTokenCount, reply.Usage.CachedInputTokenCount), reply.Cost, reply.Replayed), AgentContract.DefaultOptions);
    }

    private static (string? Model, List<ChatMessage> Messages, ChatOptions Options, OutputForm? Form) Read(JsonElement with)
    {
        List<ChatMessage> messages = [];
        if (Find(with, "system") is { } system)
            messages.Add(new ChatMessage(ChatRole.System, Text(system, "system")));
        if (Find(with, "messages") is { } list)
        {
            if (list.ValueKind is not JsonValueKind.Array)
                throw Wrong("'messages' is no list; give objects with role and content");
            messages.AddRange(list.EnumerateArray().Select(MessageOf));
        }
        if (Find(with, "prompt") is { } prompt)
            messages.Add(new ChatMessage(ChatRole.User, Text(prompt, "prompt")));
        if (!messages.Any(m => m.Role == ChatRole.User))
            throw Wrong("there is nothing to answer; give 'prompt', or 'messages' with one of the user");
        OutputForm? form = FormOf(Find(with, "output"));
        return (Find(with, "model") is { } model ? Text(model, "model") : null, messages, new ChatOptions
        {
            Temperature = Find(with, "temperature") is { } heat ? Number(heat) : null,
            MaxOutputTokens = Find(with, "max_tokens") is { } most ? Whole(most) : null,
            ResponseFormat = form?.Format,
        }, form);
    }

    private static ChatMessage MessageOf(JsonElement message)
    {
        string? role = message.ValueKind is JsonValueKind.Object && Find(message, "role") is { ValueKind: JsonValueKind.String } given ? given.GetString() : null;
        if (role is not ("system" or "user" or "assistant"))
            throw Wrong($"a message has the role '{role}'; give system, user or assistant");
        return new ChatMessage(new ChatRole(role), Find(message, "content") is { } content ? Text(content, "content") : throw Wrong("a message has no content"));
    }

    private static OutputForm? FormOf(JsonElement? schema)
    {
        if (schema is not { } given)
            return null;
        try
        {
            return OutputForm.Of(given);
        }
        catch (ArgumentException e)
        {
            throw Wrong($"'output' is no JSON schema: {e.Message}");
        }
    }

    private static JsonElement? Find(JsonElement of, string name) =>
        of.ValueKind is JsonValueKind.Object && of.TryGetProperty(name, out JsonElement value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    private static string Text(JsonElement value, string name) => value.ValueKind is JsonValueKind.String ? value.GetString()! : throw Wrong($"'{name}' is no text");

    private static float Number(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.GetSingle() is >= 0 and <= 2 and var heat ? heat : throw Wrong($"temperature is {value}; give 0 to 2");

    private static int Whole(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out int most) && most >= 1 ? most : throw Wrong($"max_tokens is {value}; give 1 or more");

    private static TerminalTaskException Wrong(string what) => new($"{Name}: {what}");

    private sealed record Answer(string Text, JsonElement? Json, string Model, Tokens Usage, decimal? Cost, bool Replayed);

    private sealed record Tokens(long? Input, long? Output, long? Cached);
}
