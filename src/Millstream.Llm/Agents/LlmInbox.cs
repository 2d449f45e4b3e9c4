using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>The signals of one turn, sorted: messages for the next turn, decisions on tool calls, an interrupt, other limits.</summary>
internal sealed class LlmInbox(AgentContext<LlmEvent, LlmSignal> context)
{
    private readonly Dictionary<string, LlmSignal> _decisions = new(StringComparer.Ordinal);
    private readonly List<string> _messages = [];
    private LlmLimits? _limits;

    /// <summary>Calls for which a decision is wanted; decisions on others are told as ignored.</summary>
    public HashSet<string> Awaited { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether an interrupt came that was not taken in yet.</summary>
    public bool IsInterrupted { get; private set; }

    public bool HasMessages => _messages.Count > 0;

    /// <summary>Waits for a signal or until the work is done, and takes what is there.</summary>
    public async Task WaitAsync(params IReadOnlyList<Task> work)
    {
        await Task.WhenAny([.. work, context.Signals.WaitToReadAsync()]);
        Drain();
    }

    /// <summary>Takes what is there.</summary>
    public void Drain()
    {
        while (context.Signals.TryRead(out LlmSignal? signal))
            Take(signal);
    }

    /// <summary>The decision on a call, once; null where there is none.</summary>
    public LlmSignal? Decision(string callId) => _decisions.Remove(callId, out LlmSignal? decision) ? decision : null;

    /// <summary>The state with the limits that came; messages stay for later.</summary>
    public LlmState WithLimits(LlmState state)
    {
        if (_limits is not { } limits)
            return state;
        _limits = null;
        return state with { Limits = limits.Or(state.Limits) };
    }

    /// <summary>The state with all that came: limits, messages at the end of the conversation, and an interrupt, after which the agent waits for a message unless one came.</summary>
    public LlmState TakeIn(LlmState state)
    {
        state = WithLimits(state);
        if (IsInterrupted)
        {
            IsInterrupted = false;
            context.Emit(new LlmEvent.Interrupted());
            state = state with { IsInterrupted = true };
        }
        foreach (string text in _messages)
        {
            context.Emit(new LlmEvent.Steered(text));
            state = state.With(new ChatMessage(ChatRole.User, text)) with { IsInterrupted = false };
        }
        _messages.Clear();
        return state;
    }

    /// <summary>Tells of messages that nothing comes after.</summary>
    public void RefuseMessages(string why)
    {
        foreach (string text in _messages)
            context.Emit(new LlmEvent.SignalIgnored("steer", $"{why}; '{text}' came too late"));
        _messages.Clear();
    }

    private void Take(LlmSignal signal)
    {
        switch (signal)
        {
            case LlmSignal.Steer { Text: { } text }:
                _messages.Add(text);
                break;
            case LlmSignal.Interrupt interrupt:
                IsInterrupted = true;
                if (interrupt.Text is { Length: > 0 } instead)
                    _messages.Add(instead);
                break;
            case LlmSignal.ApproveToolCall { CallId: var id } when Awaited.Remove(id):
                _decisions[id] = signal;
                break;
            case LlmSignal.DenyToolCall { CallId: var id } when Awaited.Remove(id):
                _decisions[id] = signal;
                break;
            case LlmSignal.ApproveToolCall { CallId: var id }:
                Ignore("approve", id);
                break;
            case LlmSignal.DenyToolCall { CallId: var id }:
                Ignore("deny", id);
                break;
            case LlmSignal.ChangeLimits { Limits: { } limits } when limits.Fault() is { } fault:
                context.Emit(new LlmEvent.SignalIgnored("limits", fault));
                break;
            case LlmSignal.ChangeLimits { Limits: { } limits }:
                _limits = limits.Or(_limits ?? new LlmLimits());
                break;
        }
    }

    private void Ignore(string signal, string id) =>
        context.Emit(new LlmEvent.SignalIgnored(signal, $"no tool call '{id}' waits for it; {(Awaited.Count == 0 ? "none waits now" : $"there wait {string.Join(", ", Awaited.Order(StringComparer.Ordinal))}")}"));
}
