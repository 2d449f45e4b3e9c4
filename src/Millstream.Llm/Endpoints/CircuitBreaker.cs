namespace Millstream;

/// <summary>
/// What an endpoint's last calls say of it. After <see cref="Threshold"/> failures in a row it is left alone, longer each time, and then tried with one call at a
/// time until one succeeds. Calls that began before it was left alone say nothing more against it.
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

    /// <summary>What a call has to give back with its end.</summary>
    public int Period
    {
        get
        {
            lock (_lock)
                return _period;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            (_failures, _opened, _busy) = (0, 0, 0);
            if (!_isHalfOpen)
                return;
            _isHalfOpen = false;
        }
        resource.Throttle(null);
    }

    /// <summary>It did not do what it was asked.</summary>
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
        }
        resource.Throttle(1);
        resource.CoolDown(until, $"{failures} calls in a row failed, the last: {why}");
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
        TimeSpan wait;
        lock (_lock)
        {
            if (period == _period)
            {
                _busy++;
                _period++;
            }
            // Who says "at once" again and again is not believed for ever.
            TimeSpan grown = Grown(FirstBusy, LongestBusy, Math.Max(0, _busy - 1));
            wait = asked is { } time ? _busy > Threshold && time < grown ? grown : time : grown;
        }
        DateTimeOffset until = now + wait;
        resource.CoolDown(until, why);
        return until;
    }

    private static TimeSpan Grown(TimeSpan first, TimeSpan longest, int times) => times >= 20 || first * (1 << times) > longest ? longest : first * (1 << times);
}
