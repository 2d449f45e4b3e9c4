namespace Millstream.Tests;

public class SchedulerOrderTests
{
    private static readonly ResourceRequirement Browser = ResourceRequirement.Exclusive("browser");
    private readonly SchedulerWorld world = new();

    [Fact]
    public void Submit_FreeSlot_GrantsAtOnce()
    {
        world.Worker("w");
        TaskRequest request = world.Submit("a");
        Assert.Equal("+a", world.Took());
        Assert.Equal("w", request.Grant!.WorkerId);
        Assert.Equal(new LeaseEpoch(7, 1), request.Grant.Epoch);
        Assert.Empty(request.Grant.Members);
    }

    [Fact]
    public void Submit_MoreThanSlots_RunsInOrderAsSlotsComeBack()
    {
        world.Worker("w", 2);
        TaskRequest[] requests = [.. Enumerable.Range(0, 5).Select(i => world.Submit($"{i}"))];
        Assert.Equal("+0 +1", world.Took());
        world.Release(requests[1]);
        Assert.Equal("+2", world.Took());
        world.Release(requests[0]);
        world.Release(requests[2]);
        Assert.Equal("+3 +4", world.Took());
    }

    [Fact]
    public void Submit_WithoutWorkers_WaitsAndStartsWithTheFirstWorker()
    {
        TaskRequest request = world.Submit("a", Browser);
        Assert.Equal("waits for a worker: there is none", world.Scheduler.Explain(request));
        world.Worker("w", 1, SchedulerWorld.Unit("b1", "browser"));
        Assert.Equal("+a", world.Took());
    }

    [Fact]
    public void Order_HigherClass_GoesFirst()
    {
        world.Worker("w", 1);
        TaskRequest running = world.Submit("first");
        world.Submit("low", priority: 0);
        world.Submit("high", priority: 5);
        world.Took();
        world.Release(running);
        Assert.Equal("+high", world.Took());
    }

    [Fact]
    public void Order_InsideOneJob_IsRankThenNumber()
    {
        world.Worker("w", 1);
        TaskRequest current = world.Submit("first");
        foreach ((string id, int rank) in new[] { ("a", 1), ("b", 3), ("c", 2), ("d", 3), ("e", 1) })
        {
            world.Submit(id, rank: rank);
        }

        world.Took();
        for (int i = 0; i < 5; i++)
        {
            world.Release(current);
            current = world.Decisions[^1].Request;
        }

        Assert.Equal("+b +d +c +a +e", world.Took());
    }

    [Fact]
    public void Batch_EndAndSuccessors_CompeteByRank()
    {
        world.Worker("w", 1);
        TaskRequest running = world.Submit("running");
        world.Submit("waiting", rank: 1);
        world.Took();
        world.Scheduler.BeginBatch();
        world.Release(running);
        world.Submit("small", rank: 0);
        world.Submit("successor", rank: 2);
        Assert.Equal("", world.Took());
        world.Scheduler.EndBatch();
        world.Drain();
        Assert.Equal("+successor", world.Took());
    }

    [Fact]
    public void Order_OneHugeJob_DoesNotDelayASmallOne()
    {
        world.Worker("w", 4);
        TaskRequest[] huge = [.. Enumerable.Range(0, 100).Select(i => world.Submit($"h{i}", world.Job("huge")))];
        world.Submit("s", world.Job("small"));
        world.Took();
        world.Release(huge[0]);
        Assert.Equal("+s", world.Took());
    }

