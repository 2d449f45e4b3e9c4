namespace Millstream.Testing.Tests;

public sealed class VirtualTimeTests
{
    private readonly VirtualTime _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<string> _fired = [];

    [Fact]
    public void Advance_SeveralTimers_FireInTheOrderOfTheirTimesAndSeeThem()
    {
        Start("late", 3);
        Start("early", 1);
        Start("also early", 1);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["early at 1", "also early at 1"], _fired);
        Assert.Equal(2, Seconds);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("late at 3", _fired[^1]);
    }

    [Fact]
    public void Advance_TimerSetsAnother_ThatOneFiresToo()
    {
        _ = _time.CreateTimer(_ => Start("second", 1), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["second at 2"], _fired);
    }

    [Fact]
    public void Advance_Period_FiresAgainUntilItIsDisposed()
    {
        ITimer timer = _time.CreateTimer(_ => _fired.Add($"{Seconds}"), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(["1", "3", "5"], _fired);
        timer.Dispose();
        Assert.False(timer.Change(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(3, _fired.Count);
        Assert.Null(_time.NextTimer);
    }

    [Fact]
    public void Change_BeforeItFires_OnlyTheNewTimeCounts()
    {
        ITimer timer = Start("it", 1);
        timer.Change(TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        Assert.True(_time.AdvanceToNextTimer());
        Assert.Equal(["it at 4"], _fired);
        Assert.False(_time.AdvanceToNextTimer());
        Assert.Equal(4, Seconds);
    }

    [Fact]
    public async Task CreateTimer_DueAtOnce_FiresWithoutTheTimeMoving()
    {
        TaskCompletionSource fired = new();
        _ = _time.CreateTimer(_ => fired.SetResult(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await fired.Task;
        Assert.Equal(0, Seconds);
    }

    [Fact]
    public async Task Delay_OnThisClock_EndsWhenItsTimeHasCome()
    {
        Task set = _time.UntilTimerAsync(TimeSpan.FromDays(3)), tooEarly = _time.UntilTimerAsync(TimeSpan.FromDays(2));
        Task delay = Task.Delay(TimeSpan.FromDays(3), _time);
        await set;
        Assert.False(tooEarly.IsCompleted);
        _time.Advance(TimeSpan.FromDays(3) - TimeSpan.FromTicks(1));
        Assert.False(delay.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await delay;
        using CancellationTokenSource limit = new(TimeSpan.FromHours(1), _time);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(limit.IsCancellationRequested);
    }

    private double Seconds => (_time.Now - new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalSeconds;

    private ITimer Start(string name, int seconds) =>
        _time.CreateTimer(_ => _fired.Add($"{name} at {Seconds}"), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
}
