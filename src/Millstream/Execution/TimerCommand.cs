namespace Millstream;

/// <summary>A timer: a delay, or the end of a token of <see cref="AgentContext.CancelAfter"/>.</summary>
internal sealed class TimerCommand(TimeSpan time, CancellationTokenSource? source) : PendingCommand
{
    // No RunContinuationsAsynchronously: WhenAny and WhenAll would go on in the pool.
    private readonly TaskCompletionSource? _promise = source is null ? new() : null;
    private ITimer? _timer;
    private CancellationToken _token;
    private int _isOver;
    private bool _isStopped;
    private long _due;

    public Task Task => _promise!.Task;

    public override string Waker => $"a timer at {new DateTimeOffset(_due, TimeSpan.Zero):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}";

    public TimerCommand With(CancellationToken token)
    {
        _token = token;
        return this;
    }

    public override JournalEntry CommandEntry()
    {
        _due = Runner.Now + time.Ticks;
        return Entry(EntryKind.TimerSet, payload: _due);
    }

    public override JournalEntry StopEntry() => Entry(EntryKind.TimerStopping);

    public override void Start()
    {
        long left = Math.Max(0, _due - Runner.Engine.UtcTicks);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.TimerTooEarly)) left /= 2;
#endif
        _timer = Runner.Engine.Time.CreateTimer(static state => ((TimerCommand)state!).End(false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Round(TimeSpan.FromTicks(left)), Timeout.InfiniteTimeSpan);
    }

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
            _promise!.TrySetCanceled(_token.IsCancellationRequested ? _token : Runner.CancelledToken);
        }
        else
        {
            _promise!.TrySetResult();
        }
    }

    // A timer that fires a millisecond early would wait again for nothing.
    private static TimeSpan Round(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds));

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
