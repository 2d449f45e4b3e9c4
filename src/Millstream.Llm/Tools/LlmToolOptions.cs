namespace Millstream;

/// <summary>How an LLM agent may call a tool.</summary>
public sealed record LlmToolOptions
{
    private readonly int _outputLimit = LlmTool.DefaultOutputLimit;

    /// <summary>The name that the model calls it by, 1 to 64 letters, digits, <c>_</c> and <c>-</c>; that of the function, task or agent when null.</summary>
    public string? Name { get; init; }

    /// <summary>What the model reads about it; that of the function when null.</summary>
    public string? Description { get; init; }

    /// <summary>Whether a person must allow each call; when null, a function says so itself and anything else needs no one.</summary>
    public ToolApproval? Approval { get; init; }

    /// <summary>How many characters of a result the model gets; what is longer is cut in the middle, and the cut is told.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int OutputLimit
    {
        get => _outputLimit;
        init => _outputLimit = value >= 1 ? value : throw new ArgumentException($"{nameof(LlmToolOptions)}.{nameof(OutputLimit)} is {value}; give 1 or more characters.", nameof(value));
    }

    /// <summary>What each call needs of resources, beside what a task needs itself. Agents and workflows take none: the tasks in them lease what they need.</summary>
    public IReadOnlyList<ResourceRequirement> Requirements { get; init; } = [];

    /// <summary>How calls are retried and how long one may take; when null a task's own policy, for a function one attempt without a bound.</summary>
    public TaskPolicy? Policy { get; init; }
}
