namespace Millstream;

/// <summary>A job's tasks for a plan: how long each takes and what of the fleet.</summary>
internal sealed class PlanModel
{
    /// <summary>Takes what is known of a job.</summary>
    /// <param name="network">What comes after what.</param>
    /// <param name="durations">By task how long it takes, in ticks.</param>
    /// <param name="demands">By task and kind how much it takes.</param>
    /// <param name="capacities">By kind how much there is.</param>
    /// <param name="ranks">By task its rank as long as no look-ahead has found something better: a higher one goes first.</param>
    public PlanModel(TaskNetwork network, long[] durations, long[][] demands, long[] capacities, long[] ranks)
    {
        (Network, Durations, Capacities, Ranks) = (network, durations, capacities, ranks);
        Demands = new long[network.Count * capacities.Length];
        for (int task = 0; task < network.Count; task++)
        {
            // What is more than all there is cannot be planned; the scheduler tells it.
            for (int kind = 0; kind < capacities.Length; kind++)
                Demands[task * capacities.Length + kind] = Math.Min(demands[task][kind], capacities[kind]);
        }
        Tails = network.Tails(task => durations[task]);
    }

    public TaskNetwork Network { get; }

    public long[] Durations { get; }

    /// <summary>By task, then kind.</summary>
    public long[] Demands { get; }

    public long[] Capacities { get; }

    /// <summary>By task its rank as long as no look-ahead has found something better: a higher one goes first.</summary>
    public long[] Ranks { get; }

    /// <summary>The longest time behind each task.</summary>
    public long[] Tails { get; }

    /// <summary>The longest chain of all.</summary>
    public long CriticalPath => Network.Order.Max(task => Durations[task] + Tails[task]);

    /// <summary>No schedule of what is left ends before: the longest chain, and the work of each kind over what there is.</summary>
    public long LowerBound(PlanState state)
    {
        int kinds = Capacities.Length;
        long bound = state.Now;
        Span<double> work = stackalloc double[kinds];
        foreach (int task in Network.Order)
        {
            long left = state.RunsUntil[task] is > 0 and var until ? Math.Max(0, until - state.Now) : state.IsLeft(task) ? Durations[task] : 0;
            if (left > 0)
                bound = Math.Max(bound, state.Now + left + Tails[task]);
            for (int kind = 0; kind < kinds; kind++)
                work[kind] += (double)left * Demands[task * kinds + kind];
        }
        for (int kind = 0; kind < kinds; kind++)
            bound = Math.Max(bound, state.Now + (long)Math.Ceiling(work[kind] / Capacities[kind]));
        return bound;
    }
}
