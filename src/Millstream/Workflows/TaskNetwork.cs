using System.Collections;

namespace Millstream;

/// <summary>What comes after what in a graph without cycles, and what follows from that alone. Immutable.</summary>
internal sealed class TaskNetwork
{
    // Beyond it exact counts of successors would cost more than they give.
    private const int MaxExactCount = 2_000;

    /// <summary>Takes the successors of each task, each named once.</summary>
    public TaskNetwork(int[][] successors)
    {
        Successors = successors;
        int[] waits = new int[successors.Length];
        foreach (int next in successors.SelectMany(s => s))
            waits[next]++;
        Predecessors = [.. waits.Select(n => new int[n])];
        int[] filled = new int[successors.Length];
        for (int task = 0; task < successors.Length; task++)
        {
            foreach (int next in successors[task])
                Predecessors[next][filled[next]++] = task;
        }
        List<int> order = [.. Enumerable.Range(0, successors.Length).Where(t => waits[t] == 0)];
        for (int i = 0; i < order.Count; i++)
        {
            foreach (int next in successors[order[i]])
            {
                if (--waits[next] == 0)
                    order.Add(next);
            }
        }
        Order = [.. order];
    }

    public int Count => Successors.Length;

    public int[][] Successors { get; }

    public int[][] Predecessors { get; }

    /// <summary>The tasks, each behind what it waits for; shorter than <see cref="Count"/> where there is a cycle.</summary>
    public int[] Order { get; }

    /// <summary>
    /// How many tasks come after each, directly or not; 0 of each where counting would be dear (more than 2,000 tasks).
    /// </summary>
    /// <param name="counts">Whether a task counts.</param>
    public long[] CountSuccessors(Func<int, bool> counts)
    {
        long[] successors = new long[Count];
        if (Count > MaxExactCount)
            return successors;
        var after = new BitArray[Count];
        foreach (int task in Order.Reverse())
        {
            BitArray all = after[task] = new BitArray(Count);
            foreach (int next in Successors[task])
            {
                all.Or(after[next]);
                all[next] = true;
            }
            for (int other = 0; other < Count; other++)
                successors[task] += all[other] && counts(other) ? 1 : 0;
        }
        return successors;
    }

    /// <summary>The longest chain behind each task, without the task itself: the whole less this is its latest finish time.</summary>
    /// <param name="length">The length of a task.</param>
    public long[] Tails(Func<int, long> length)
    {
        long[] tails = new long[Count];
        foreach (int task in Order.Reverse())
        {
            foreach (int next in Successors[task])
                tails[task] = Math.Max(tails[task], length(next) + tails[next]);
        }
        return tails;
    }

    /// <summary>Ranks without ties: a higher value has a higher one, of equal values the task that was named first.</summary>
    public static long[] Ranks(long[] values)
    {
        long[] ranks = new long[values.Length];
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(task => values[task]).ThenByDescending(task => task)];
        for (int place = 0; place < order.Length; place++)
            ranks[order[place]] = place;
        return ranks;
    }
}
