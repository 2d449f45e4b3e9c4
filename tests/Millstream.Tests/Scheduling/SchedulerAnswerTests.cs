namespace Millstream.Tests;

public class SchedulerAnswerTests
{
    private static readonly ResourceRequirement Sandbox = ResourceRequirement.Exclusive("sandbox");
    private readonly SchedulerWorld world = new();

    [Theory]
    [InlineData("gpu", "", 1, "no worker offers a gpu")]
    [InlineData("browser", "vendor = nvidia", 1, "no worker offers a browser with vendor = nvidia (4 browsers have vendor = intel)")]
    [InlineData("browser", "vendor = intel, zone = c", 1, "no worker offers a browser with zone = c among those with vendor = intel (3 browsers have zone = a, 1 browser has no label zone)")]
    [InlineData("browser", "zone = a", 4, "needs 4 browsers with zone = a of one worker, the most that one offers is 3")]
    [InlineData("browser", "", 5, "needs 5 browsers of one worker, the most that one offers is 4")]
    public void NeverFeasible_NamesTheClauseThatFails(string type, string labels, long amount, string expected)
    {
        world.Worker("w", 64, [.. Enumerable.Range(0, 4).Select(i => SchedulerWorld.Unit($"b{i}", "browser", 1, i < 3 ? "vendor=intel,zone=a" : "vendor=intel"))]);
        world.Submit("never", ResourceRequirement.Exclusive(type, LabelSelector.Parse(labels), amount));
        Assert.Equal("!never", world.Took());
        Assert.Equal(expected, world.Decisions[^1].Reason);
    }

    [Fact]
    public void NeverFeasible_SharedAmountOverCapacity_IsSaid()
    {
        world.Worker("w");
        world.Scheduler.AddPoolUnit(SchedulerWorld.Unit("llm", "token", 100), world.Now);
        world.Submit("never", ResourceRequirement.Units("token", 101));
        Assert.Equal("needs 101 units of one token, the largest has 100", world.Decisions[^1].Reason);
    }

    [Fact]
    public void NotNow_SaysWhatItWaitsFor()
    {
        world.Worker("w", 5, [.. Enumerable.Range(0, 4).Select(i => SchedulerWorld.Unit($"s{i}", "sandbox"))]);
        for (int i = 0; i < 4; i++)
        {
            world.Submit($"{i}", Sandbox);
        }

        Assert.Equal("waits for 1 sandbox: 4 of 4 busy", world.Scheduler.Explain(world.Submit("fifth", Sandbox)));
        world.Submit("slot");
        Assert.Equal("waits for 1 slot: 5 of 5 busy", world.Scheduler.Explain(world.Submit("last")));
    }

