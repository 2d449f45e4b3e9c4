namespace Millstream;

/// <summary>What a plan sees of a job at one moment: what is done, what runs and until when, what is left.</summary>
internal sealed class PlanState(int count)
{
    public long Now { get; set; }

    /// <summary>By task whether it has ended.</summary>
    public bool[] IsDone { get; } = new bool[count];

    /// <summary>By task when it will end, if it runs; else 0.</summary>
    public long[] RunsUntil { get; } = new long[count];

    public bool IsLeft(int task) => !IsDone[task] && RunsUntil[task] == 0;

    public void CopyTo(PlanState other)
    {
        other.Now = Now;
        IsDone.CopyTo(other.IsDone, 0);
        RunsUntil.CopyTo(other.RunsUntil, 0);
    }
}

/// <summary>
/// Makes a schedule of what is left of a job from an order of its tasks. In series each task, in that order, gets the earliest time at which it fits from its start to
/// its end, so one may wait although it would fit now; in parallel what fits now starts now (the serial and the parallel schedule generation scheme of
/// Kolisch, 1996). Times are ticks. Keeps its buffers: not for two threads at once.
/// </summary>
internal sealed class ScheduleDecoder
{
    private readonly PlanModel model;
    private readonly TaskNetwork network;
    private readonly int kinds;
    private readonly int[] waits;
    private readonly int[] eligible;
    private readonly int[] running;
    private readonly long[] from;
    private readonly long[] free;
    private long[] points;
    private long[] levels;
    private int eligibleCount;
    private int pointCount;

    public ScheduleDecoder(PlanModel model)
    {
        (this.model, network, kinds) = (model, model.Network, model.Capacities.Length);
        int count = network.Count;
        (waits, eligible, running, from, free) = (new int[count], new int[count], new int[count], new long[count], new long[kinds]);
        points = new long[2 * count + 2];
        levels = new long[points.Length * kinds];
    }

    /// <summary>How many schedules were made.</summary>
    public long Made { get; private set; }

    /// <summary>In series.</summary>
    /// <param name="state">Where the job is.</param>
    /// <param name="keys">By task its place in line: the smallest goes first.</param>
    /// <param name="starts">Gets by task when what is left starts.</param>
    /// <param name="isBackward">Whether the arrows are read from their heads, so that it is a schedule of the end of the job, in time that runs back from <paramref name="end"/>.</param>
    /// <param name="end">When it all ends, of a backward one.</param>
    /// <returns>When the last task ends; of a backward one how much time it takes.</returns>
    public long Serial(PlanState state, long[] keys, long[] starts, bool isBackward = false, long end = 0)
    {
        Begin(state, keys, isBackward, end);
        int[][] successors = isBackward ? network.Predecessors : network.Successors;
        long last = isBackward ? 0 : state.Now;
        for (int task = 0; !isBackward && task < network.Count; task++)
            last = Math.Max(last, state.RunsUntil[task]);
        while (eligibleCount > 0)
        {
            int task = TakeFirst();
            long start = Place(task);
            starts[task] = start;
            long ends = start + model.Durations[task];
            last = Math.Max(last, ends);
            foreach (int next in successors[task])
            {
                if (!state.IsLeft(next))
                    continue;
                from[next] = Math.Max(from[next], ends);
                if (--waits[next] == 0)
                    Insert(next, keys);
            }
        }
        return last;
    }

    /// <summary>In parallel; arguments as in <see cref="Serial"/>.</summary>
    public long Parallel(PlanState state, long[] keys, long[] starts)
    {
        Begin(state, keys, false, 0, waitsForRunning: true);
        model.Capacities.CopyTo(free, 0);
        int runningCount = 0;
        long now = state.Now, last = now;
        for (int task = 0; task < network.Count; task++)
        {
            if (state.RunsUntil[task] != 0)
                Start(task, state.RunsUntil[task]);
        }
        while (true)
        {
            for (int i = 0; i < eligibleCount; i++)
            {
                int task = eligible[i];
                if (!Fits(task))
                    continue;
                RemoveAt(i);
                starts[task] = now;
                if (model.Durations[task] == 0)
                {
                    Release(task);
                    // What it lets go may come before those that were looked at.
                    i = -1;
                    continue;
                }
                i--;
                Start(task, now + model.Durations[task]);
            }
            if (runningCount == 0)
                return last;
            now = last = Math.Max(now, from[running[runningCount - 1]]);
            while (runningCount > 0 && from[running[runningCount - 1]] <= now)
            {
                int task = running[--runningCount];
                for (int kind = 0; kind < kinds; kind++)
                    free[kind] += model.Demands[task * kinds + kind];
                Release(task);
            }
        }

        void Start(int task, long until)
        {
            for (int kind = 0; kind < kinds; kind++)
                free[kind] -= model.Demands[task * kinds + kind];
            // From here on the end of what runs; the list has the latest end first.
            from[task] = until;
            int at = runningCount++;
            for (; at > 0 && from[running[at - 1]] < until; at--)
                running[at] = running[at - 1];
            running[at] = task;
        }

        void Release(int task)
        {
            foreach (int next in network.Successors[task])
            {
                if (state.IsLeft(next) && --waits[next] == 0)
                    Insert(next, keys);
            }
        }
    }

