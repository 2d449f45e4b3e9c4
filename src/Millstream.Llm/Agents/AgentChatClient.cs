using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// An LLM agent as an <see cref="IChatClient"/>: each call is a job, with the conversation as its input. Its text and reasoning stream as they come; the tools that the agent calls
/// itself are shown as calls for information only. Cancelling the call cancels the job. Options of a call are not the agent's and are left aside.
/// </summary>
/// <param name="orchestrator">Where the jobs run. With a store the agent must be registered in it.</param>
/// <param name="agent">The agent.</param>
public sealed class AgentChatClient(AgentOrchestrator orchestrator, LlmAgent<LlmConversation, string> agent) : IChatClient
{
    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        await using Job<string, LlmEvent, LlmSignal> job = await StartAsync(messages);
        using CancellationTokenRegistration cancel = cancellationToken.Register(static job => _ = ((Job)job!).CancelAsync("its caller cancelled"), job);
        string answer = await job.Completion;
        UsageDetails usage = new();
        string? model = null;
        await foreach (LlmEvent e in job.StreamAsync(token: cancellationToken))
        {
            if (e is not LlmEvent.TurnCompleted turn)
                continue;
            usage.Add(turn.Usage);
            model = turn.Model;
        }
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, answer)) { ResponseId = job.Id.Value, ModelId = model, FinishReason = ChatFinishReason.Stop, Usage = usage };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        await using Job<string, LlmEvent, LlmSignal> job = await StartAsync(messages);
        bool isRead = false;
        try
        {
            await foreach (ChatResponseUpdate update in UpdatesAsync(job, cancellationToken))
                yield return update;
            isRead = true;
        }
        finally
        {
            // Whoever stops reading a response does not want the rest of it.
            if (!isRead)
                await job.CancelAsync("its reader is gone");
        }
        await job.Completion;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("millstream", null, agent.Options.Model) : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private Task<Job<string, LlmEvent, LlmSignal>> StartAsync(IEnumerable<ChatMessage> messages) => orchestrator.CreateJobAsync(agent, new LlmConversation([.. messages]));

    private static async IAsyncEnumerable<ChatResponseUpdate> UpdatesAsync(Job<string, LlmEvent, LlmSignal> job, [EnumeratorCancellation] CancellationToken token)
    {
        Dictionary<string, Decoder> decoders = [];
        // Each call of the model is a message, and so is each attempt of one: after a failed one the text begins again.
        int message = 1;
        await foreach (JobEvent e in job.EventsAsync(token: token))
        {
            if (e.Kind == JobEventKinds.TaskDelta && e.Task == ModelCall.TaskId && !e.Job.IsChild)
            {
                if (!decoders.TryGetValue($"{e.Stream}{e.Attempt}", out Decoder? decoder))
                    decoders[$"{e.Stream}{e.Attempt}"] = decoder = Encoding.UTF8.GetDecoder();
                char[] text = new char[Encoding.UTF8.GetMaxCharCount(e.Bytes.Length)];
                string said = new(text, 0, decoder.GetChars(e.Bytes.Span, text, flush: false));
                if (said.Length > 0)
                    yield return Update(job, e, message, e.Stream == "reasoning" ? new TextReasoningContent(said) : new TextContent(said));
            }
            else if (e.Kind == JobEventKinds.Superseded && e.Task == ModelCall.TaskId && !e.Job.IsChild)
            {
                decoders.Clear();
                message++;
            }
            else if (e.Value is LlmEvent said && !e.Job.IsChild && ContentOf(said) is { } content)
            {
                yield return Update(job, e, message, content);
                if (said is LlmEvent.TurnCompleted)
                {
                    decoders.Clear();
                    message++;
                }
            }
        }
    }

    private static ChatResponseUpdate Update(Job job, JobEvent e, int message, AIContent content) =>
        new(content is FunctionResultContent ? ChatRole.Tool : ChatRole.Assistant, [content]) { ResponseId = job.Id.Value, MessageId = $"{job.Id}-{message}{(content is FunctionResultContent ? "-tools" : "")}", CreatedAt = e.Time };

    private static AIContent? ContentOf(LlmEvent e) => e switch
    {
        LlmEvent.ToolCallRequested requested => new FunctionCallContent(requested.Call.CallId, requested.Call.Name, requested.Call.Arguments) { InformationalOnly = true },
        LlmEvent.ToolCallCompleted completed => completed.Result,
        LlmEvent.ToolCallFailed failed => new FunctionResultContent(failed.CallId, $"error: {failed.Error}"),
        LlmEvent.TurnCompleted turn => new UsageContent(turn.Usage),
        _ => null,
    };
}