    [Fact]
    public void CoolingDown_SaysUntilWhenAndGoesOnByItself()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("s1", "sandbox"));
        world.Scheduler.CoolDown("s1", world.Now + 30 * SchedulerWorld.Second, world.Now);
        TaskRequest request = world.Submit("a", Sandbox);
        Assert.StartsWith("cooling down until 2030-01-01T00:00:30Z", world.Scheduler.Explain(request));
        Assert.Equal(world.Now + 30 * SchedulerWorld.Second, world.Scheduler.NextWake(world.Now));
        world.RunFor(30);
        Assert.Equal("+a", world.Took());
    }

    [Fact]
    public void OverQuota_WaitsWithoutStoppingOtherTenants()
    {
        SchedulerWorld limited = new(new SchedulerOptions { Quotas = [new("a", "sandbox", 2), new("*", "sandbox", 3)] });
        limited.Worker("w", 64, [.. Enumerable.Range(0, 5).Select(i => SchedulerWorld.Unit($"s{i}", "sandbox"))]);
        TaskRequest first = limited.Submit("a1", limited.Job("a", "a"), Sandbox);
        limited.Submit("a2", limited.Job("a"), Sandbox);
        TaskRequest third = limited.Submit("a3", limited.Job("a"), Sandbox);
        Assert.Equal("over quota: tenant a uses 2 of 2 sandbox", limited.Scheduler.Explain(third));
        limited.Submit("b1", limited.Job("b", "b"), Sandbox);
        Assert.Equal("+a1 +a2 +b1", limited.Took());
        limited.Release(first);
        Assert.Equal("+a3", limited.Took());
        limited.Submit("a4", limited.Job("a"), ResourceRequirement.Exclusive("sandbox", amount: 3));
        Assert.Equal("needs 3 sandbox, but the quota of tenant a is 2", limited.Decisions[^1].Reason);
    }

    [Fact]
    public void Session_KeepsItsUnits_OneTaskAtATime()
    {
        world.Worker("w", 1, SchedulerWorld.Unit("b1", "browser"));
        world.Scheduler.AddPoolUnit(SchedulerWorld.Unit("llm", "llm", 10), world.Now);
        Session session = world.Scheduler.OpenSession(world.Request("open", needs: ResourceRequirement.Exclusive("browser")), world.Now);
        TaskRequest login = world.Submit("login", session: session);
        TaskRequest click = world.Submit("click", session: session, needs: ResourceRequirement.Units("llm", 4));
        Assert.Equal("+open +login", world.Took());
        Assert.Equal("b1:1", world.Members(login));
        Assert.Equal("waits for task login in the same session", world.Scheduler.Explain(click));
        world.Release(login);
        Assert.Equal("+click", world.Took());
        Assert.Equal("b1:1 llm:4", world.Members(click));
        TaskRequest outside = world.Submit("outside", ResourceRequirement.Exclusive("browser"));
        world.Submit("greedy", session: session, needs: ResourceRequirement.Exclusive("browser"));
        Assert.Contains("open the session with it", world.Decisions[^1].Reason);
        world.Release(click);
        world.Took();
        world.Scheduler.CloseSession(session, world.Now);
        world.Drain();
        Assert.Equal("-open +outside", world.Took());
        world.Submit("late", session: session);
        Assert.Contains("the session has ended (it was closed)", world.Decisions[^1].Reason);
        Assert.Equal(RequestState.Granted, outside.State);
    }

    [Fact]
    public void Session_Limits_EndItWhenIdleOrOver()
    {
        world.Worker("w", 4, SchedulerWorld.Unit("b1", "browser"), SchedulerWorld.Unit("b2", "browser"));
        Session idle = world.Scheduler.OpenSession(world.Request("idle", needs: ResourceRequirement.Exclusive("browser")), world.Now, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100));
        Session busy = world.Scheduler.OpenSession(world.Request("busy", needs: ResourceRequirement.Exclusive("browser")), world.Now, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100));
        TaskRequest work = world.Submit("work", session: busy);
        world.RunFor(11);
        Assert.Equal((SessionState.Closed, SessionState.Open), (idle.State, busy.State));
        world.RunFor(90);
        Assert.Equal(SessionState.Closed, busy.State);
        Assert.Equal("+idle +busy +work -idle -work !work -busy", world.Took());
        Assert.Equal(RequestState.Ended, work.State);
        Assert.Empty(world.Scheduler.Snapshot().Leased);
    }

    [Fact]
    public void Session_WorkerLost_EndsWithItsTasks()
    {
        world.Worker("w", 4, SchedulerWorld.Unit("b1", "browser"));
        Session session = world.Scheduler.OpenSession(world.Request("open", needs: ResourceRequirement.Exclusive("browser")), world.Now);
        world.Submit("one", session: session);
        world.Submit("two", session: session);
        world.Took();
        world.Scheduler.RemoveWorker("w", world.Now);
        world.Drain();
        Assert.Equal("-one !one !two -open", world.Took());
        Assert.Contains("worker w was removed", world.Decisions[^1].Reason);
    }

    [Fact]
    public void Withdraw_AllOfAJob_ReturnsEverything()
    {
        world.Worker("w", 2, SchedulerWorld.Unit("s1", "sandbox"));
        TaskRequest[] requests = [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? world.Submit($"{i}") : world.Submit($"{i}", Sandbox))];
        foreach (TaskRequest request in requests)
        {
            if (!world.Scheduler.Withdraw(request, world.Now) && request.Grant is { } grant)
            {
                world.Scheduler.Release(grant, world.Now);
                world.Scheduler.Release(grant, world.Now);
            }

            world.Drain();
        }

        SchedulerSnapshot after = world.Scheduler.Snapshot();
        Assert.Empty(after.Queues);
        Assert.Empty(after.Leased);
        Assert.Equal(2, after.Workers.Single().FreeSlots);
        Assert.Equal(UnitStatus.Available, after.Units.Single().Status);
        Assert.Null(world.Scheduler.NextWake(world.Now));
    }
}
