using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Times beyond what a timer of the system can wait, 49.7 days.</summary>
public sealed class LongTimeTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Delay_OfAHundredDays_EndsOnItsDay()
    {
        await using AgentOrchestrator orchestrator = New();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            await c.DelayAsync(TimeSpan.FromDays(100));
            return c.Now.ToString("O");
        }), "");
        await job.UntilAsync(JobEventKinds.TimerSet);
        await DaysAsync(99);
        await Until(() => job.Status == JobStatus.Waiting);
        await DaysAsync(1);
        Assert.StartsWith("2026-04-11T00:00:00", await job.Completion, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delay_ForEver_CanBeCancelled()
    {
        await using AgentOrchestrator orchestrator = New();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            await c.DelayAsync(TimeSpan.MaxValue);
            return "";
        }), "");
        await job.UntilAsync(JobEventKinds.TimerSet);
        await job.CancelAsync();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
    }

    [Fact]
    public async Task RetryAfter_OfAHundredDays_IsWaitedFor()
    {
        AgentTask<string, string> limited = AgentTask.Create<string, string>("limited", (_, context) => context.Attempt > 1 ? Task.FromResult("ok") : throw new RetryableTaskException("later", TimeSpan.FromDays(100)),
            policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2 } });
        await using AgentOrchestrator orchestrator = New();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(limited, "")), "");
        await job.UntilAsync(JobEventKinds.TaskRetried);
        await Until(() => job.Tasks.Any(t => t.Status == AgentTaskStatus.Retrying));
        await DaysAsync(101);
        Assert.Equal("ok", await job.Completion);
    }

    [Fact]
    public async Task TimeoutAndDeadline_FarAhead_DoNotDisturb()
    {
        AgentTask<string, string> slow = AgentTask.Create<string, string>("slow", (input, _) => Task.FromResult(input), policy: new TaskPolicy { Timeout = TimeSpan.FromDays(300) });
        await using AgentOrchestrator orchestrator = New();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(slow, "done")), "", new JobOptions { Deadline = _time.GetUtcNow().AddYears(1) });
        Assert.Equal("done", await job.Completion);
    }

    [Fact]
    public async Task Deadline_FarAhead_EndsTheJobOnItsDay()
    {
        await using AgentOrchestrator orchestrator = New();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Forever, "")), "", new JobOptions { Deadline = _time.GetUtcNow().AddDays(90) });
        await job.UntilAsync(JobEventKinds.TaskStarted);
        await DaysAsync(91);
        Assert.Equal(ErrorTypes.DeadlineExceeded, Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Type);
    }

    [Fact]
    public async Task Cancel_WithAYearOfGrace_EndsTheTask()
    {
        await using AgentOrchestrator orchestrator = New(TimeSpan.FromDays(365));
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Forever, "")), "");
        await job.UntilAsync(JobEventKinds.TaskStarted);
        await job.CancelAsync();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
    }

    [Fact]
    public async Task CoolDown_FarAhead_IsTaken()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Time = _time, PoolResources = [new PlainResource("p", "tokens", 100)] });
        orchestrator.CoolDown("p", _time.GetUtcNow().AddDays(100));
        orchestrator.CoolDown("p", DateTimeOffset.MaxValue);
        Assert.Equal(ResourceStatus.Busy, orchestrator.Resources.Single().Status);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(1, -1)]
    public void RetryPolicy_NegativeWait_IsRefused(int delay, int maxDelay) =>
        Assert.Throws<ArgumentException>(() => new RetryPolicy { Delay = TimeSpan.FromSeconds(delay), MaxDelay = TimeSpan.FromSeconds(maxDelay) });

    private AgentOrchestrator New(TimeSpan? grace = null) => new(new OrchestratorOptions { Time = _time, GracePeriod = grace ?? TimeSpan.FromSeconds(10) });

    private static async Task Until(Func<bool> fits)
    {
        while (!fits())
            await Task.Delay(1);
    }

    // A day at a time, as a clock goes: timers that follow on each other fire in between.
    private async Task DaysAsync(int days)
    {
        for (int i = 0; i < days; i++)
        {
            _time.Advance(TimeSpan.FromDays(1));
            await Task.Yield();
        }
    }
}
