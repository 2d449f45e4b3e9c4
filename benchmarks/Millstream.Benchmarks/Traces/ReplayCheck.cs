namespace Millstream;

/// <summary>Looks at when tasks began and ended, and at nothing of the engine: whether the schedule was one.</summary>
internal static class ReplayCheck
{
    /// <returns>What was wrong, or null.</returns>
    public static string? Fault(Trace trace, long[] durations, ReplayRun run)
    {
        for (int i = 0; i < durations.Length; i++)
        {
            string id = trace.Tasks[i].Id;
            if (run.Runs[i] != 1)
                return $"task {id} ran {run.Runs[i]} times";
            if (run.Ended[i] - run.Began[i] < durations[i])
                return $"task {id} took {run.Ended[i] - run.Began[i]} ticks instead of {durations[i]}";
            if (trace.Tasks[i].Parents.Any(p => run.Ended[p] > run.Began[i]))
                return $"task {id} began before a parent had ended";
            if (run.Ended[i] > run.Makespan)
                return $"task {id} ended after its job";
        }
        foreach (IGrouping<string, int> type in Enumerable.Range(0, durations.Length).GroupBy(i => trace.Tasks[i].Type))
        {
            // An end frees its unit before a beginning at the same moment takes one.
            int busy = 0;
            foreach ((_, int change) in type.SelectMany(i => new[] { (At: run.Began[i], Change: 1), (At: run.Ended[i], Change: -1) }).OrderBy(e => e.At).ThenBy(e => e.Change))
            {
                busy += change;
                if (busy > TracePrograms.Capacities[type.Key])
                    return $"{busy} tasks of type {type.Key} ran at once; its capacity is {TracePrograms.Capacities[type.Key]}";
            }
        }
        return null;
    }
}
