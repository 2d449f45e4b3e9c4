using Millstream.Definitions;

namespace Millstream.Cli.Running;

internal enum TaskPhase { Pending, Waiting, Running, Retrying, Completed, Failed, Skipped, Cancelled }

/// <summary>What is known of one task of the workflow while it runs: one line of the view, whatever its number of runs.</summary>
/// <param name="id">The id; inside another workflow with the way to it, as in <c>sub/size</c>.</param>
/// <param name="task">Its definition.</param>
/// <param name="needs">The ids of the lines that it waits for.</param>
/// <param name="parent">The task that runs the workflow it stands in; null in the job's own.</param>
internal sealed class TaskLine(string id, TaskDefinition task, IReadOnlyList<string> needs, TaskLine? parent)
{
    private readonly HashSet<string> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _lacking = new(StringComparer.Ordinal);

    public string Id => id;

    public string Uses => task.Uses;

    public int? MaxParallel => task.MaxParallel;

    public IReadOnlyList<string> Needs => needs;

    /// <summary>Whether it may run several times: a task with <c>for_each</c>, or one inside a workflow that has it.</summary>
    public bool IsFanOut => task.IsForEach || parent is { IsFanOut: true };

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

    /// <summary>Told to stop and stopped, by no fault of its own.</summary>
    public bool IsStopped { get; set; }

    /// <summary>When it was asked for first.</summary>
    public DateTimeOffset? Asked { get; set; }

    /// <summary>When its last attempt began; of a fan-out its first run.</summary>
    public DateTimeOffset? Started { get; set; }

    /// <summary>How long it waited for its resources before it began.</summary>
    public TimeSpan Waited { get; set; }

    public DateTimeOffset? Ended { get; set; }

    public string? Error { get; set; }

    /// <summary>The newest line of its output.</summary>
    public string? LastOutput { get; set; }

    /// <summary>The file that it wrote.</summary>
    public string? Written { get; set; }

    public bool IsDone => Phase is TaskPhase.Completed or TaskPhase.Failed or TaskPhase.Skipped or TaskPhase.Cancelled;

    /// <summary>What of its output is missing or where it is, for people; null where there is nothing to say.</summary>
    public string? Note => Truncated == 0 ? (Written is null ? null : $"wrote {OutputText.Clean(Written)}") : IsFanOut ? $"{Truncated} with output cut at its limit" : "output cut at its limit";

    /// <summary>Notes that a run began: a fan-out counts from its first, any other task from its last attempt.</summary>
    public void Start(string run, DateTimeOffset time)
    {
        _lacking.Remove(run);
        Running++;
        Phase = TaskPhase.Running;
        if (Started is null)
            Waited = time - (Asked ?? time);
        if (Started is null || !IsFanOut)
            Started = time;
    }

    /// <summary>Notes that a run waits for what this process lacks. Told again for another reason, without a beginning in between.</summary>
    public void Wait(string run)
    {
        if (_lacking.Add(run))
            Running = Math.Max(0, Running - 1);
        Phase = Running > 0 ? TaskPhase.Running : TaskPhase.Waiting;
    }

    /// <summary>Notes that a run was asked for. A child job is asked for again when it is tried again.</summary>
    public void Schedule(string run)
    {
        if (_runs.Add(run))
            return;
        Retries++;
        Failed = Math.Max(0, Failed - 1);
    }
}
