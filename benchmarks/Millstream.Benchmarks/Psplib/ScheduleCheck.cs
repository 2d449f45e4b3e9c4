namespace Millstream;

/// <summary>Looks at a finished schedule without any code of those that make one: each activity once, after those before it, and never more of a resource than there is.</summary>
internal static class ScheduleCheck
{
    /// <summary>The makespan of a schedule.</summary>
    /// <param name="instance">What was scheduled.</param>
    /// <param name="starts">When each activity starts; -1 for never.</param>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public static long Makespan(ProjectInstance instance, long[] starts)
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
        long[,] used = new long[end, instance.Capacities.Length];
        for (int task = 0; task < instance.Count; task++)
        {
            for (long time = starts[task]; time < starts[task] + instance.Durations[task]; time++)
            {
                for (int resource = 0; resource < instance.Capacities.Length; resource++)
                {
                    if ((used[time, resource] += instance.Demands[task][resource]) > instance.Capacities[resource])
                        throw new InvalidOperationException($"{instance.Name}: at {time} resource {resource + 1} is used by {used[time, resource]} of {instance.Capacities[resource]} with activity {task + 1}");
                }
            }
        }
        return end;
    }
}
