namespace Millstream;

/// <summary>One instance as a job that arrives at some time, and what became of it. Times are whole units of the library; a second of the scheduler's clock.</summary>
internal sealed class SimulatedJob(ProjectInstance instance, int number = 0, long arrival = 0, double weight = 1)
{
    private readonly int[] _waits = [.. instance.Network.Predecessors.Select(p => p.Length)];
    private int _left = instance.Count;

    public ProjectInstance Instance => instance;

    public int Number => number;

    public long Arrival => arrival;

    public double Weight => weight;

    /// <summary>By activity when it started.</summary>
    public long[] Starts { get; } = [.. Enumerable.Repeat(-1L, instance.Count)];

    /// <summary>By activity when all before it had ended.</summary>
    public long[] ReadyAt { get; } = new long[instance.Count];

    /// <summary>When the last activity ended.</summary>
    public long End { get; private set; }

    public bool IsOver => _left == 0;

    /// <summary>The activities that are ready once this one has ended; those that take no time and nothing else are passed.</summary>
    public IEnumerable<int> Finish(int task, long now)
    {
        _left--;
        End = now;
        foreach (int next in instance.Network.Successors[task])
        {
            if (--_waits[next] == 0)
            {
                foreach (int ready in Enter(next, now))
                    yield return ready;
            }
        }
    }

    /// <summary>The first activity is ready; gives those that can be started.</summary>
    public IEnumerable<int> Enter(int task, long now)
    {
        ReadyAt[task] = now;
        if (instance.Durations[task] > 0 || instance.Demands[task].Any(d => d > 0))
            return [task];
        Starts[task] = now;
        return Finish(task, now);
    }
}

/// <summary>Decides which of the activities that are ready start.</summary>
internal abstract class Dispatcher
{
    public virtual void Arrived(SimulatedJob job)
    {
    }

    /// <summary>What happened at one moment, then what starts.</summary>
    public abstract IReadOnlyList<(SimulatedJob Job, int Task)> Decide(long now, List<(SimulatedJob Job, int Task)> ended, List<(SimulatedJob Job, int Task)> ready);

    /// <summary>When something happens by time alone; null for never.</summary>
    public virtual long? Wake(long now) => null;
}

/// <summary>A clock that jumps from one moment at which something happens to the next.</summary>
internal static class SimulatedRun
{
    public static void Run(IReadOnlyList<SimulatedJob> jobs, Dispatcher dispatcher)
    {
        PriorityQueue<(SimulatedJob Job, int Task), long> events = new();
        foreach (SimulatedJob job in jobs)
            events.Enqueue((job, -1), job.Arrival);
        List<(SimulatedJob Job, int Task)> ended = [], ready = [];
        long last = -1;
        while (events.TryPeek(out _, out long now))
        {
            if (dispatcher.Wake(last) is { } wake && wake > last && wake < now)
                now = wake;
            last = now;
            (ended, ready) = ([], []);
            while (events.TryPeek(out (SimulatedJob Job, int Task) what, out long at) && at == now)
            {
                events.Dequeue();
                if (what.Task < 0)
                    dispatcher.Arrived(what.Job);
                else
                    ended.Add(what);
                ready.AddRange((what.Task < 0 ? what.Job.Enter(0, now) : what.Job.Finish(what.Task, now)).Select(t => (what.Job, t)));
            }
            // What is ready at the same moment has no order but that of its numbers.
            ready.Sort(static (a, b) => (a.Job.Number, a.Task).CompareTo((b.Job.Number, b.Task)));
            foreach ((SimulatedJob job, int task) in dispatcher.Decide(now, ended, ready))
            {
                job.Starts[task] = now;
                events.Enqueue((job, task), now + job.Instance.Durations[task]);
            }
        }
        if (jobs.FirstOrDefault(j => !j.IsOver) is { } left)
            throw new InvalidOperationException($"{left.Instance.Name}: nothing runs, and it is not over");
    }
}
