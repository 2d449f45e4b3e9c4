namespace Millstream;

/// <summary>
/// A clock that never goes back: the wall clock, and where that was set back, the latest it has said and what has passed since. It looks at the wall
/// clock once a millisecond at most, and at what passes in between. Its owner's lock guards it.
/// </summary>
/// <param name="time">The wall clock, and what measures how much time passes.</param>
/// <param name="from">What it has said before at the most, in UTC ticks.</param>
internal sealed class SteadyClock(TimeProvider time, long from = 0)
{
    private readonly long _look = time.TimestampFrequency / 1_000;
    private long _base = from;
    private long _stamp = time.GetTimestamp();
    private long _fresh = long.MinValue;
    private long _stopped;

    /// <summary>Now, in UTC ticks.</summary>
    public long Read()
    {
        if (_stopped > 0)
            return _stopped;
        long stamp = time.GetTimestamp();
        long passed = _base + time.GetElapsedTime(_stamp, stamp).Ticks;
        if (stamp < _fresh)
            return passed;
        long wall = time.GetUtcNow().UtcTicks;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ClockGoesBack)) return wall;
        if (PlantedBugs.Is(Bug.ClockStandsStill)) return _base = Math.Max(_base, wall);
#endif
        _fresh = stamp + _look;
        if (wall < passed)
            return passed;
        (_base, _stamp) = (wall, stamp);
        return wall;
    }

    /// <summary>Lets it stand still until <see cref="Go"/>.</summary>
    public long Stop() => _stopped = Read();

    public void Go() => _stopped = 0;
}
