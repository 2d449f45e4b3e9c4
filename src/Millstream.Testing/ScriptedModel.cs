using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// A model that says what a test wrote, turn by turn, as a stream. What it was asked is in <see cref="Requests"/>. It is for tests only: a script that has no turn left fails the call and
/// says what was asked.
/// </summary>
public sealed class ScriptedModel : IChatClient
{
    private readonly Lock _gate = new();
    private readonly Queue<Func<ScriptedRequest, ScriptedTurn>> _turns = new();
    private readonly List<ScriptedRequest> _requests = [];
    private readonly Dictionary<int, TaskCompletionSource> _arrivals = [];
    private Func<ScriptedRequest, ScriptedTurn>? _always;

    /// <summary>What it was asked, in order.</summary>
    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    /// <summary>The next turn says a text, a word at a time.</summary>
    public ScriptedModel Say(string text) => Then(new ScriptedTurn().Say(text));

    /// <summary>The next turn calls one tool.</summary>
    /// <param name="tool">The tool's name.</param>
    /// <param name="arguments">An object whose properties are the arguments.</param>
    /// <param name="callId">The call's id; one of its own when null.</param>
    public ScriptedModel Call(string tool, object? arguments = null, string? callId = null) => Then(new ScriptedTurn().Call(tool, arguments, callId));

    /// <summary>The next turn fails.</summary>
    public ScriptedModel Fail(Exception error) => Then(new ScriptedTurn().Fail(error));

    /// <summary>The next turn.</summary>
    public ScriptedModel Then(ScriptedTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        return Then(_ => turn);
    }

    /// <summary>The next turn, made of what is asked.</summary>
    public ScriptedModel Then(Func<ScriptedRequest, ScriptedTurn> turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        lock (_gate)
            _turns.Enqueue(turn);
        return this;
    }

    /// <summary>Every turn for which none was written, made of what is asked: for several jobs at once.</summary>
    public ScriptedModel Always(Func<ScriptedRequest, ScriptedTurn> turn)
    {
        _always = turn;
        return this;
    }

    /// <summary>Done when so many requests have come.</summary>
    public Task ArrivedAsync(int requests)
    {
        lock (_gate)
        {
            if (_requests.Count >= requests)
                return Task.CompletedTask;
            if (!_arrivals.TryGetValue(requests, out TaskCompletionSource? waiting))
                _arrivals[requests] = waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return waiting.Task;
        }
    }

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ScriptedTurn turn = Next(messages, options);
        string id = Guid.NewGuid().ToString("n");
        foreach (object part in turn.Parts)
        {
            switch (part)
            {
                case Task gate:
                    await gate.WaitAsync(cancellationToken);
                    break;
                case Exception error:
                    throw error;
                case AIContent content:
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return new ChatResponseUpdate(ChatRole.Assistant, [content]) { MessageId = id, ResponseId = id, ModelId = "scripted" };
                    break;
            }
        }
        bool calls = turn.Parts.OfType<FunctionCallContent>().Any();
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(turn.Usage)])
        {
            MessageId = id, ResponseId = id, ModelId = "scripted", FinishReason = calls ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "scripted") : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private ScriptedTurn Next(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ScriptedRequest request = new([.. messages], options);
        Func<ScriptedRequest, ScriptedTurn>? turn;
        TaskCompletionSource? arrived;
        lock (_gate)
        {
            _requests.Add(request);
            _arrivals.Remove(_requests.Count, out arrived);
            if (!_turns.TryDequeue(out turn))
                turn = _always;
        }
        arrived?.TrySetResult();
        return (turn ?? throw new InvalidOperationException($"the script has no turn left; it was asked: {request}"))(request);
    }
}

/// <summary>What a scripted model was asked.</summary>
/// <param name="Messages">The conversation.</param>
/// <param name="Options">The options, with the tools.</param>
public sealed record ScriptedRequest(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)
{
    /// <summary>The text of the last message.</summary>
    public string LastText => Messages.Count == 0 ? "" : Messages[^1].Text;

    /// <summary>The results of tools at the end of the conversation, by call id, as the model sees them.</summary>
    public IReadOnlyDictionary<string, string> Results => Messages.Count == 0 ? new Dictionary<string, string>()
        : Messages[^1].Contents.OfType<FunctionResultContent>().ToDictionary(r => r.CallId, r => r.Result?.ToString() ?? "");

    /// <summary>The last message, shortly.</summary>
    public override string ToString() => Messages.Count == 0 ? "nothing" : $"{Messages[^1].Role}: {(LastText.Length > 0 ? LastText : string.Join(", ", Results.Values))}";
}

/// <summary>What a scripted model says in one turn.</summary>
public sealed class ScriptedTurn
{
    private int _calls;

    internal List<object> Parts { get; } = [];

    /// <summary>The tokens that it says it used; 10 in and 5 out by default.</summary>
    public UsageDetails Usage { get; set; } = new() { InputTokenCount = 10, OutputTokenCount = 5, TotalTokenCount = 15 };

    /// <summary>Says a text, a word at a time.</summary>
    public ScriptedTurn Say(string text)
    {
        Parts.AddRange(Words(text).Select(w => new TextContent(w)));
        return this;
    }

    /// <summary>Shows reasoning, a word at a time.</summary>
    public ScriptedTurn Think(string text)
    {
        Parts.AddRange(Words(text).Select(w => new TextReasoningContent(w)));
        return this;
    }

    /// <summary>Calls a tool.</summary>
    /// <param name="tool">The tool's name.</param>
    /// <param name="arguments">An object whose properties are the arguments.</param>
    /// <param name="callId">The call's id; one of its own when null.</param>
    public ScriptedTurn Call(string tool, object? arguments = null, string? callId = null)
    {
        Dictionary<string, object?> given = JsonSerializer.SerializeToElement(arguments ?? new { }).EnumerateObject().ToDictionary(a => a.Name, a => (object?)a.Value);
        return Add(new FunctionCallContent(callId ?? $"c{++_calls}-{Guid.NewGuid():n}", tool, given));
    }

    /// <summary>Gives some content.</summary>
    public ScriptedTurn Add(AIContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        Parts.Add(content);
        return this;
    }

    /// <summary>Goes on when the task is done.</summary>
    public ScriptedTurn Wait(Task gate)
    {
        ArgumentNullException.ThrowIfNull(gate);
        Parts.Add(gate);
        return this;
    }

    /// <summary>Breaks off.</summary>
    public ScriptedTurn Fail(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        Parts.Add(error);
        return this;
    }

    // Behind each space, so that what is streamed is the text again.
    private static IEnumerable<string> Words(string text)
    {
        for (int from = 0; from < text.Length;)
        {
            int space = text.IndexOf(' ', from);
            int to = space < 0 ? text.Length : space + 1;
            yield return text[from..to];
            from = to;
        }
    }
}
