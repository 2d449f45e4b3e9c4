namespace Millstream;

/// <summary>
/// What an endpoint's last calls say of it. After <see cref="Threshold"/> failures in a row it is left alone, longer each time, and then tried with one call at a
/// time until one succeeds. Calls that began before it was left alone say nothing more of it.
/// </summary>
internal sealed class CircuitBreaker(Resource resource)
{
    public const int Threshold = 3;

    private static readonly TimeSpan FirstOpen = TimeSpan.FromSeconds(5), LongestOpen = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstBusy = TimeSpan.FromSeconds(1), LongestBusy = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private int _period;
    private int _failures;
    private int _opened;
    private int _busy;
    private bool _isHalfOpen;

    // What the resource is yet to be told. One thread tells it, in order and outside the lock, since what hears it may begin calls.
    private readonly Queue<Action> _untold = new();
    private bool _isTelling;

    /// <summary>What a call has to give back with its end.</summary>
    public int Period
    {
        get
        {
            lock (_lock)
                return _period;
        }
    }

    /// <summary>It did what it was asked.</summary>
    /// <param name="period">What <see cref="Period"/> was when the call began.</param>
    public void Succeeded(int period)
    {
        lock (_lock)
        {
            if (period != _period)
                return;
            (_failures, _opened, _busy) = (0, 0, 0);
            if (!_isHalfOpen)
                return;
            _isHalfOpen = false;
            _untold.Enqueue(() => resource.Throttle(null));
        }
        Tell();
    }

    /// <summary>It did not do what it was asked.</summary>
    /// <param name="period">What <see cref="Period"/> was when the call began.</param>
    /// <param name="now">The time.</param>
    /// <param name="why">Why, for who waits.</param>
    /// <returns>Until when it is left alone; null where it is not.</returns>
    public DateTimeOffset? Failed(int period, DateTimeOffset now, string why)
    {
        DateTimeOffset until;
        int failures;
        lock (_lock)
        {
            if (period != _period || (++_failures < Threshold && !_isHalfOpen))
                return null;
            (_isHalfOpen, failures) = (true, _failures);
            until = now + Grown(FirstOpen, LongestOpen, _opened++);
            _period++;
            _untold.Enqueue(() => resource.Throttle(1));
            _untold.Enqueue(() => resource.CoolDown(until, $"{failures} calls in a row failed, the last: {why}"));
        }
        Tell();
        return until;
    }

    /// <summary>It has no room.</summary>
    /// <param name="period">What <see cref="Period"/> was when the call began.</param>
    /// <param name="now">The time.</param>
    /// <param name="asked">How long it asks to be left alone; null where it does not say.</param>
    /// <param name="why">Why, for who waits.</param>
    /// <returns>Until when it is left alone.</returns>
    public DateTimeOffset Busy(int period, DateTimeOffset now, TimeSpan? asked, string why)
    {
        DateTimeOffset until;
        lock (_lock)
        {
            if (period == _period)
            {
                _busy++;
                _period++;
            }
            // Who says "at once" again and again is not believed for ever.
            TimeSpan grown = Grown(FirstBusy, LongestBusy, Math.Max(0, _busy - 1));
            until = now + (asked is { } time ? _busy > Threshold && time < grown ? grown : time : grown);
            _untold.Enqueue(() => resource.CoolDown(until, why));
        }
        Tell();
        return until;
    }

    private void Tell()
    {
        lock (_lock)
        {
            if (_isTelling)
                return;
            _isTelling = true;
        }
        while (true)
        {
            Action? next;
            lock (_lock)
            {
                if (!_untold.TryDequeue(out next))
                {
                    _isTelling = false;
                    return;
                }
            }
            try
            {
                next();
            }
            catch
            {
                lock (_lock)
                    _isTelling = false;
                throw;
            }
        }
    }

    private static TimeSpan Grown(TimeSpan first, TimeSpan longest, int times) => times >= 20 || first * (1 << times) > longest ? longest : first * (1 << times);
}
