using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

/// <summary>A model that says what a test has written: one turn for each call, in order. A turn waits at its gates, never for time.</summary>
internal sealed class ScriptedChatClient : IChatClient
{
    private readonly Lock _lock = new();
    private readonly Queue<Step[]> _turns = new();
    private readonly List<Request> _requests = [];

    /// <summary>What was asked, in the order of the calls.</summary>
    public IReadOnlyList<Request> Requests
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <summary>Adds a turn of pieces.</summary>
    public ScriptedChatClient Turn(params Step[] steps)
    {
        lock (_lock)
            _turns.Enqueue(steps);
        return this;
    }

    /// <summary>A turn that says a text, word by word.</summary>
    public ScriptedChatClient Says(string text, long input = 10, long output = 5) => Turn([.. Words(text).Select(w => (Step)w), Usage(input, output), Stop()]);

    /// <summary>A turn that calls tools.</summary>
    public ScriptedChatClient Calls(params FunctionCallContent[] calls) =>
        Turn(new Step(new ChatResponseUpdate(ChatRole.Assistant, [.. calls])), Usage(10, 5), Stop(ChatFinishReason.ToolCalls));

    /// <summary>A turn that fails.</summary>
    public ScriptedChatClient Throws(Exception error) => Turn(new Step(Error: error));

    public static FunctionCallContent Call(string id, string name, params (string Name, object? Value)[] arguments) =>
        new(id, name, arguments.ToDictionary(a => a.Name, a => a.Value));

    public static Step Text(string text) => text;

    public static Step Reasoning(string text) => new(new ChatResponseUpdate(ChatRole.Assistant, [new TextReasoningContent(text)]));

    public static Step Usage(long input, long output) => new(new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = input, OutputTokenCount = output, TotalTokenCount = input + output })]));

    public static Step Stop(ChatFinishReason? reason = null) => new(new ChatResponseUpdate(ChatRole.Assistant, []) { FinishReason = reason ?? ChatFinishReason.Stop });

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Step[] turn;
        int number;
        lock (_lock)
        {
            _requests.Add(new Request([.. messages], options));
            number = _requests.Count;
            if (!_turns.TryDequeue(out turn!))
                throw new TerminalTaskException($"the script has no turn {number}");
        }
        string id = $"response-{number}";
        foreach (Step step in turn)
        {
            if (step.Error is { } error)
                throw error;
            if (step.Gate is { } gate)
            {
                await gate.PassAsync(cancellationToken);
                continue;
            }
            cancellationToken.ThrowIfCancellationRequested();
            ChatResponseUpdate update = step.Update!.Clone();
            (update.ResponseId, update.MessageId, update.ModelId) = (id, id, "scripted-model");
            yield return update;
        }
    }

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    private static IEnumerable<string> Words(string text)
    {
        int from = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == ' ' || i == text.Length - 1)
            {
                yield return text[from..(i + 1)];
                from = i + 1;
            }
        }
    }

    internal sealed record Request(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options);

    /// <summary>A piece of a turn, a gate before the next one, or an error.</summary>
    internal sealed record Step(ChatResponseUpdate? Update = null, Gate? Gate = null, Exception? Error = null)
    {
        public static implicit operator Step(string text) => new(new ChatResponseUpdate(ChatRole.Assistant, text));

        public static implicit operator Step(Gate gate) => new(Gate: gate);

        public static implicit operator Step(Exception error) => new(Error: error);
    }

}

/// <summary>Where a script waits until the test opens it.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when the script is there.</summary>
    public Task Reached => _reached.Task;

    public void Open() => _opened.TrySetResult();

    public Task PassAsync(CancellationToken token)
    {
        _reached.TrySetResult();
        return _opened.Task.WaitAsync(token);
    }
}
