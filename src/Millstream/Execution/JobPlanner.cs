namespace Millstream;

/// <summary>
/// Plans a job that executes a graph: by how long its tasks will take where that is known well enough, else by the graph alone. While the job runs it looks
/// ahead beside it, for a small part of the time that the rest of the job will take.
/// </summary>
internal sealed class JobPlanner : WorkPlan, IThreadPoolWorkItem
{
    // Shorter jobs have nothing to gain, and larger graphs too much to look at.
    private const int MostTasks = 500;
    private const double Part = 0.01;
    private const int Rests = 0, Thinks = 1, Again = 2;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100), LeastThought = TimeSpan.FromMilliseconds(1);

    private readonly JobRunner _runner;
    private readonly WorkflowGraph _graph;
    private readonly NodeDurations _durations;
    private readonly long[]? _began;
    private readonly JobPlan? _plan;
    private readonly LookAhead? _lookAhead;
    private readonly PlanState? _state;
    private int _thinking;

    public JobPlanner(JobRunner runner, WorkflowGraph graph)
    {
        (_runner, _graph, _durations) = (runner, graph, runner.Engine.Durations.Of(graph));
        if (graph.Nodes.Any(n => n.Child is not null))
            _began = new long[graph.Nodes.Count];
        if (runner.IsShadow || (_durations.Longest * graph.TaskCount < Shortest.Ticks && !graph.IsTimed) || Estimates(out double spread) is not { } ticks)
            return;
        bool[]? isMany = graph.Nodes.Any(n => n.ItemInput is not null) ? [.. graph.Nodes.Select(n => n.ItemInput is not null)] : null;
        PlanModel model = Fleet.Model(graph.Ranking, ticks);
        if (model.CriticalPath < Shortest.Ticks || JobPlan.Make(model, spread, isMany) is not { } plan)
            return;
        _plan = plan;
        Fleet.Plan(runner.Scheduling, plan);
        if (!plan.MayWait || runner.Engine.Options.LookAhead <= TimeSpan.Zero || graph.Nodes.Count > MostTasks)
            return;
        _lookAhead = new LookAhead(model, StableHash.Of(graph.Id), runner.Engine.Options.LookAheadPatience);
        _state = new PlanState(graph.Nodes.Count);
        if (!runner.IsReplaying)
            Think();
    }

    private Fleet Fleet => _runner.Engine.Fleet;

    /// <summary>A run of a task has given an output; from any thread.</summary>
    /// <param name="task">The task; -1 for one that is not planned.</param>
    /// <param name="ticks">How long it took.</param>
    public void Took(int task, long ticks)
    {
        if (task >= 0)
            _durations.Add(task, ticks);
    }

    public override void Began(int task)
    {
        // How long it took before this process is not known.
        _began![task] = _runner.IsReplaying ? 0 : Fleet.Passed;
        if (_plan is not null)
            Fleet.Began(_runner.Scheduling, task);
    }

    public override void Passed(int task, bool isCompleted)
    {
        if (isCompleted && _began is not null && _began[task] != 0 && !_runner.IsReplaying && !_runner.IsShadow)
            _durations.Add(task, Fleet.Passed - _began[task]);
        if (_plan is not null)
            Fleet.Pass(_runner.Scheduling, task);
    }

    /// <summary>Something of the job began or ended: looks ahead where that may change what goes next.</summary>
    public void Consider()
    {
        if (_lookAhead is not null && Fleet.HasChoice(_plan!) && Interlocked.Exchange(ref _thinking, Again) == Rests)
            _runner.Engine.Executor.Schedule(this);
    }

    /// <summary>Looks ahead, and again where something has happened meanwhile.</summary>
    public void Execute()
    {
        do
        {
            Volatile.Write(ref _thinking, Thinks);
            Think();
        }
        while (Interlocked.CompareExchange(ref _thinking, Rests, Thinks) != Thinks);
    }

    private void Think()
    {
        Fleet.CopyState(_plan!, _state!);
        TimeSpan left = TimeSpan.FromTicks(_plan!.Model.LowerBound(_state!) - _state!.Now), most = left * Part;
        if (most < LeastThought)
            return;
        if (_runner.Engine.Options.LookAhead < most)
            most = _runner.Engine.Options.LookAhead;
        TimeProvider time = _runner.Engine.Time;
        long start = time.GetTimestamp();
        _lookAhead!.Improve(_state!, () => time.GetElapsedTime(start) < most);
        Fleet.Replan(_runner.Scheduling, _lookAhead.Keys);
    }

    /// <summary>By task how long it will take; null where that is not known of half of them.</summary>
    private long[]? Estimates(out double spread)
    {
        spread = 0;
        // Ranks are sums of them.
        long longest = long.MaxValue / (16 * (_graph.Nodes.Count + 1L));
        long[] ticks = new long[_graph.Nodes.Count];
        List<DurationEstimate> known = [];
        List<int> unknown = [];
        foreach (GraphNode node in _graph.Nodes)
        {
            if (node.IsPure)
                continue;
            if (_durations.Estimate(node.Index, node.Options.ExpectedTime) is not { } estimate)
            {
                unknown.Add(node.Index);
                continue;
            }
            if (estimate.Ticks > longest)
                estimate = estimate with { Ticks = longest };
            known.Add(estimate);
            ticks[node.Index] = estimate.Ticks;
        }
        if (known.Count < Math.Max(1, unknown.Count))
            return null;
        long median = known.Select(k => k.Ticks).Order().ElementAt(known.Count / 2);
        foreach (int task in unknown)
        {
            ticks[task] = median;
            known.Add(new DurationEstimate(median, 1));
        }
        // Long tasks matter more.
        spread = Math.Sqrt(known.Sum(k => k.Ticks * k.Spread * k.Spread) / Math.Max(1, known.Sum(k => (double)k.Ticks)));
        return ticks;
    }
}
