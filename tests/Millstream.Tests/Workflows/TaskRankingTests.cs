namespace Millstream.Tests;

/// <summary>Which task of a graph goes first by what is known before it runs.</summary>
public sealed class TaskRankingTests
{
    private static readonly ResourceRequirement[] s_none = [];

    private static ResourceRequirement[] Needs(int amount, string type = "gpu") => [ResourceRequirement.Units(type, amount)];

    private static TaskRanking Rank(int[][] successors, params (int Task, ResourceRequirement[] Needs)[] needs)
    {
        IReadOnlyList<ResourceRequirement>?[] all = [.. successors.Select(_ => s_none)];
        foreach ((int task, ResourceRequirement[] own) in needs)
            all[task] = own;
        return new TaskRanking(new TaskNetwork(successors), _ => true, all);
    }

    private static int[] Order(long[] ranks) => [.. Enumerable.Range(0, ranks.Length).OrderByDescending(t => ranks[t])];

    [Fact]
    public void Ranks_OfEqualTasks_AreInTheOrderTheyWereNamed()
    {
        Assert.Equal([0, 1, 2], Order(Rank([[], [], []]).Ranks));
        Assert.Equal([0, 1, 2], Order(Rank([[], [], []]).RanksFor([7, 7, 7])));
        Assert.Equal([0, 1], Order(Rank([[], []]).RanksFor([0, 0])));
    }

    [Fact]
    public void Ranks_ALongerChain_GoesBeforeMoreTasks()
    {
        // 1 - 2 - 3 is behind 0 what 5, 6, 7 are behind 4.
        Assert.Equal([0, 1], Order(Rank([[1], [2], [3], [], [5, 6, 7], [], [], []]).Ranks)[..2]);
    }

    [Fact]
    public void Ranks_OfEqualChains_MoreTasksGoFirst() => Assert.Equal(2, Order(Rank([[1], [], [3, 4], [], []]).Ranks)[0]);

    [Fact]
    public void Ranks_VeryManyTasks_GoBeforeAChainThatIsLittleLonger()
    {
        int[] many = [.. Enumerable.Range(4, 64)];
        Assert.Equal(3, Order(Rank([[1], [2], [], many, .. many.Select(_ => Array.Empty<int>())]).Ranks)[0]);
    }

    [Fact]
    public void Ranks_OfEqualTasks_WhoTakesMoreOfAResourceGoesFirst()
    {
        Assert.Equal([2, 1, 0], Order(Rank([[], [], []], (1, Needs(1)), (2, Needs(2))).Ranks));
        // Of each resource it is the part of what the greediest takes: 1, 1.6 and 1.
        Assert.Equal([1, 0, 2], Order(Rank([[], [], []], (0, Needs(10)), (1, [.. Needs(6), .. Needs(1, "cpu")]), (2, Needs(1, "disk"))).Ranks));
    }

    [Fact]
    public void Ranks_NeedsWeighLessThanATaskBehind() => Assert.Equal(0, Order(Rank([[1], [], []], (2, Needs(1))).Ranks)[0]);

    [Fact]
    public void RanksFor_TheLongestTimeBehind_CountsAndNotTheChain()
    {
        // Three short tasks behind 0, one long task behind 4.
        Assert.Equal(4, Order(Rank([[1], [2], [3], [], [5], []]).RanksFor([10, 10, 10, 10, 10, 60]))[0]);
        Assert.Equal(0, Order(Rank([[1], [2], [3], [], [5], []]).RanksFor([10, 10, 10, 10, 10, 20]))[0]);
    }

    [Fact]
    public void RanksFor_OneVeryLongTask_SaysNothingOfTheOthers()
    {
        // With the mean for each task behind it, 0 would go before 4, behind which there is more time.
        Assert.Equal(4, Order(Rank([[1, 2, 3], [], [], [], [5], [], []]).RanksFor([1, 1, 1, 1, 1, 3, 1_000_000]))[0]);
    }

    [Fact]
    public void Ranks_WhatIsNoWork_CountsForNothing()
    {
        // One task is behind 0 and one behind 2, but behind 2 with two that are none; nor is what is behind 6.
        TaskRanking ranking = new(new TaskNetwork([[1], [], [3, 4, 5], [], [], [], [7], []]), task => task is not (4 or 5 or 7), [s_none, s_none, s_none, s_none, null, null, s_none, null]);
        Assert.Equal([0, 2, 1, 3, 6], Order(ranking.Ranks).Where(t => t is not (4 or 5 or 7)));
    }

    [Fact]
    public void Ranks_OfAHugeGraph_GoByChainsAndNeeds()
    {
        // 0 has a chain of two behind it and 3 has 100,000 tasks, too many to be counted.
        int[] many = [.. Enumerable.Range(4, 100_000)];
        long[] ranks = Rank([[1], [2], [], many, .. many.Select(_ => Array.Empty<int>())], (60_000, Needs(1))).Ranks;
        Assert.Equal([0, 1, 3, 60_000, 2, 4], Order(ranks)[..6]);
        Assert.Equal(ranks.Length, ranks.Distinct().Count());
    }

    /// <summary>Of random jobs, none of them an instance that the constants were looked at with.</summary>
    [Fact]
    public void Ranks_OfRandomJobs_MakeShorterSchedulesThanPlainRules()
    {
        long known = 0, unknown = 0, latestFinish = 0, mostSuccessors = 0;
        for (int seed = 0; seed < 600; seed++)
        {
            PlannedJob job = new(seed, 60);
            int count = job.Keys.Length, kinds = job.Model.Capacities.Length;
            ResourceRequirement[] Needs(int task) =>
                [.. Enumerable.Range(0, kinds).Where(k => job.Model.Demands[task * kinds + k] > 0).Select(k => ResourceRequirement.Units($"r{k}", (int)job.Model.Demands[task * kinds + k]))];
            TaskRanking ranking = new(job.Model.Network, t => job.Model.Durations[t] > 0, [.. Enumerable.Range(0, count).Select(Needs)]);
            known += End(job, ranking.RanksFor(job.Model.Durations));
            unknown += End(job, ranking.Ranks);
            latestFinish += End(job, TaskNetwork.Ranks(job.Model.Tails));
            mostSuccessors += End(job, TaskNetwork.Ranks(job.Model.Network.CountSuccessors(t => job.Model.Durations[t] > 0)));
        }
        Assert.True(known < latestFinish, $"known durations: {known}, by the latest finish time {latestFinish}");
        Assert.True(unknown < mostSuccessors, $"unknown durations: {unknown}, by the number of successors {mostSuccessors}");
    }

    private static long End(PlannedJob job, long[] ranks)
    {
        PlanState state = new(ranks.Length);
        return new ScheduleDecoder(job.Model).Parallel(state, [.. ranks.Select(r => -r)], new long[ranks.Length]);
    }
}
