namespace Millstream.Tests;

/// <summary>A random job in the middle of its work, and a check of schedules that has nothing in common with the code that makes them.</summary>
internal sealed class PlannedJob
{
    public PlannedJob(int seed, int most)
    {
        Random random = new(seed);
        int count = 1 + random.Next(most);
        int[][] successors = [.. Enumerable.Range(0, count).Select(t => Enumerable.Range(t + 1, count - t - 1).Where(_ => random.NextDouble() < 2.0 / count).ToArray())];
        long[] capacities = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => 1L + random.Next(4))];
        long[] durations = [.. Enumerable.Range(0, count).Select(_ => random.Next(6) == 0 ? 0L : 1 + random.Next(20))];
        // What takes no time is no task, and takes nothing.
        long[][] demands = [.. Enumerable.Range(0, count).Select(t => capacities.Select(c => durations[t] == 0 ? 0L : random.Next((int)c + 1)).ToArray())];
        TaskNetwork network = new(successors);
        Model = new PlanModel(network, durations, demands, capacities, TaskNetwork.Ranks(network.Tails(t => durations[t])));
        State = new PlanState(count) { Now = 1000 };
        long[] free = [.. capacities];
        foreach (int task in Model.Network.Order)
        {
            // What is done or runs is so in an order that could have been.
            if (!Model.Network.Predecessors[task].All(p => State.IsDone[p]) || random.Next(2) == 0)
                continue;
            if (random.Next(3) > 0)
            {
                State.IsDone[task] = true;
            }
            else if (Enumerable.Range(0, capacities.Length).All(k => demands[task][k] <= free[k]))
            {
                State.RunsUntil[task] = State.Now + 1 + random.Next(20);
                for (int kind = 0; kind < capacities.Length; kind++)
                    free[kind] -= demands[task][kind];
            }
        }
        Keys = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(8))];
    }

    public PlanModel Model { get; }

    public PlanState State { get; }

    /// <summary>A random order with ties.</summary>
    public long[] Keys { get; }

    public int[] Left => [.. Enumerable.Range(0, Model.Network.Count).Where(State.IsLeft)];

    public long EndOf(int task, long[] starts) => State.IsDone[task] ? State.Now : State.RunsUntil[task] != 0 ? State.RunsUntil[task] : starts[task] + Model.Durations[task];

    public void Check(long[] starts, long end)
    {
        int kinds = Model.Capacities.Length;
        foreach (int task in Left)
        {
            Assert.True(starts[task] >= State.Now, $"task {task} starts in the past");
            Assert.All(Model.Network.Predecessors[task], before => Assert.True(EndOf(before, starts) <= starts[task], $"task {task} starts before {before} has ended"));
        }
        int[] at = [.. Enumerable.Range(0, Model.Network.Count).Where(t => !State.IsDone[t])];
        foreach (long time in at.Select(t => State.RunsUntil[t] != 0 ? State.Now : starts[t]).Distinct())
        {
            for (int kind = 0; kind < kinds; kind++)
            {
                long used = at.Where(t => (State.RunsUntil[t] != 0 ? State.Now : starts[t]) <= time && EndOf(t, starts) > time).Sum(t => Model.Demands[t * kinds + kind]);
                Assert.True(used <= Model.Capacities[kind], $"{used} of {Model.Capacities[kind]} of kind {kind} at {time}");
            }
        }
        Assert.Equal(at.Select(t => EndOf(t, starts)).Append(State.Now).Max(), end);
        Assert.True(end >= Model.LowerBound(State), $"it ends at {end}, before the bound of {Model.LowerBound(State)}");
    }

    /// <summary>The earliest end of all orders.</summary>
    public long Best()
    {
        ScheduleDecoder decoder = new(Model);
        long[] starts = new long[Keys.Length], keys = new long[Keys.Length];
        long best = long.MaxValue;
        Try(Left, 0);
        return best;

        void Try(int[] order, int from)
        {
            if (from >= order.Length)
            {
                for (int place = 0; place < order.Length; place++)
                    keys[order[place]] = place;
                best = Math.Min(best, decoder.Serial(State, keys, starts));
                return;
            }
            for (int i = from; i < order.Length; i++)
            {
                (order[from], order[i]) = (order[i], order[from]);
                Try(order, from + 1);
                (order[from], order[i]) = (order[i], order[from]);
            }
        }
    }
}
