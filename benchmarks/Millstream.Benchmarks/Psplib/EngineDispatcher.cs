using System.Diagnostics;

namespace Millstream;

/// <summary>The engine's own scheduler with its plans, on the simulated clock.</summary>
internal sealed class EngineDispatcher : Dispatcher
{
    private readonly Scheduler _scheduler = new(new SchedulerOptions(), 1);
    private readonly PsplibSettings _settings;
    private readonly Dictionary<SimulatedJob, Entry> _jobs = [];
    private readonly Dictionary<(SimulatedJob, int), Grant> _grants = [];

    public EngineDispatcher(int[] capacities, PsplibSettings settings)
    {
        _settings = settings;
        _scheduler.AddWorker("w", "w", [.. capacities.Select((c, r) => new ResourceUnit($"r{r}", Type(r), c))], 0, 1_000_000);
    }

    public override void Arrived(SimulatedJob job)
    {
        ProjectInstance instance = job.Instance;
        IReadOnlyList<ResourceRequirement>?[] needs = [.. instance.Demands.Select((row, task) => IsPassed(instance, task) ? null : Needs(row))];
        TaskRanking ranking = new(instance.Network, task => needs[task] is not null, needs);
        Entry entry = new(new SchedulingJob(instance.Name, "t", job.Weight), ranking.Ranks);
        entry.Shapes = [.. needs.Select(n => n is null ? null : _scheduler.Intern([.. n]))];
        _jobs.Add(job, entry);
        if (_settings.Estimates(instance) is not { } estimates || JobPlan.Make(_scheduler.Model(ranking, estimates), _settings.Known.Spread) is not { } plan)
            return;
        _scheduler.Plan(entry.Job, plan);
        for (int task = 0; task < instance.Count; task++)
        {
            if (needs[task] is null)
                plan.Passed(task);
        }
        if (plan.MayWait && _settings.LookAhead > TimeSpan.Zero)
            entry.LookAhead = new LookAhead(plan.Model, _settings.Seed);
    }

    public override IReadOnlyList<(SimulatedJob Job, int Task)> Decide(long now, List<(SimulatedJob Job, int Task)> ended, List<(SimulatedJob Job, int Task)> ready)
    {
        long ticks = now * TimeSpan.TicksPerSecond;
        _scheduler.Tick(ticks);
        _scheduler.BeginBatch();
        foreach ((SimulatedJob Job, int Task) task in ended)
        {
            _grants.Remove(task, out Grant? grant);
            _scheduler.Release(grant!, ticks);
            if (task.Job.IsOver)
                _jobs.Remove(task.Job);
        }
        foreach ((SimulatedJob job, int task) in ready)
        {
            Entry entry = _jobs[job];
            _scheduler.Submit(new TaskRequest(entry.Job, task, entry.Shapes[task]!, "", entry.Ranks[task]) { PlanTask = task, Tag = job }, ticks);
        }
        foreach (Entry entry in _jobs.Values)
        {
            if (entry.LookAhead is { } lookAhead && entry.Job.Plan!.Waiting.Count > 0)
                Think(entry.Job, lookAhead, ticks);
        }
        _scheduler.EndBatch();
        List<(SimulatedJob Job, int Task)> started = [];
        while (_scheduler.TryTake(out Decision decision))
        {
            if (decision.Kind != DecisionKind.Granted)
                throw new InvalidOperationException($"{decision.Request.Job.Id}: activity {decision.Request.Number + 1} was not granted: {decision.Reason}");
            (SimulatedJob Job, int Task) task = ((SimulatedJob)decision.Request.Tag!, (int)decision.Request.Number);
            _grants.Add(task, decision.Grant!);
            started.Add(task);
        }
        return started;
    }

    public override long? Wake(long now) => _scheduler.NextWake(now * TimeSpan.TicksPerSecond) is { } wake ? (wake + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond : null;

    private void Think(SchedulingJob job, LookAhead lookAhead, long ticks)
    {
        long start = Stopwatch.GetTimestamp();
        lookAhead.Improve(job.Plan!.StateAt(ticks), () => Stopwatch.GetElapsedTime(start) < _settings.LookAhead);
        _scheduler.Replan(job, lookAhead.Keys, ticks);
    }

    private static bool IsPassed(ProjectInstance instance, int task) => instance.Durations[task] == 0 && instance.Demands[task].All(d => d == 0);

    private static List<ResourceRequirement> Needs(int[] row) => [.. row.Select((amount, r) => amount > 0 ? ResourceRequirement.Units(Type(r), amount) : null).OfType<ResourceRequirement>()];

    private static string Type(int resource) => $"R{resource + 1}";

    private sealed class Entry(SchedulingJob job, long[] ranks)
    {
        public SchedulingJob Job => job;

        public long[] Ranks => ranks;

        public TaskShape?[] Shapes { get; set; } = [];

        public LookAhead? LookAhead { get; set; }
    }
}
