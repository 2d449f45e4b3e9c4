namespace Millstream;

/// <summary>What a job does with resources.</summary>
internal enum Holding
{
    /// <summary>Leases for each step what that step needs.</summary>
    PerTask,

    /// <summary>Leases when it first needs something and keeps it to its end.</summary>
    Keep,

    /// <summary>Leases all that it will ever need at its start and keeps it to its end.</summary>
    AllAtStart,
}

/// <summary>Jobs of several steps on the real scheduler, in virtual seconds.</summary>
internal sealed class StepJobs
{
    private const int Units = 4, Steps = 6;
    private static readonly string?[] Kinds = ["browser", null, "sandbox", null];

    private readonly Scheduler _scheduler = new(new SchedulerOptions(), 1);
    private readonly PriorityQueue<StepJob, (double, int)> _running = new();
    private readonly List<StepJob> _jobs = [];
    private readonly Holding _holding;
    private double _now;
    private double _leased;
    private double _used;
    private int _order;
    private long _number;

    public StepJobs(int seed, int jobs, Holding holding)
    {
        _holding = holding;
        Random random = new(seed);
        _scheduler.AddWorker("w", "w", [.. new[] { "browser", "sandbox" }.SelectMany(t => Enumerable.Range(0, Units).Select(i => new ResourceUnit($"{t}-{i}", t)))], 0, 1_000);
        for (int i = 0; i < jobs; i++)
            _jobs.Add(new StepJob(new SchedulingJob($"j{i}", "t"), [.. Enumerable.Range(0, Steps).Select(_ => (Kinds[random.Next(Kinds.Length)], random.Next(1, 20)))]));
    }

    private long Ticks => (long)(_now * TimeSpan.TicksPerSecond);

    /// <summary>Runs until nothing goes on: how long, which part of the leased time was work, how many jobs never end.</summary>
    public (double Span, double Used, int Left) Finish()
    {
        foreach (StepJob job in _jobs)
            Go(job);
        while (_running.TryDequeue(out StepJob? job, out (double At, int) key))
        {
            _now = key.At;
            (string? need, int seconds) = job.Steps[job.At++];
            if (need is not null)
                _used += seconds;
            if (_holding == Holding.PerTask || job.At == Steps)
                GiveBack(job);
            Drain();
            if (job.At < Steps)
                Go(job);
        }
        return (_now, _used / _leased, _jobs.Count(j => j.At < Steps));
    }

    private void Go(StepJob job)
    {
        string? need = job.Steps[job.At].Need;
        string[] wanted = _holding == Holding.AllAtStart && job.At == 0 ? [.. job.Steps.Select(s => s.Need).OfType<string>().Distinct().Order()]
            : need is null || job.Held.ContainsKey(need) ? [] : [need];
        if (wanted.Length == 0)
        {
            Begin(job);
            return;
        }
        _scheduler.Submit(new TaskRequest(job.Job, ++_number, _scheduler.Intern([.. wanted.Select(w => ResourceRequirement.Exclusive(w))])) { Tag = job }, Ticks);
        Drain();
    }

    private void Begin(StepJob job) => _running.Enqueue(job, (_now + job.Steps[job.At].Seconds, _order++));

    private void GiveBack(StepJob job)
    {
        foreach ((Grant grant, double since) in job.Held.Values)
        {
            // A gang lies under each of its types; giving it back twice changes nothing.
            _leased += _now - since;
            _scheduler.Release(grant, Ticks);
        }
        job.Held.Clear();
    }

    private void Drain()
    {
        while (_scheduler.TryTake(out Decision decision))
        {
            var job = (StepJob)decision.Request.Tag!;
            foreach (GrantMember member in decision.Grant!.Members)
                job.Held.Add(member.Unit.Type, (decision.Grant, _now));
            Begin(job);
        }
    }

    private sealed class StepJob(SchedulingJob job, (string? Need, int Seconds)[] steps)
    {
        public SchedulingJob Job => job;

        public (string? Need, int Seconds)[] Steps => steps;

        public int At { get; set; }

        public Dictionary<string, (Grant Grant, double Since)> Held { get; } = [];
    }
}
