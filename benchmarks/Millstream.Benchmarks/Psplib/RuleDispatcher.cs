namespace Millstream;

/// <summary>Plain rules to compare with, without the engine's scheduler: what waits is in one line, and what fits is started from its front.</summary>
internal sealed class RuleDispatcher(int[] capacities, PsplibSettings settings) : Dispatcher
{
    private readonly PriorityQueue<(SimulatedJob Job, int Task), (long, long, int)> _line = new();
    private readonly int[] _free = [.. capacities];
    private readonly Dictionary<SimulatedJob, long[]> _values = [];
    private long _arrived;

    public override void Arrived(SimulatedJob job)
    {
        TaskNetwork network = job.Instance.Network;
        if (settings.Rule == OrderRule.MostSuccessors)
            _values.Add(job, network.CountSuccessors(_ => true));
        else if (settings.Rule == OrderRule.LatestFinish && settings.Estimates(job.Instance) is { } estimates)
            _values.Add(job, network.Tails(t => estimates[t]));
    }

    public override IReadOnlyList<(SimulatedJob Job, int Task)> Decide(long now, List<(SimulatedJob Job, int Task)> ended, List<(SimulatedJob Job, int Task)> ready)
    {
        foreach ((SimulatedJob job, int task) in ended)
            Add(job, task, 1);
        foreach ((SimulatedJob job, int task) in ready)
            _line.Enqueue((job, task), (_values.TryGetValue(job, out long[]? values) ? -values[task] : 0, _values.Count > 0 ? task : _arrived++, job.Number));
        List<((SimulatedJob, int), (long, long, int))> left = [];
        List<(SimulatedJob Job, int Task)> started = [];
        bool isBlocked = false;
        while (_line.TryDequeue(out (SimulatedJob Job, int Task) first, out (long, long, int) place))
        {
            int[] demands = first.Job.Instance.Demands[first.Task];
            if (isBlocked || demands.Where((d, r) => d > _free[r]).Any())
            {
                left.Add((first, place));
                isBlocked = settings.Rule == OrderRule.BlockingFifo;
                continue;
            }
            Add(first.Job, first.Task, -1);
            started.Add(first);
        }
        _line.EnqueueRange(left);
        return started;
    }

    private void Add(SimulatedJob job, int task, int sign)
    {
        for (int r = 0; r < _free.Length; r++)
            _free[r] += sign * job.Instance.Demands[task][r];
    }
}
