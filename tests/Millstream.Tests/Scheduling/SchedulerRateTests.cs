namespace Millstream.Tests;

public class SchedulerRateTests
{
    private const long Second = SchedulerWorld.Second;

    private static readonly RateLimit Tokens = new("tokens", 1000, TimeSpan.FromMinutes(1));

    private readonly SchedulerWorld world = new SchedulerWorld().Worker("w");

    private static ResourceUnit Llm(string id, long capacity = 8, int tier = 0, double weight = 1, params RateLimit[] rates) =>
        new(id, "llm", capacity, rates: rates) { Tier = tier, Weight = weight };

    private static ResourceRequirement Call(long tokens = 0) => tokens == 0 ? ResourceRequirement.Units("llm", 1) : ResourceRequirement.Units("llm", 1).WithRate("tokens", tokens);

    private SchedulerWorld Pool(params ResourceUnit[] units)
    {
        foreach (ResourceUnit unit in units)
            world.Scheduler.AddPoolUnit(unit, world.Now);
        return world.Drain();
    }

    [Fact]
    public void Grant_TakesCapacityAndEachRate_OrNothing()
    {
        Pool(Llm("a", 8, 0, 1, Tokens, new RateLimit("requests", 2, TimeSpan.FromSeconds(10))));
        ResourceRequirement both = Call(300).WithRate("requests", 1);
        TaskRequest first = world.Submit("1", both);
        world.Submit("2", both);
        TaskRequest third = world.Submit("3", both);
        Assert.Equal("+1 +2", world.Took());
        world.Scheduler.Arrived(first.Grant!, null, world.Now);
        Assert.Equal("waits for 1 requests and 300 tokens and 1 units of one llm: 2 requests in 10 s, next at 2030-01-01T00:00:10Z", world.Scheduler.Explain(third));
        Assert.Equal(world.Now + 10 * Second, world.Scheduler.NextWake(world.Now));
        world.After(9.9);
        Assert.Equal("", world.Took());
        world.RunFor(0.1);
        Assert.Equal("+3", world.Took());
    }

    [Fact]
    public void Amount_CountsUntilAWindowAfterTheEnd_OrAfterItArrived()
    {
        Pool(Llm("a", 8, 0, 1, Tokens));
        TaskRequest slow = world.Submit("slow", Call(600)), known = world.Submit("known", Call(400));
        world.After(10);
        world.Scheduler.Arrived(known.Grant!, null, world.Now);
        TaskRequest waits = world.Submit("waits", Call(500));
        world.RunFor(300);
        Assert.Equal("+slow +known", world.Took());
        Assert.Contains("next when what is under way has arrived", world.Scheduler.Explain(waits), StringComparison.Ordinal);
        world.Release(slow);
        world.RunFor(59.9);
        Assert.Equal("", world.Took());
        world.RunFor(0.1);
        Assert.Equal("+waits", world.Took());
    }

    [Fact]
    public void SettleRate_FreesOrOverfills_AlsoWhatWasNotEstimated()
    {
        Pool(Llm("a", 8, 0, 1, Tokens));
        TaskRequest first = world.Submit("1", Call(900));
        world.Submit("2", Call(900));
        world.Scheduler.Arrived(first.Grant!, null, world.Now);
        world.Scheduler.SettleRate(first.Grant!, 0, "tokens", 100, world.Now);
        Assert.Equal("+1 +2", world.Drain().Took());
        TaskRequest plain = world.Submit("plain", Call());
        world.Scheduler.SettleRate(plain.Grant!, 0, "tokens", 5000, world.Now);
        world.Release(plain);
        world.Submit("3", Call(1));
        world.RunFor(59);
        Assert.Equal("+plain", world.Took());
        world.RunFor(1);
        Assert.Equal("+3", world.Took());
    }

    [Theory]
    [InlineData(1001, "needs 1001 tokens of one llm, the largest takes 1000 in 60 s")]
    [InlineData(1000, null)]
    public void Submit_MoreThanAnyLimit_IsNeverFeasible(long tokens, string? reason)
    {
        Pool(Llm("a", 8, 0, 1, new RateLimit("tokens", 10, TimeSpan.FromSeconds(1))), Llm("b", 8, 0, 1, Tokens));
        world.Submit("1", Call(tokens));
        Assert.Equal(reason, world.Decisions[^1].Reason);
    }

    [Fact]
    public void Unit_WithoutThatRate_IsUnlimitedInIt()
    {
        Pool(Llm("a", 2, 0, 1, Tokens), Llm("b"));
        world.Submit("1", Call(1_000_000_000));
        Assert.Equal("b:1", world.Members(world.Decisions[^1].Request));
    }

