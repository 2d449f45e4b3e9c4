namespace Millstream;

internal enum SessionState { Opening, Open, Closed }

/// <summary>
/// The same resources over several tasks, one task at a time. It is opened with the whole gang that it will ever hold;
/// its tasks may add shared units only, so nobody ever waits for an exclusive resource while holding one.
/// </summary>
internal sealed class Session(TaskRequest opening, long idleLimit, long totalLimit)
{
    /// <summary>The request that opens it; its grant holds the resources.</summary>
    public TaskRequest Opening { get; } = opening;

    public SessionState State { get; set; }

    /// <summary>What it holds, while it is open.</summary>
    public Grant? Grant { get; set; }

    public string? CloseReason { get; set; }

    internal long IdleLimit { get; } = idleLimit;

    internal long TotalLimit { get; } = totalLimit;

    internal Grant? Active { get; set; }

    internal SortedSet<TaskRequest> Waiting { get; } = new(Comparer<TaskRequest>.Create(static (a, b) => a == b ? 0 : a.Before(b) ? -1 : 1));

    internal long IdleSince { get; set; }

    internal long DueAt => Active is null
        ? Math.Min(Later(IdleSince, IdleLimit), Later(Grant!.GrantedAt, TotalLimit))
        : Later(Grant!.GrantedAt, TotalLimit);

    private static long Later(long from, long by) => from > long.MaxValue - by ? long.MaxValue : from + by;
}
