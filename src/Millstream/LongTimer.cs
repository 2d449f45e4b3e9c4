namespace Millstream;

/// <summary>One-shot timers of any length: the system's own end at 49.7 days, and waiting for weeks is what jobs do.</summary>
internal static class LongTimer
{
    /// <summary>The longest that is asked of the system at once.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(40);

    /// <summary>Calls back once, after a time; at once where it is not above zero.</summary>
    public static IDisposable Start(TimeProvider time, TimerCallback callback, object state, TimeSpan due) =>
        due <= Longest ? time.CreateTimer(callback, state, due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan) : new Relay(time, callback, state, due);

    /// <summary>A moment in UTC ticks, or the last there is.</summary>
    public static long After(long now, TimeSpan time) => time.Ticks > DateTime.MaxValue.Ticks - now ? DateTime.MaxValue.Ticks : now + time.Ticks;

    private sealed class Relay : IDisposable
    {
        private readonly TimerCallback _callback;
        private readonly object _state;
        private readonly ITimer _timer;
        private TimeSpan _left;

        public Relay(TimeProvider time, TimerCallback callback, object state, TimeSpan due)
        {
            (_callback, _state, _left) = (callback, state, due);
            _timer = time.CreateTimer(static relay => ((Relay)relay!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Fire();
        }

        public void Dispose() => _timer.Dispose();

        private void Fire()
        {
            TimeSpan step = _left < Longest ? _left : Longest;
            _left -= step;
            if (step > TimeSpan.Zero)
                _timer.Change(step, Timeout.InfiniteTimeSpan);
            else
                _callback(_state);
        }
    }
}
