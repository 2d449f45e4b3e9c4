namespace Millstream.Tests;

public class SchedulerGangTests
{
    private static readonly ResourceRequirement Browser = ResourceRequirement.Exclusive("browser");
    private static readonly ResourceRequirement Sandbox = ResourceRequirement.Exclusive("sandbox");
    private readonly SchedulerWorld world = new();

    [Fact]
    public void Gang_OverlappingSelectors_AreMatchedNotTakenGreedily()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("x", "browser", 1, "x=1"), SchedulerWorld.Unit("plain", "browser"));
        TaskRequest both = world.Submit("both", Browser, ResourceRequirement.Exclusive("browser", LabelSelector.Parse("x"), name: "special"));
        Assert.Equal("+both", world.Took());
        Assert.Equal("x", both.Grant!.Members.Single(m => m.Requirement.Name == "special").Unit.Id);
    }

    [Fact]
    public void Gang_OwnedUnits_ComeFromOneWorkerAndPoolUnitsFromAnywhere()
    {
        world.Worker("w1", 64, SchedulerWorld.Unit("b1", "browser"));
        world.Worker("w2", 64, SchedulerWorld.Unit("s2", "sandbox"));
        world.Scheduler.AddPoolUnit(SchedulerWorld.Unit("llm", "llm", 10), world.Now);
        TaskRequest split = world.Submit("split", Browser, Sandbox);
        Assert.Equal("!split", world.Took());
        Assert.Equal("no single worker offers 1 browser and 1 sandbox together", world.Decisions[^1].Reason);
        TaskRequest pooled = world.Submit("pooled", Browser, ResourceRequirement.Units("llm", 4));
        Assert.Equal("b1:1 llm:4", world.Members(pooled));
        Assert.Equal("w1", pooled.Grant!.WorkerId);
        Assert.Equal(RequestState.Ended, split.State);
    }

    [Fact]
    public void Gang_LosesOneMember_LosesAllAndWaitsAgain()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("b1", "browser"), SchedulerWorld.Unit("s1", "sandbox"));
        TaskRequest gang = world.Submit("gang", Browser, Sandbox);
        world.Submit("next", Browser);
        world.Took();
        world.Scheduler.SetOffline("s1", "disk full", world.Now);
        world.Drain();
        Assert.Equal("-gang +next", world.Took());
        Assert.Equal("waits for 1 browser: 1 of 1 busy", world.Scheduler.Explain(gang));
        world.Release(world.Decisions[^1].Request);
        Assert.Equal("waits for 1 sandbox: 0 of 1 busy, 1 offline (disk full)", world.Scheduler.Explain(gang));
        world.Scheduler.SetOnline("s1", world.Now);
        world.Drain();
        Assert.Equal("+gang", world.Took());
    }

    [Fact]
    public void Shared_Units_AddUpToCapacityAndAreSettled()
    {
        world.Worker("w");
        world.Scheduler.AddPoolUnit(SchedulerWorld.Unit("llm", "tokens", 100), world.Now);
        TaskRequest first = world.Submit("first", ResourceRequirement.Units("tokens", 70));
        TaskRequest second = world.Submit("second", ResourceRequirement.Units("tokens", 60));
        Assert.Equal("+first", world.Took());
        Assert.Equal("waits for 60 units of one tokens: at most 30 free on one", world.Scheduler.Explain(second));
        world.Scheduler.Settle(first.Grant!, 0, 40, world.Now);
        world.Drain();
        Assert.Equal("+second", world.Took());
        world.Scheduler.Settle(first.Grant!, 0, 90, world.Now);
        Assert.Equal(-50, world.Scheduler.Snapshot().Units.Single().Free);
        world.Release(first);
        world.Release(second);
        Assert.Equal(100, world.Scheduler.Snapshot().Units.Single().Free);
    }

    [Fact]
    public void Holding_AfterTheBound_ClosesFreedUnitsToOtherJobsOnly()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("b1", "browser"), SchedulerWorld.Unit("b2", "browser"));
        TaskRequest one = world.Submit("one", world.Job("other"), Browser);
        TaskRequest two = world.Submit("two", world.Job("other"), Browser);
        TaskRequest gang = world.Submit("gang", world.Job("starved"), ResourceRequirement.Exclusive("browser", amount: 2));
        world.RunFor(599);
        world.Release(one);
        one = world.Submit("one again", world.Job("other"), Browser);
        Assert.Equal(RequestState.Granted, one.State);
        world.RunFor(2);
        world.Release(one);
        TaskRequest late = world.Submit("late", world.Job("other"), Browser);
        Assert.Equal(RequestState.Waiting, late.State);
        Assert.Equal("waits for 1 browser: 1 of 2 busy, 1 held for task gang of job starved", world.Scheduler.Explain(late));
        TaskRequest own = world.Submit("own", world.Job("starved"), Browser);
        Assert.Equal(RequestState.Granted, own.State);
        world.Release(own);
        world.Took();
        world.Release(two);
        Assert.Equal("+gang", world.Took());
        world.Release(gang);
        Assert.Equal("+late", world.Took());
        Assert.All(world.Scheduler.Snapshot().Units, u => Assert.Null(u.HeldFor));
    }

    [Fact]
    public void Holding_TwoGangsOfTheSameTypes_HaveOneHolder()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("b1", "browser"), SchedulerWorld.Unit("s1", "sandbox"));
        TaskRequest browser = world.Submit("b", world.Job("x"), Browser);
        TaskRequest sandbox = world.Submit("s", world.Job("y"), Sandbox);
        TaskRequest first = world.Submit("first", world.Job("g1"), Browser, Sandbox);
        TaskRequest second = world.Submit("second", world.Job("g2"), Sandbox, Browser);
        world.RunFor(700);
        world.Release(browser);
        world.Release(sandbox);
        Assert.Equal(RequestState.Granted, first.State);
        world.Release(first);
        Assert.Equal(RequestState.Granted, second.State);
    }

    [Fact]
    public void Holding_GangInAFlood_RunsSoonAfterTheBound()
    {
        world.Worker("w", 64, [.. Enumerable.Range(0, 4).Select(i => SchedulerWorld.Unit($"b{i}", "browser"))]);
        Queue<TaskRequest> running = new(Enumerable.Range(0, 4).Select(i => world.Submit($"{i}", world.Job("flood"), Browser)));
        TaskRequest gang = world.Submit("gang", world.Job("wide"), ResourceRequirement.Exclusive("browser", amount: 4));
        int seconds = 0;
        for (; gang.State == RequestState.Waiting; seconds++)
        {
            Assert.True(seconds < 800, "the gang starves");
            TaskRequest next = world.Submit($"f{seconds}", world.Job("flood"), Browser);
            world.RunFor(1);
            TaskRequest done = running.Dequeue();
            world.Release(done);
            foreach (Decision decision in world.Decisions.Where(d => d.Kind == DecisionKind.Granted && d.Request.State == RequestState.Granted && d.Request != gang && !running.Contains(d.Request)).ToList())
            {
                running.Enqueue(decision.Request);
            }
        }

        Assert.InRange(seconds, 600, 610);
    }
}
