using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>What an agent does when a limit is reached.</summary>
public enum LimitAction
{
    /// <summary>It fails, naming the limit.</summary>
    Stop,

    /// <summary>It waits for a <see cref="LlmSignal.ChangeLimits"/>.</summary>
    Ask,

    /// <summary>It ends with what it has. The last turn, and the one after the last tool call, are without tools, so the model answers in them; at the other limits its last text counts.</summary>
    HandOver,
}

/// <summary>What a job of an LLM agent may use. A limit that is null does not bound.</summary>
public sealed record LlmLimits
{
    /// <summary>Calls of the model.</summary>
    public int? Turns { get; init; }

    /// <summary>Calls of tools.</summary>
    public int? ToolCalls { get; init; }

    /// <summary>Tokens in and out, over all turns. Agents that it calls have limits of their own.</summary>
    public long? Tokens { get; init; }

    /// <summary>US dollars, for its own turns; agents that it calls have limits of their own. Where the model has no price, the agent fails at its first turn and says so.</summary>
    public decimal? Cost { get; init; }

    /// <summary>Time since the job began.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>How many jobs may stand above one that still calls agents or workflows as tools: 0 for none but this, 1 for those that it calls, too. Workflows count as jobs.</summary>
    public int? Depth { get; init; }

    /// <summary>What happens; <see cref="LimitAction.Stop"/> unless said otherwise. The limit of depth is told to the model whatever this says.</summary>
    public LimitAction? Action { get; init; }

    /// <summary>The limits of an agent that names none: 50 turns, 200 tool calls, a depth of 3.</summary>
    public static LlmLimits Default { get; } = new() { Turns = 50, ToolCalls = 200, Depth = 3 };

    /// <summary>These limits, and the other's where these have none.</summary>
    public LlmLimits Or(LlmLimits other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new LlmLimits
        {
            Turns = Turns ?? other.Turns,
            ToolCalls = ToolCalls ?? other.ToolCalls,
            Tokens = Tokens ?? other.Tokens,
            Cost = Cost ?? other.Cost,
            Time = Time ?? other.Time,
            Depth = Depth ?? other.Depth,
            Action = Action ?? other.Action,
        };
    }

    /// <summary>What is wrong with them; null where nothing is.</summary>
    internal string? Fault() =>
        Turns < 1 ? $"{nameof(Turns)} is {Turns}; give 1 or more"
        : ToolCalls < 0 ? $"{nameof(ToolCalls)} is {ToolCalls}; give 0 or more"
        : Tokens < 1 ? $"{nameof(Tokens)} is {Tokens}; give 1 or more"
        : Cost < 0 ? $"{nameof(Cost)} is {Cost}; give 0 or more"
        : Time <= TimeSpan.Zero ? $"{nameof(Time)} is {Time}; give more than zero"
        : Depth < 0 ? $"{nameof(Depth)} is {Depth}; give 0 or more"
        : null;
}
