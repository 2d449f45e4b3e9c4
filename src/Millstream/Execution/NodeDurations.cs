namespace Millstream;

/// <summary>
/// How long the tasks of one graph took. Nothing is kept of tasks that always take less than a millisecond but that they do: there may be very many, and their order is not worth a thought.
/// </summary>
/// <param name="graph">The graph.</param>
/// <param name="known">By index what is known of its nodes.</param>
/// <param name="make">Gives where to note a node by its id.</param>
internal sealed class NodeDurations(WorkflowGraph graph, TaskDurations?[] known, Func<string, TaskDurations> make)
{
    private const long Short = TimeSpan.TicksPerMillisecond;

    private static readonly TaskDurations s_short = MakeShort();

    /// <summary>The graph.</summary>
    public WorkflowGraph Graph => graph;

    /// <summary>The longest run that was seen, in ticks; 0 for none.</summary>
    public long Longest { get; private set; } = known.Max(k => k?.Longest ?? 0);

    /// <summary>A run of a node has given an output; from any thread.</summary>
    public void Add(int node, long ticks)
    {
        TaskDurations? durations = known[node];
        if (ticks < Short && (durations is null || durations == s_short))
        {
            if (durations is null)
                known[node] = s_short;
            return;
        }
        if (durations is null || durations == s_short)
            known[node] = durations = make(graph.Nodes[node].Id!);
        durations.Add(ticks);
        if (ticks > Longest)
            Longest = ticks;
    }

    /// <summary>How long the next run of a node will take; null where nothing is known.</summary>
    /// <param name="node">The node.</param>
    /// <param name="declared">What its author says, for the time until there is a run.</param>
    public DurationEstimate? Estimate(int node, TimeSpan? declared) => known[node]?.Estimate() ?? (declared is { } said ? TaskDurations.Said(said) : null);

    private static TaskDurations MakeShort()
    {
        TaskDurations durations = new();
        durations.Add(Short / 2);
        return durations;
    }
}
