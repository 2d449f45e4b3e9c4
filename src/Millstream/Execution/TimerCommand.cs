namespace Millstream;

/// <summary>A timer: a delay, or the end of a token of <see cref="AgentContext.CancelAfter"/>.</summary>
internal sealed class TimerCommand(TimeSpan time, CancellationTokenSource? source) : PendingCommand
{
    // No RunContinuationsAsynchronously: WhenAny and WhenAll would go on in the pool.
    private readonly TaskCompletionSource? _promise = source is null ? new() : null;
    private IDisposable? _timer;
    private int _isOver;
    private bool _isStopped;
    private long _due;

    public Task Task => _promise!.Task;

    public override string Waker => $"a timer at {new DateTimeOffset(_due, TimeSpan.Zero):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}";

    public override bool IsPassive => true;

    /// <summary>In UTC ticks.</summary>
    public long Due => _due;

    public override JournalEntry CommandEntry()
    {
        _due = LongTimer.After(Runner.Now, time);
        return Entry(EntryKind.TimerSet, payload: _due);
    }

    public override JournalEntry StopEntry() => Entry(EntryKind.TimerStopping);

    public override void Restore(JournalEntry end) => (_isOver, _isStopped) = (1, end.Kind == EntryKind.TimerStopped);

    public override void Start()
    {
        long left = Math.Max(0, _due - Runner.Journal.Time);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.TimerTooEarly)) left /= 2;
#endif
        IDisposable timer = LongTimer.Start(Runner.Engine.Time, static state => ((TimerCommand)state!).End(false), this, Round(TimeSpan.FromTicks(left)));
        Volatile.Write(ref _timer, timer);
        // It fired, or the process is going, before it was known here.
        if (Volatile.Read(ref _isOver) != 0)
            timer.Dispose();
    }

#if MILLSTREAM_PLANTED_BUGS
    public override void Resume(PastOf past)
    {
        if (PlantedBugs.Is(Bug.TimerNotSetAgain)) return;
        if (PlantedBugs.Is(Bug.TimerSetFromNow)) _due = LongTimer.After(Runner.Journal.Time, time);
        Start();
    }

#endif
    public override void Stop() => End(true);

    /// <summary>Stops without an end: the process is going.</summary>
    public void Detach()
    {
        Interlocked.Exchange(ref _isOver, 1);
        _timer?.Dispose();
    }

    protected override JournalEntry EndEntry() => Entry(_isStopped ? EntryKind.TimerStopped : EntryKind.TimerFired);

    protected override void Settle()
    {
        if (source is not null)
        {
            if (!_isStopped)
                Fire(source);
        }
        else if (_isStopped)
        {
            _promise!.TrySetCanceled(StoppedBy);
        }
        else
        {
            _promise!.TrySetResult();
        }
    }

    // A timer that fires a millisecond early would wait again for nothing.
    private static TimeSpan Round(TimeSpan time) => new((time.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond);

    private static void Fire(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The body was done with it before its time.
        }
    }

    private void End(bool isStopped)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return;
        _isStopped = isStopped;
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.TimerNotStopped))
#endif
        _timer?.Dispose();
        Runner.Enqueue(this);
    }
}