    [Fact]
    public void SetRate_LowerAndHigher_CountsAtOnce()
    {
        Pool(Llm("a", 8, 0, 1, Tokens));
        world.Submit("1", Call(600));
        world.Scheduler.SetRate("a", "tokens", 500, world.Now);
        TaskRequest second = world.Submit("2", Call(300));
        TaskRequest never = world.Submit("never", Call(501));
        Assert.Equal("needs 501 tokens of one llm, the largest takes 500 in 60 s", world.Decisions[^1].Reason);
        Assert.Equal(RequestState.Waiting, second.State);
        world.Scheduler.SetRate("a", "tokens", 900, world.Now);
        Assert.Equal("+1 !never +2", world.Drain().Took());
        Assert.Equal(RequestState.Ended, never.State);
    }

    [Fact]
    public void Throttle_ToOne_LetsOthersFinishAndTakesNoMore()
    {
        Pool(Llm("a", 4));
        TaskRequest first = world.Submit("1", Call()), second = world.Submit("2", Call());
        world.Scheduler.Throttle("a", 1, world.Now);
        TaskRequest third = world.Submit("3", Call());
        Assert.Equal("waits for 1 units of one llm: at most 0 free on one, a is throttled to 1 of 4", world.Scheduler.Explain(third));
        world.Release(first);
        Assert.Equal("+1 +2", world.Took());
        world.Release(second);
        Assert.Equal("+3", world.Took());
        world.Submit("4", Call());
        Assert.Equal(UnitStatus.Busy, world.Scheduler.StatusOf("a"));
        world.Scheduler.Throttle("a", null, world.Now);
        Assert.Equal("+4", world.Drain().Took());
    }

    [Fact]
    public void CoolDown_WithAReason_IsExplained()
    {
        Pool(Llm("a"));
        world.Scheduler.CoolDown("a", world.Now + 30 * Second, world.Now, "it said 429");
        TaskRequest request = world.Submit("1", Call());
        Assert.Equal("cooling down until 2030-01-01T00:00:30Z (it said 429): waits for 1 units of one llm (a is the first of 1)", world.Scheduler.Explain(request));
        world.RunFor(30);
        Assert.Equal("+1", world.Took());
    }

    [Fact]
    public void Weights_ShareInProportion_AndTiersFallBackInOrder()
    {
        Pool(Llm("a", 100, 0, 3), Llm("b", 100, 0, 1), Llm("c", 100, 1));
        List<TaskRequest> calls = [.. Enumerable.Range(0, 8).Select(i => world.Submit($"{i}", Call()))];
        Assert.Equal(6, calls.Count(c => world.Members(c) == "a:1"));
        Assert.Equal(2, calls.Count(c => world.Members(c) == "b:1"));
        world.Scheduler.CoolDown("a", world.Now + Second, world.Now);
        world.Scheduler.Throttle("b", 3, world.Now);
        Assert.Equal("b:1", world.Members(world.Submit("8", Call())));
        Assert.Equal("c:1", world.Members(world.Submit("9", Call())));
        world.After(1);
        Assert.Equal("a:1", world.Members(world.Submit("10", Call())));
    }

    [Fact]
    public void Tier_WhoseRateIsUsedUp_LetsTheNextBeUsed()
    {
        Pool(Llm("first", 8, 0, 1, Tokens), Llm("second", 8, 1, 1, Tokens));
        Assert.Equal("first:1", world.Members(world.Submit("1", Call(800))));
        Assert.Equal("second:1", world.Members(world.Submit("2", Call(800))));
        Assert.Equal("first:1", world.Members(world.Submit("3", Call(200))));
    }

    [Fact]
    public void Tier_OfUnitsOfSeveralWorkers_IsKeptToo()
    {
        for (int i = 0; i < 4; i++)
            world.Worker($"w{i}", 64, Llm($"u{i}", 2, tier: i == 2 ? 0 : 1));
        Assert.Equal(["u2:1", "u2:1"], [world.Members(world.Submit("1", Call())), world.Members(world.Submit("2", Call()))]);
        Assert.NotEqual("u2:1", world.Members(world.Submit("3", Call())));
    }

    [Fact]
    public void TwoNeedsOfOneTask_OnOneUnit_TakeBothAmounts()
    {
        Pool(Llm("a", 8, 0, 1, Tokens), Llm("b", 8, 0, 1, Tokens));
        TaskRequest both = world.Submit("both", Call(600), ResourceRequirement.Units("llm", 1, name: "second").WithRate("tokens", 600));
        Assert.Equal("a:1 b:1", world.Members(both));
        Assert.Equal(RequestState.Waiting, world.Submit("1", Call(500)).State);
    }

