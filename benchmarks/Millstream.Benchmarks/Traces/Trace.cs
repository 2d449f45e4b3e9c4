namespace Millstream;

/// <summary>One task of a trace.</summary>
/// <param name="Id">The id that the file gives it.</param>
/// <param name="Program">What it ran.</param>
/// <param name="Seconds">How long it ran there.</param>
/// <param name="Parents">The places in the trace of what ran before it.</param>
internal sealed record TraceTask(string Id, string Program, double Seconds, int[] Parents)
{
    /// <summary>The type of resource that it needs.</summary>
    public string Type { get; } = TracePrograms.TypeOf(Program);
}

/// <summary>A run of a workflow as somebody recorded it. Parents stand before their children.</summary>
internal sealed record Trace(string Name, IReadOnlyList<TraceTask> Tasks)
{
    /// <summary>How long each task takes in a replay, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    /// <param name="scale">Seconds of a replay for one of the trace.</param>
    /// <param name="longer">What each task takes beside.</param>
    public long[] Durations(double scale, TimeSpan longer) => [.. Tasks.Select(t => Clock.Ticks(t.Seconds * scale + longer.TotalSeconds))];

    /// <summary>What no schedule can be shorter than: the longest chain, and of each type the work divided by its capacity.</summary>
    public long LowerBound(long[] durations)
    {
        long[] ends = new long[Tasks.Count];
        for (int i = 0; i < ends.Length; i++)
            ends[i] = durations[i] + Tasks[i].Parents.Select(p => ends[p]).DefaultIfEmpty(0).Max();
        IEnumerable<long> work = Enumerable.Range(0, ends.Length).GroupBy(i => Tasks[i].Type).Select(g => (long)Math.Ceiling(g.Sum(i => durations[i]) / (double)TracePrograms.Capacities[g.Key]));
        return work.Append(ends.Max()).Max();
    }
}
