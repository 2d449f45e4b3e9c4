namespace Millstream;

/// <summary>Looks at a finished schedule without any code of those that make one: each activity once, after those before it, and never more of a resource than there is.</summary>
internal static class ScheduleCheck
{
    /// <summary>The makespan of one instance's schedule.</summary>
    /// <param name="instance">What was scheduled.</param>
    /// <param name="starts">When each activity starts; -1 for never.</param>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public static long Makespan(ProjectInstance instance, long[] starts)
    {
        long end = CheckOrder(instance, starts);
        CheckCapacities([(instance, starts)], instance.Capacities);
        return end;
    }

    /// <summary>Looks at many instances that share what there is.</summary>
    /// <exception cref="InvalidOperationException">They are no schedule, or one starts before it has arrived.</exception>
    public static void All(IReadOnlyList<SimulatedJob> jobs, int[] capacities)
    {
        foreach (SimulatedJob job in jobs)
        {
            if (CheckOrder(job.Instance, job.Starts) != job.End || job.Starts.Min() < job.Arrival)
                throw new InvalidOperationException($"{job.Instance.Name}, which arrives at {job.Arrival}: starts at {job.Starts.Min()} and is said to end at {job.End}");
        }
        CheckCapacities([.. jobs.Select(j => (j.Instance, j.Starts))], capacities);
    }

    private static long CheckOrder(ProjectInstance instance, long[] starts)
    {
        long end = 0;
        for (int task = 0; task < instance.Count; task++)
        {
            if (starts[task] < 0)
                throw new InvalidOperationException($"{instance.Name}: activity {task + 1} never starts");
            long ends = starts[task] + instance.Durations[task];
            end = Math.Max(end, ends);
            foreach (int next in instance.Network.Successors[task])
            {
                if (starts[next] < ends)
                    throw new InvalidOperationException($"{instance.Name}: activity {next + 1} starts at {starts[next]}, but {task + 1} before it ends at {ends}");
            }
        }
        return end;
    }

    private static void CheckCapacities(IReadOnlyList<(ProjectInstance Instance, long[] Starts)> all, int[] capacities)
    {
        long end = all.Max(a => a.Starts.Zip(a.Instance.Durations, (s, d) => s + d).Max());
        long[,] used = new long[end, capacities.Length];
        foreach ((ProjectInstance instance, long[] starts) in all)
        {
            for (int task = 0; task < instance.Count; task++)
            {
                for (long time = starts[task]; time < starts[task] + instance.Durations[task]; time++)
                {
                    for (int resource = 0; resource < capacities.Length; resource++)
                    {
                        if ((used[time, resource] += instance.Demands[task][resource]) > capacities[resource])
                            throw new InvalidOperationException($"{instance.Name}: at {time} resource {resource + 1} is used by {used[time, resource]} of {capacities[resource]} with activity {task + 1}");
                    }
                }
            }
        }
    }
}
