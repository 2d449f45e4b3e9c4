namespace Millstream;

/// <summary>Which limit of an agent is reached, and how far.</summary>
internal sealed record LimitCheck(string Limit, decimal Allowed, decimal Used)
{
    /// <summary>The first limit that leaves no room for another turn; null where there is room.</summary>
    public static LimitCheck? BeforeTurn(LlmState state, DateTimeOffset now)
    {
        LlmLimits limits = state.Limits;
        long tokens = TokensOf(state);
        if (limits.Turns <= state.Turn)
            return new LimitCheck("turns", limits.Turns.Value, state.Turn);
        if (limits.Tokens <= tokens)
            return new LimitCheck("tokens", limits.Tokens.Value, tokens);
        if (limits.Cost <= state.Cost)
            return new LimitCheck("cost", limits.Cost.Value, state.Cost);
        return TimeLeft(state, now) <= TimeSpan.Zero ? new LimitCheck("time", Seconds(limits.Time!.Value), Seconds(now - state.Started!.Value)) : null;
    }

    /// <summary>Whether so many more calls of tools are too many.</summary>
    public static LimitCheck? BeforeCalls(LlmState state, int calls) =>
        state.Limits.ToolCalls < state.ToolCalls + calls ? new LimitCheck("toolCalls", state.Limits.ToolCalls.Value, state.ToolCalls + calls) : null;

    /// <summary>How long the job may still take; null where that is not bounded.</summary>
    public static TimeSpan? TimeLeft(LlmState state, DateTimeOffset now) => state.Limits.Time - (now - (state.Started ?? now));

    public static long TokensOf(LlmState state) => state.Usage.TotalTokenCount ?? ((state.Usage.InputTokenCount ?? 0) + (state.Usage.OutputTokenCount ?? 0));

    public LlmEvent Event(LimitAction action) => new LlmEvent.LimitReached(Limit, Allowed, Used, action);

    /// <summary>What the error says.</summary>
    public string Message(string agent) => Limit switch
    {
        "time" => $"agent {agent} has worked for {Used} s; its limit {Limit} is {Allowed} s",
        "cost" => FormattableString.Invariant($"agent {agent} has cost {Used} US dollars; its limit {Limit} is {Allowed}"),
        _ => FormattableString.Invariant($"agent {agent} used {Used} {Limit}; its limit {Limit} is {Allowed}"),
    } + $"; raise it, or let the agent ask or hand over what it has ({nameof(LlmLimits)}.{nameof(LlmLimits.Action)})";

    private static decimal Seconds(TimeSpan time) => Math.Round((decimal)time.TotalSeconds, 1);
}

/// <summary>An LLM agent used all that it may.</summary>
public sealed class LlmLimitException : MillstreamException
{
    internal LlmLimitException(string message) : base(message)
    {
    }
}

/// <summary>An LLM agent's model did not give the output that the agent has to give.</summary>
public sealed class LlmOutputException : MillstreamException
{
    internal LlmOutputException(string message) : base(message)
    {
    }
}
