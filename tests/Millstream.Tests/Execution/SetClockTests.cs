using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Somebody sets the machine's clock while jobs run or wait.</summary>
public sealed class SetClockTests : StoredJobTests
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private static readonly TestAgent<string, string> Sleeper = Agents.Make(async c =>
    {
        await c.Signals.NextAsync();
        DateTimeOffset before = c.Now;
        await c.DelayAsync(TimeSpan.FromSeconds(10));
        return $"{c.Now - before >= TimeSpan.FromSeconds(10)}";
    });

    private readonly FakeTimeProvider _passing = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly WallClock _time;

    public SetClockTests()
    {
        _time = new WallClock(_passing);
        Options = Options with { Time = _time };
    }

    [Theory]
    [InlineData(-30)]
    [InlineData(30)]
    public async Task Clock_SetWhileAJobRuns_ChangesNoTimer(int days)
    {
        await StartAsync(Sleeper);
        Job<string, string, string> job = await Orchestrator.StartAsync(Sleeper, "");
        _time.Ahead = TimeSpan.FromDays(days);
        await job.SignalAsync("go");
        await job.UntilAsync(JobEventKinds.TimerSet);
        _time.Ahead = TimeSpan.Zero;
        await PassAsync(job.Completion);
        Assert.Equal("True", await job.Completion);
        await CheckTimesAsync(job);
    }

    [Fact]
    public async Task Clock_BehindWhenAnotherProcessGoesOn_IsCaughtUpWith()
    {
        await StartAsync(Sleeper);
        Job job = await Orchestrator.StartAsync(Sleeper, "");
        await job.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement("go"));
        await job.UntilAsync(JobEventKinds.TimerSet);
        _time.Ahead = -Month;
        await RestartAsync(Sleeper);
        job = (await Orchestrator.GetJobAsync(job.Id))!;
        await PassAsync(job.Ending);
        Assert.Equal(new JobEnding.Completed("True"), await job.Ending);
        await CheckTimesAsync(job);
    }

    [Fact]
    public async Task Clock_SetBackWhileAJobIsOutOfMemory_BringsItBackInTime()
    {
        Options = Options with { Limits = new OrchestratorLimits { WaitingJobs = 0 } };
        await StartAsync(Sleeper);
        Job<string, string, string> job = await Orchestrator.StartAsync(Sleeper, "");
        await job.SignalAsync("go");
        await PassAsync(() => job.WaitsFor.Any(w => w.StartsWith("a timer", StringComparison.Ordinal)) && Orchestrator.Engine.Durable!.DormantCount == 1, TimeSpan.FromMilliseconds(1));
        _time.Ahead = -Month;
        // Something else is to be done first, so that all is looked at anew.
        Job<string, string, string> other = await Orchestrator.StartAsync(Sleeper, "");
        await other.SignalAsync("go");
        await PassAsync(Task.WhenAll(job.Completion, other.Completion));
        Assert.Equal(("True", "True"), (await job.Completion, await other.Completion));
        await CheckTimesAsync(job);
        await CheckTimesAsync(other);
    }

    [Fact]
    public async Task Clock_OnceFarAhead_IsForgottenByNewJobs()
    {
        await StartAsync(Sleeper);
        _time.Ahead = Month;
        Job<string, string, string> early = await Orchestrator.StartAsync(Sleeper, "");
        await early.UntilAsync(JobEventKinds.JobStarted);
        _time.Ahead = TimeSpan.Zero;
        Job<string, string, string> late = await Orchestrator.StartAsync(Sleeper, "");
        Assert.Equal(_time.GetUtcNow(), (await late.UntilAsync(JobEventKinds.JobStarted)).Time);
    }

    [Fact]
    public async Task Clock_SetBack_DoesNotLengthenACoolDown()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Time = _time, PoolResources = [new PlainResource("p", "tokens", 100)] });
        orchestrator.CoolDown("p", _time.GetUtcNow().AddSeconds(10));
        Assert.Equal(ResourceStatus.Busy, orchestrator.Resources.Single().Status);
        _time.Ahead = -Month;
        await PassAsync(() => orchestrator.Resources.Single().Status == ResourceStatus.Available);
        orchestrator.CoolDown("p", _time.GetUtcNow().AddSeconds(10));
        Assert.Equal(ResourceStatus.Busy, orchestrator.Resources.Single().Status);
    }

    private static async Task CheckTimesAsync(Job job)
    {
        DateTimeOffset last = default;
        foreach (JobEvent e in await job.AllAsync())
        {
            Assert.True(e.Time >= last, $"{e} is before {last:O}");
            last = e.Time;
        }
    }

    private Task PassAsync(Task awaited) => PassAsync(() => awaited.IsCompleted);

    private Task PassAsync(Func<bool> fits) => PassAsync(fits, TimeSpan.FromSeconds(1));

    // For far less than the clock was set by.
    private async Task PassAsync(Func<bool> fits, TimeSpan step)
    {
        for (TimeSpan passed = default; !fits(); passed += step)
        {
            Assert.True(passed < TimeSpan.FromDays(1), "it waits for the time by which the clock was set");
            _passing.Advance(step);
            await Task.Delay(1);
        }
    }

    private sealed class WallClock(FakeTimeProvider passing) : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override long TimestampFrequency => passing.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => passing.GetUtcNow() + Ahead;

        public override long GetTimestamp() => passing.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => passing.CreateTimer(callback, state, dueTime, period);
    }
}
