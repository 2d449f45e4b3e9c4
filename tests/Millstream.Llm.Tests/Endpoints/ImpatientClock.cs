using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

/// <summary>A clock that goes on by itself to the end of each wait of at most an hour, so that tests of cool-downs and back-offs wait for nothing. Longer waits are time limits, and do not end.</summary>
internal sealed class ImpatientClock() : FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Timer timer = new(this, base.CreateTimer(callback, state, dueTime, period));
        GoTo(dueTime);
        return timer;
    }

    private void GoTo(TimeSpan due)
    {
        if (due > TimeSpan.Zero && due <= Longest)
            ThreadPool.QueueUserWorkItem(_ => Advance(due));
    }

    private sealed class Timer(ImpatientClock clock, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool isChanged = inner.Change(dueTime, period);
            clock.GoTo(dueTime);
            return isChanged;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
