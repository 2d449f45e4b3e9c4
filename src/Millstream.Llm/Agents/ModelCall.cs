using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// What a call of the model is recorded with. The messages themselves are not in it, or a job's journal would grow with the square of its turns: they are what
/// the agent's state and the recorded results make of them, and their hash tells a replay that they are the same.
/// </summary>
/// <param name="Model">The model's name or label.</param>
/// <param name="Messages">How many messages it gets.</param>
/// <param name="Hash">The hash of the conversation.</param>
/// <param name="Settings">The hash of instructions, tools and format.</param>
internal sealed record ModelCallInput(string? Model, int Messages, string Hash, string Settings);

/// <summary>One call of the model: a task on an LLM resource that streams text and reasoning as deltas.</summary>
internal sealed class ModelCall(IReadOnlyList<ChatMessage> messages, ChatOptions options, string? model, TaskPolicy policy, Interruption interruption) : AgentTask<ModelCallInput, LlmReply>
{
    public const string TaskId = "model";

    public override string Id => TaskId;

    public override TaskPolicy Policy => policy;

    public override IReadOnlyList<ResourceRequirement> Requirements { get; } = [LlmResource.Requirement(model, TokenEstimate.Of(messages, options))];

    /// <summary>The hash of what does not change from turn to turn.</summary>
    public static string HashOf(ChatOptions options)
    {
        string[] tools = [.. (options.Tools ?? []).OfType<AIFunctionDeclaration>().Select(t => $"{t.Name}\n{t.Description}\n{t.JsonSchema.GetRawText()}")];
        string format = options.ResponseFormat is ChatResponseFormatJson { Schema: { } schema } ? schema.GetRawText() : "";
        byte[] all = JsonSerializer.SerializeToUtf8Bytes(new { options.Instructions, options.Temperature, options.MaxOutputTokens, tools, format }, AIJson.Options);
        return Convert.ToHexStringLower(SHA256.HashData(all).AsSpan(0, 16));
    }

    protected override async Task<LlmReply> RunCoreAsync(ModelCallInput input, TaskContext context)
    {
        LlmResource resource = context.Resource<LlmResource>();
        List<ChatResponseUpdate> shown = [];
        try
        {
            return await resource.CallAsync(messages, options, context, update =>
            {
                shown.Add(update);
                Show(update, context);
            });
        }
        catch (OperationCanceledException) when (interruption.IsWanted)
        {
            // What was said stays said. Calls of tools may be cut, so none of them counts.
            return Partial(shown, resource);
        }
    }

    private LlmReply Partial(List<ChatResponseUpdate> shown, LlmResource resource)
    {
        string text = string.Concat(shown.SelectMany(u => u.Contents).OfType<TextContent>().Select(t => t.Text));
        // Nobody counted what was used, and it is paid for all the same.
        ChatOptions none = new() { MaxOutputTokens = 0 };
        UsageDetails usage = new() { InputTokenCount = TokenEstimate.Of(messages, none), OutputTokenCount = TokenEstimate.Of([new ChatMessage(ChatRole.Assistant, text)], none) };
        return new LlmReply
        {
            Messages = text.Length == 0 ? [] : [new ChatMessage(ChatRole.Assistant, text)],
            Usage = usage, Cost = resource.PriceOf(resource.Endpoint.Model)?.CostOf(usage), Model = resource.Endpoint.Model, Endpoint = resource.Id, FinishReason = LlmReply.Interrupted,
        };
    }

    private static void Show(ChatResponseUpdate update, TaskContext context)
    {
        foreach (AIContent content in update.Contents)
        {
            if (content is TextContent { Text: { Length: > 0 } text })
                context.Delta(text, "text");
            else if (content is TextReasoningContent { Text: { Length: > 0 } reasoning })
                context.Delta(reasoning, "reasoning");
        }
    }
}

/// <summary>Tells a call that it is stopped by an interrupt, so that it gives what was said by then, and not by the end of its job or lease.</summary>
internal sealed class Interruption
{
    private volatile bool _isWanted;

    public bool IsWanted => _isWanted;

    public void Want() => _isWanted = true;
}
