namespace Millstream.Cli.Running;

internal enum TaskPhase { Pending, Waiting, Running, Retrying, Completed, Failed, Skipped, Cancelled }

/// <summary>What is known of one task of the workflow while it runs: one line of the view, whatever its number of runs.</summary>
internal sealed class TaskLine(string id, string uses, IReadOnlyList<string> needs, bool isFanOut, TaskLine? parent)
{
    private readonly HashSet<string> _runs = new(StringComparer.Ordinal);

    /// <summary>The id; inside another workflow with the way to it, as in <c>sub/size</c>.</summary>
    public string Id => id;

    public string Uses => uses;

    public IReadOnlyList<string> Needs => needs;

    /// <summary>Whether it may run several times: a task with <c>for_each</c>, or one inside a workflow that has it.</summary>
    public bool IsFanOut => isFanOut;

    /// <summary>The task that runs the workflow it stands in; null in the job's own.</summary>
    public TaskLine? Parent => parent;

    public int Depth => parent is null ? 0 : parent.Depth + 1;

    public TaskPhase Phase { get; set; }

    public int Scheduled => _runs.Count;

    public int Running { get; set; }

    public int Completed { get; set; }

    public int Failed { get; set; }

    public int Retries { get; set; }

    /// <summary>How many runs had output or files cut at their limits.</summary>
    public int Truncated { get; set; }

    public DateTimeOffset? Started { get; set; }

    public DateTimeOffset? Ended { get; set; }

    public string? Error { get; set; }

    /// <summary>The newest line of its output.</summary>
    public string? LastOutput { get; set; }

    public bool IsDone => Phase is TaskPhase.Completed or TaskPhase.Failed or TaskPhase.Skipped or TaskPhase.Cancelled;

    /// <summary>What of its output is missing, for people; null where nothing is.</summary>
    public string? Cut => Truncated == 0 ? null : isFanOut ? $"{Truncated} with output cut at its limit" : "output cut at its limit";

    /// <summary>Notes that a run was asked for. A child job is asked for again when it is tried again.</summary>
    public void Schedule(string run)
    {
        if (_runs.Add(run))
            return;
        Retries++;
        Failed = Math.Max(0, Failed - 1);
    }
}
