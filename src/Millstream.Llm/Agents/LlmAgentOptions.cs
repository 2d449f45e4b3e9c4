using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What an LLM agent is.</summary>
public sealed record LlmAgentOptions
{
    /// <summary>The id by which a registry finds it: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The name for people; the id when null.</summary>
    public string? Name { get; init; }

    /// <summary>The version that a job records.</summary>
    public string Version { get; init; } = "1";

    /// <summary>The system message; null for none.</summary>
    public string? Instructions { get; init; }

    /// <summary>The model's name, or a label of an endpoint; null for any endpoint.</summary>
    public string? Model { get; init; }

    /// <summary>What it may call.</summary>
    public IReadOnlyList<LlmTool> Tools { get; init; } = [];

    /// <summary>MCP servers whose tools it may call.</summary>
    public IReadOnlyList<McpServer> Servers { get; init; } = [];

    /// <summary>What it may use; a limit that is null is that of <see cref="LlmLimits.Default"/>.</summary>
    public LlmLimits Limits { get; init; } = new();

    /// <summary>Temperature, bound of the output and whatever else each call of the model gets. Tools, instructions and the format of the answer are the agent's own.</summary>
    public ChatOptions? Chat { get; init; }

    /// <summary>How the conversation is made shorter for the model; null for never.</summary>
    public ContextPolicy? Context { get; init; }

    /// <summary>How often the model may mend an answer that does not fit the output's type; 2 by default.</summary>
    public int RepairAttempts { get; init; } = 2;

    /// <summary>How calls of the model are retried, beside refusals for rate limits, which are not counted: 4 attempts with 1 s, 2 s and 4 s between them by default.</summary>
    public TaskPolicy CallPolicy { get; init; } = new() { Retry = new RetryPolicy { Attempts = 4, MaxDelay = TimeSpan.FromSeconds(20) } };

    /// <summary>Checks what the compiler cannot.</summary>
    /// <exception cref="ArgumentException">Something is wrong; lists all faults.</exception>
    internal LlmAgentOptions Checked()
    {
        List<string> faults = [];
        if (string.IsNullOrWhiteSpace(Id) || !Words.IsId(Id))
            faults.Add($"{nameof(Id)} '{Id}' must be letters, digits, '_', '-' and '.'");
        if (Limits.Fault() is { } limit)
            faults.Add($"{nameof(Limits)}.{limit}");
        if (RepairAttempts < 0)
            faults.Add($"{nameof(RepairAttempts)} is {RepairAttempts}; give 0 or more");
        if (Chat is { Tools.Count: > 0 })
            faults.Add($"{nameof(Chat)}.{nameof(ChatOptions.Tools)} has tools, which the model could call past the agent; give them in {nameof(Tools)}");
        foreach (IGrouping<string, LlmTool> twice in Tools.GroupBy(t => t.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            faults.Add($"{nameof(Tools)} has {twice.Count()} tools named {twice.Key}; a name may be there once");
        faults.AddRange(Servers.Select(s => s.Fault()).OfType<string>().Select(f => $"{nameof(Servers)}: {f}"));
        foreach (IGrouping<string, McpServer> twice in Servers.GroupBy(s => s.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            faults.Add($"{nameof(Servers)} has {twice.Count()} servers named {twice.Key}; a name may be there once");
        return faults.Count == 0 ? this : throw new ArgumentException($"{nameof(LlmAgentOptions)} of agent '{Id}': {string.Join("; ", faults)}.");
    }
}

/// <summary>When and how a conversation is made shorter. The last round of tool calls with their results is never given to the reducer.</summary>
/// <param name="MaxMessages">The most messages that the model gets without a reduction, beside the system message; 4 or more.</param>
/// <param name="Reducer">What makes it shorter; it runs in a task, so it may ask a model. <see cref="RecentRoundsReducer"/> keeps half when null.</param>
public sealed record ContextPolicy(int MaxMessages, IChatReducer? Reducer = null)
{
    /// <summary>The most messages without a reduction.</summary>
    public int MaxMessages { get; } = MaxMessages >= 4 ? MaxMessages : throw new ArgumentException($"{nameof(ContextPolicy)}.{nameof(MaxMessages)} is {MaxMessages}; give 4 or more.", nameof(MaxMessages));
}
