namespace Millstream;

/// <summary>
/// A clock that moves only when a test says so. Timers fire in the order of their times, those of the same time in the order in which they were set, and each sees the time for which it was
/// set. Safe from any thread.
/// </summary>
/// <param name="start">What it says first; 2030-01-01 in UTC by default.</param>
public sealed class VirtualTime(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<(Timer Timer, int Version), (long Due, long Order)> _timers = new();
    private readonly List<(DateTimeOffset Due, TaskCompletionSource Set)> _awaited = [];
    private long _now = (start ?? new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)).UtcTicks;
    private long _order;

    /// <summary>Now, in UTC.</summary>
    public DateTimeOffset Now => GetUtcNow();

    /// <summary>When the next timer is due; null where none is set.</summary>
    public DateTimeOffset? NextTimer
    {
        get
        {
            lock (_gate)
                return NextDue() is { } due ? new DateTimeOffset(due, TimeSpan.Zero) : null;
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How callbacks run; null for on the thread that moves the time.</summary>
    internal Action<Action>? Runs { get; set; }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _now), TimeSpan.Zero);

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Read(ref _now);

    /// <summary>Makes a timer. One that is due at once fires at once, on a thread of the pool where no <see cref="TestHost"/> has this clock.</summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Timer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the time on and fires the timers on the way. Callbacks have run when it returns, except on the clock of a <see cref="TestHost"/>: see <see cref="TestHost.AdvanceAsync"/>.</summary>
    /// <param name="by">How far, zero or more.</param>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long until = Interlocked.Read(ref _now) + by.Ticks;
        while (FireNext(until) is not null)
        {
        }
        lock (_gate)
            _now = Math.Max(_now, until);
    }

    /// <summary>Moves the time to the next timer and fires all that are due then.</summary>
    /// <returns>False where no timer is set; then the time stands.</returns>
    public bool AdvanceToNextTimer()
    {
        if (NextTimer is not { } next)
            return false;
        Advance(next > Now ? next - Now : TimeSpan.Zero);
        return true;
    }

    /// <summary>Done when a timer is set that is due by then: for code of a task that waits on this clock, which a test cannot see otherwise.</summary>
    /// <param name="within">How far from now.</param>
    public Task UntilTimerAsync(TimeSpan within)
    {
        lock (_gate)
        {
            long latest = _now + within.Ticks;
            if (NextDue() <= latest)
                return Task.CompletedTask;
            TaskCompletionSource set = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((new DateTimeOffset(latest, TimeSpan.Zero), set));
            return set.Task;
        }
    }

    /// <summary>Fires the next timer if it is due by a time; gives what it belongs to, or null where none is.</summary>
    internal object? FireNext(long until)
    {
        Timer timer;
        int version;
        lock (_gate)
        {
            if (NextDue() is not { } due || due > until)
                return null;
            (timer, version) = _timers.Dequeue();
            _now = Math.Max(_now, due);
        }
        timer.Fire(version, Runs ?? (static callback => callback()));
        return timer.State ?? this;
    }

    // What was stopped or set anew stays in the queue until it is its turn. Under the gate.
    private long? NextDue()
    {
        while (_timers.TryPeek(out (Timer Timer, int Version) next, out (long Due, long) at))
        {
            if (next.Timer.Version == next.Version)
                return at.Due;
            _timers.Dequeue();
        }
        return null;
    }

    private sealed class Timer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        private bool _isDisposed;

        public object? State => state;

        // It changes whenever what was set before does not count any more.
        public int Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                if (_isDisposed)
                    return false;
                Version++;
                _period = period;
                if (dueTime < TimeSpan.Zero)
                    return true;
                Set(dueTime);
            }
            // Whoever sets a timer may hold a lock that its callback takes.
            if (dueTime == TimeSpan.Zero)
                (time.Runs ?? (static callback => ThreadPool.UnsafeQueueUserWorkItem(static c => c(), callback, preferLocal: false)))(() => time.Advance(TimeSpan.Zero));
            return true;
        }

        public void Fire(int version, Action<Action> run)
        {
            lock (time._gate)
            {
                if (_period > TimeSpan.Zero && version == Version)
                    Set(_period);
            }
            run(() =>
            {
                // It may have been stopped while it was on its way.
                if (version == Version)
                    callback(state);
            });
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                _isDisposed = true;
                Version++;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        private void Set(TimeSpan dueTime)
        {
            long due = time._now + dueTime.Ticks;
            time._timers.Enqueue((this, Version), (due, time._order++));
            time._awaited.RemoveAll(a => a.Due.UtcTicks >= due && a.Set.TrySetResult());
        }
    }
}
