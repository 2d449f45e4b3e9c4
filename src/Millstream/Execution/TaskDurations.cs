namespace Millstream;

/// <summary>
/// How long the last runs of one task of a workflow took that gave an output. Threads that add at the same time may lose a figure, which costs less than a lock at each task.
/// </summary>
internal sealed class TaskDurations
{
    private const int Kept = 16;

    // What one run says about the next: as if one more had been off by this, as the logarithm.
    private const double FirstSpread = 0.3;

    private readonly long[] _ring = new long[Kept];
    private int _count;

    /// <summary>The longest run that was seen, in ticks.</summary>
    public long Longest { get; private set; }

    /// <summary>Adds a run.</summary>
    /// <param name="ticks">How long it took.</param>
    public void Add(long ticks)
    {
        _ring[(uint)_count++ % Kept] = Math.Max(1, ticks);
        if (ticks > Longest)
            Longest = ticks;
    }

    /// <summary>What an author says.</summary>
    public static DurationEstimate Said(TimeSpan time) => new(time.Ticks, FirstSpread);

    /// <summary>How long the next run will take; null where there was none.</summary>
    public DurationEstimate? Estimate()
    {
        int known = Math.Min(_count, Kept);
        if (known == 0)
            return null;
        long[] sorted = [.. _ring.AsSpan(0, known)];
        Array.Sort(sorted);
        long median = sorted[known / 2];
        double squares = FirstSpread * FirstSpread;
        foreach (long ticks in sorted)
            squares += Math.Pow(Math.Log((double)ticks / median), 2);
        return new DurationEstimate(median, Math.Sqrt(squares / known));
    }
}

/// <summary>How long a task will take.</summary>
/// <param name="Ticks">The median.</param>
/// <param name="Spread">The standard deviation of the logarithm of what it is over that.</param>
internal readonly record struct DurationEstimate(long Ticks, double Spread);