    private bool Fits(int task)
    {
        for (int kind = 0; kind < kinds; kind++)
        {
            if (model.Demands[task * kinds + kind] > free[kind])
                return false;
        }
        return true;
    }

    private void Begin(PlanState state, long[] keys, bool isBackward, long end, bool waitsForRunning = false)
    {
        Made++;
        eligibleCount = 0;
        long origin = isBackward ? 0 : state.Now;
        pointCount = 1;
        points[0] = origin;
        model.Capacities.CopyTo(levels, 0);
        int[][] predecessors = isBackward ? network.Successors : network.Predecessors;
        for (int task = 0; task < network.Count; task++)
        {
            if (!state.IsLeft(task))
            {
                // In time that runs back what runs now is at the end of it.
                if (state.RunsUntil[task] is > 0 and var until && !(isBackward && until >= end))
                    Take(task, isBackward ? end - until : origin, isBackward ? end - state.Now : until);
                continue;
            }
            (waits[task], from[task]) = (0, origin);
            foreach (int before in predecessors[task])
            {
                if (state.IsLeft(before) || (waitsForRunning && state.RunsUntil[before] != 0))
                    waits[task]++;
                else if (!isBackward)
                    from[task] = Math.Max(from[task], state.RunsUntil[before]);
            }
        }
        for (int task = 0; task < network.Count; task++)
        {
            if (!state.IsLeft(task))
                continue;
            if (waits[task] == 0)
                Insert(task, keys);
        }
    }

    private void Insert(int task, long[] keys)
    {
        int at = eligibleCount++;
        for (; at > 0 && (keys[eligible[at - 1]] > keys[task] || (keys[eligible[at - 1]] == keys[task] && eligible[at - 1] > task)); at--)
            eligible[at] = eligible[at - 1];
        eligible[at] = task;
    }

    private int TakeFirst()
    {
        int task = eligible[0];
        RemoveAt(0);
        return task;
    }

    private void RemoveAt(int index)
    {
        eligibleCount--;
        Array.Copy(eligible, index + 1, eligible, index, eligibleCount - index);
    }

    /// <summary>The earliest time at which a task fits; takes what it needs from then on.</summary>
    private long Place(int task)
    {
        long start = from[task], duration = model.Durations[task];
        if (duration == 0)
            return start;
        int at = pointCount - 1;
        while (points[at] > start)
            at--;
        int first = at;
        for (; at < pointCount && points[at] < start + duration; at++)
        {
            for (int kind = 0; kind < kinds; kind++)
            {
                if (levels[at * kinds + kind] < model.Demands[task * kinds + kind])
                {
                    // Not before the next change; behind the last one all is free.
                    first = at + 1;
                    start = points[first];
                    break;
                }
            }
        }
        Take(task, start, start + duration, first);
        return start;
    }

    private void Take(int task, long start, long end, int hint = 0)
    {
        int first = Split(start, hint), last = Split(end, first);
        for (int at = first; at < last; at++)
        {
            for (int kind = 0; kind < kinds; kind++)
                levels[at * kinds + kind] -= model.Demands[task * kinds + kind];
        }
    }

    /// <summary>The index of the change at a time, which is made where there is none.</summary>
    private int Split(long time, int hint)
    {
        int at = hint;
        while (at < pointCount && points[at] < time)
            at++;
        if (at < pointCount && points[at] == time)
            return at;
        if (pointCount == points.Length)
        {
            Array.Resize(ref points, pointCount * 2);
            Array.Resize(ref levels, points.Length * kinds);
        }
        Array.Copy(points, at, points, at + 1, pointCount - at);
        Array.Copy(levels, at * kinds, levels, (at + 1) * kinds, (pointCount - at) * kinds);
        points[at] = time;
        Array.Copy(levels, (at - 1) * kinds, levels, at * kinds, kinds);
        pointCount++;
        return at;
    }
}