    [Theory]
    [InlineData(3, 30)]
    [InlineData(1, 30)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    public void FairShare_LongRun_FollowsTheWeights(double weight, int slots)
    {
        world.Worker("w", slots);
        SchedulingJob heavy = world.Job("heavy", "t", weight);
        SchedulingJob light = world.Job("light", "t", 1);
        (int heavyRuns, int lightRuns) = Contend(heavy, light, 4000);
        Assert.InRange(heavyRuns / (double)lightRuns, weight * 0.9, weight * 1.1);
    }

    [Fact]
    public void FairShare_ManyJobsOfOneTenant_CountAsOneTenant()
    {
        SchedulerWorld two = new(new SchedulerOptions { TenantWeights = new Dictionary<string, double> { ["b"] = 2 } });
        two.Worker("w", 30);
        Dictionary<string, int> runs = new() { ["a"] = 0, ["b"] = 0 };
        foreach (int i in Enumerable.Range(0, 2000))
        {
            two.Submit($"a{i}", two.Job($"a{i % 10}", "a"));
            two.Submit($"b{i}", two.Job("b", "b"));
        }

        for (int i = 0; i < 1500; i++)
        {
            Decision next = two.Decisions[i];
            runs[next.Request.Job.Tenant] += i < 200 ? 0 : 1;
            two.Now += SchedulerWorld.Second;
            two.Release(next.Request);
        }

        Assert.InRange(runs["b"] / (double)runs["a"], 1.8, 2.2);
    }

    private (int First, int Second) Contend(SchedulingJob first, SchedulingJob second, int count)
    {
        for (int i = 0; i < count; i++)
        {
            world.Submit("f", first);
            world.Submit("s", second);
        }

        int[] runs = new int[2];
        for (int i = 0; i < count; i++)
        {
            Decision next = world.Decisions[i];
            if (i >= count / 4)
            {
                runs[next.Request.Job == first ? 0 : 1]++;
            }

            world.Now += SchedulerWorld.Second / 100;
            world.Release(next.Request);
        }

        return (runs[0], runs[1]);
    }

    [Fact]
    public void Ageing_FloodOfAHigherClass_DoesNotStarveALowOne()
    {
        world.Worker("w", 1);
        world.Submit("running", world.Job("high", "t", priority: 2));
        TaskRequest low = world.Submit("low", world.Job("low", "t"));
        int second = 0;
        while (low.State == RequestState.Waiting)
        {
            Assert.True(second++ < 200, "the low task starves");
            world.Submit($"h{second}", world.Job("high"));
            world.After(1);
            world.Release(world.Decisions[^1].Request);
        }

        // Two classes at 60 s each bring it level, one more puts it above.
        Assert.InRange(second, 119, 182);
    }

    [Fact]
    public void Ageing_OnlyTheHead_MovesUpAClassEachInterval()
    {
        world.Worker("w", 1);
        world.Submit("running", world.Job("high", priority: 9));
        world.Submit("next", world.Job("high"));
        TaskRequest first = world.Submit("first", world.Job("low"));
        TaskRequest second = world.Submit("second", world.Job("low"));
        world.RunFor(61);
        Assert.Equal((1, 0), (first.Class, second.Class));
        world.RunFor(60);
        Assert.Equal((2, 1), (first.Class, second.Class));
    }

    [Fact]
    public void Ageing_AnotherQueuesTurn_DoesNotHurryTheNextHead()
    {
        world.Worker("w", 1);
        world.Submit("running", world.Job("high", priority: 9));
        world.Submit("next", world.Job("high"));
        world.Submit("first", world.Job("low"));
        TaskRequest second = world.Submit("second", world.Job("low"));
        world.RunFor(30);
        TaskRequest other = world.Submit("other", world.Job("elsewhere", "u"));
        world.RunFor(65);
        Assert.Equal((1, 0), (other.Class, second.Class));
        world.RunFor(26);
        Assert.Equal(1, second.Class);
    }

    [Fact]
    public void Ageing_OneJobAlone_KeepsItsRanks()
    {
        world.Worker("w", 1);
        TaskRequest running = world.Submit("running");
        world.Submit("old", rank: 1);
        world.RunFor(1000);
        world.Submit("better", rank: 2);
        world.Took();
        world.Release(running);
        Assert.Equal("+better", world.Took());
    }

    [Fact]
    public void Backfill_WhatFits_PassesAGangThatDoesNot()
    {
        world.Worker("w", 64, SchedulerWorld.Unit("b1", "browser"), SchedulerWorld.Unit("b2", "browser"));
        TaskRequest one = world.Submit("one", Browser);
        world.Submit("both", ResourceRequirement.Exclusive("browser", amount: 2));
        world.Submit("two", Browser);
        Assert.Equal("+one +two", world.Took());
        world.Release(one);
        Assert.Equal("", world.Took());
    }

    [Fact]
    public void RemoveWorker_WhileItWorks_QueuesAgainWithTheOldPlace()
    {
        world.Worker("w1", 1);
        TaskRequest first = world.Submit("first");
        world.Submit("second");
        Grant old = first.Grant!;
        world.Took();
        world.Scheduler.RemoveWorker("w1", world.Now);
        world.Drain();
        Assert.Equal("-first", world.Took());
        Assert.Equal(GrantState.Revoked, old.State);
        world.Worker("w2", 1);
        Assert.Equal("+first", world.Took());
        Assert.True(first.Grant!.Epoch > old.Epoch);
        world.Scheduler.Release(old, world.Now);
        world.Drain();
        Assert.Equal("", world.Took());
    }
}