    [Fact]
    public void Worker_ThatComesBack_StillCountsWhatWasTaken()
    {
        world.Worker("v", 64, Llm("a", 8, 0, 1, Tokens));
        TaskRequest lost = world.Submit("lost", Call(1000));
        Grant grant = lost.Grant!;
        world.Scheduler.RemoveWorker("v", world.Now);
        world.Drain();
        world.After(100);
        world.Worker("v", 64, Llm("a", 8, 0, 1, Tokens));
        // Its code is still at work, and may send at any time.
        world.RunFor(100);
        Assert.Equal("+lost -lost", world.Took());
        world.Scheduler.Ended(grant, world.Now);
        world.RunFor(59);
        Assert.Equal("", world.Took());
        world.RunFor(1);
        Assert.Equal("+lost", world.Took());
    }

    [Fact]
    public void LargeAmount_AmongManySmallOnes_IsNotPassedForEver()
    {
        Pool(Llm("a", 8, 0, 1, Tokens));
        SchedulingJob small = world.Job("small", "s"), large = world.Job("large", "l");
        Queue<TaskRequest> running = new();
        TaskRequest big = world.Request("big", large, needs: Call(900));
        for (int second = 0; big.State != RequestState.Granted; second++)
        {
            Assert.True(second < 400, $"it waits after {second} s: {world.Scheduler.Explain(big)}");
            running.Enqueue(world.Submit($"s{second}", small, Call(50)));
            if (second == 60)
                world.Scheduler.Submit(big, world.Now);
            while (running.TryPeek(out TaskRequest? head) && head.State == RequestState.Granted)
                world.Release(running.Dequeue());
            world.RunFor(1);
        }
    }

    [Theory]
    [InlineData(1, 100, 37)]
    [InlineData(2, 1000, 1)]
    [InlineData(3, 5000, 1)]
    [InlineData(4, 12345, 100)]
    public void Saturation_WithoutLatency_UsesTheLimitAndNeverMore(int seed, long limit, int most)
    {
        const int windows = 40;
        Random random = new(seed);
        Pool(Llm("a", 1000, 0, 1, new RateLimit("tokens", limit, TimeSpan.FromMinutes(1))));
        List<(long At, long Amount)> arrivals = [];
        long end = world.Now + windows * 60 * Second;
        int waiting = 0;
        bool isFull = false;
        while (world.Now < end)
        {
            // Arrivals that are spread over the first window, then always more than there is room for.
            isFull |= world.Now > end - (windows - 1) * 60 * Second;
            for (int n = isFull ? 40 - waiting : random.Next(3); n > 0; n--, waiting++)
                world.Scheduler.Submit(world.Request("t", needs: Call(random.Next(1, most + 1))), world.Now);
            bool any = false;
            while (world.Scheduler.TryTake(out Decision decision))
            {
                arrivals.Add((world.Now, decision.Request.Shape.Needs[0].Rates[0].Amount));
                world.Scheduler.Release(decision.Grant!, world.Now);
                (any, waiting) = (true, waiting - 1);
            }
            if (any && isFull)
                continue;
            long next = isFull ? world.Scheduler.NextWake(world.Now)!.Value : world.Now + random.NextInt64(60 * Second * most / limit);
            world.Now = Math.Max(world.Now + 1, next);
            world.Scheduler.Tick(world.Now);
        }
        Assert.True(OtherSide.Most(arrivals, 60 * Second) <= limit);
        long from = end - (windows - 2) * 60 * Second, used = arrivals.Where(a => a.At >= from).Sum(a => a.Amount);
        Assert.True(used >= 0.98 * limit * (windows - 2), $"{used} of {limit * (windows - 2)} were used");
    }
}

/// <summary>What the other side of a rate sees: nothing of the scheduler's own way.</summary>
internal static class OtherSide
{
    /// <summary>The most that arrived in any window (t - length, t].</summary>
    public static long Most(IEnumerable<(long At, long Amount)> arrivals, long length)
    {
        Queue<(long At, long Amount)> window = new();
        (long sum, long most) = (0, 0);
        foreach ((long at, long amount) in arrivals.OrderBy(a => a.At))
        {
            while (window.TryPeek(out (long At, long Amount) first) && first.At + length <= at)
                sum -= window.Dequeue().Amount;
            window.Enqueue((at, amount));
            most = Math.Max(most, sum += amount);
        }
        return most;
    }
}
