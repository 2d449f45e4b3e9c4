namespace Millstream.Simulation;

/// <summary>Virtual time: it stands still until the executor moves it to the next timer that is due.</summary>
/// <param name="random">Chance.</param>
/// <param name="jumps">When and how far somebody sets the wall clock, which timers and timestamps do not follow; null where nobody does.</param>
internal sealed class SimulationTime(Random random, Random? jumps) : TimeProvider
{
    private readonly PriorityQueue<(Timer Timer, int Version), (long Due, int Order)> _timers = new();
    private readonly HashSet<Timer> _armed = [];
    private long _now = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;
    private int _order;
    private long _ahead;

    /// <summary>How much time has passed, whatever the wall clock says.</summary>
    public long Now => _now;

    /// <summary>Whether the wall clock is set forward and back.</summary>
    public bool Jumps => jumps is not null;

    /// <summary>How far the wall clock of another machine is ahead, in ticks.</summary>
    public long NewSkew() => jumps is null ? 0 : Distance(jumps);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>What the timers that are armed belong to.</summary>
    public IEnumerable<object?> Armed => _armed.Where(t => t.Owner is not { IsDead: true }).Select(t => t.State);

    public override DateTimeOffset GetUtcNow() => new(_now + _ahead, TimeSpan.Zero);

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => CreateTimer(callback, state, dueTime, period, null);

    /// <summary>Makes a timer of a process, which ends with it.</summary>
    public ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period, ProcessExecutor? owner)
    {
        if (period != Timeout.InfiniteTimeSpan)
            throw new NotSupportedException("periodic timers are not simulated");
        Timer timer = new(this, callback, state, owner);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves to the next timer and makes all that are due then ready; false when there is none.</summary>
    public bool Advance(SimulationExecutor executor)
    {
        while (_timers.TryPeek(out (Timer Timer, int Version) next, out (long Due, int Order) at))
        {
            if (!next.Timer.IsArmed(next.Version))
            {
                _timers.Dequeue();
                continue;
            }
            _now = Math.Max(_now, at.Due);
            if (jumps?.Next(20) == 0)
                _ahead = Distance(jumps);
            while (_timers.TryPeek(out next, out at) && at.Due <= _now)
            {
                _timers.Dequeue();
                if (next.Timer.IsArmed(next.Version))
                    next.Timer.Due(executor, next.Version);
            }
            return true;
        }
        return false;
    }

    private sealed class Timer(SimulationTime time, TimerCallback callback, object? state, ProcessExecutor? owner) : ITimer
    {
        private int _version;
        private bool _isArmed;

        public object? State => state;

        public ProcessExecutor? Owner => owner;

        public bool IsArmed(int version) => _isArmed && version == _version && owner is not { IsDead: true };

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _version++;
            _isArmed = dueTime >= TimeSpan.Zero;
            if (_isArmed)
            {
                time._armed.Add(this);
                time._timers.Enqueue((this, _version), (time._now + dueTime.Ticks, time._order++));
            }
            else
            {
                time._armed.Remove(this);
            }
            return true;
        }

        public void Due(SimulationExecutor executor, int version)
        {
            _isArmed = false;
            time._armed.Remove(this);
            executor.Add((Action)Fire, null, owner);

            void Fire()
            {
                // A timer that is stopped or set anew while its callback is on the way may fire all the same.
                if (version == _version || time.Coin())
                    callback(state);
            }
        }

        public void Dispose()
        {
            _version++;
            _isArmed = false;
            time._armed.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }

    private static long Distance(Random random) => random.Next(6) switch
    {
        0 => 0,
        1 => TimeSpan.FromHours(random.Next(-48, 48)).Ticks,
        2 => TimeSpan.FromSeconds(random.Next(-10, 10)).Ticks,
        _ => random.Next(-500_000, 500_000),
    };

    private bool Coin() => random.Next(2) == 0;
}
