using System.Security.Cryptography;
using System.Text;
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

    /// <summary>The hash of what is asked beside the conversation.</summary>
    public static string HashOf(ChatOptions options, string? instructions) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{RequestDigest.Of([], options).Options}\n{instructions}")).AsSpan(0, 16));

    /// <summary>Shows a piece of an answer as a delta of the task that asked for it.</summary>
    public static void Show(ChatResponseUpdate update, TaskContext context)
    {
        foreach (AIContent content in update.Contents)
        {
            if (content is TextContent { Text: { Length: > 0 } text })
                context.Delta(text, "text");
            else if (content is TextReasoningContent { Text: { Length: > 0 } reasoning })
                context.Delta(reasoning, "reasoning");
        }
    }

    protected override Task<LlmReply> RunCoreAsync(ModelCallInput input, TaskContext context) =>
        context.Resource<LlmResource>().CallAsync(messages, options, context, update => Show(update, context), interruption.Token);
}

/// <summary>Tells a call that it is stopped by an interrupt, so that it gives what was said by then, and not by the end of its job or lease.</summary>
internal sealed class Interruption
{
    // Never disposed, since the call may still look at it; it holds nothing.
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    /// <summary>Marks it at once and calls whoever listens from the pool: that is the call's code, which must not run in a body's turn.</summary>
    public void Want() => _ = _source.CancelAsync();
}
