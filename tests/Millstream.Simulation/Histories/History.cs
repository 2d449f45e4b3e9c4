using System.Text;

namespace Millstream.Simulation;

/// <summary>One seed: an orchestrator, its jobs and the world around them, from the start to the last entry of each job.</summary>
internal sealed class History
{
    private const int MaxSteps = 400_000;

    [ThreadStatic]
    private static History? s_current;

    private readonly int _seed;
    private readonly List<string> _failures = [];
    private JobRecord? _guilty;
    private AgentOrchestrator? _orchestrator;
    private World? _world;
    private Task? _run;
    private int _values;

    private History(int seed)
    {
        _seed = seed;
        Random = new Random(seed);
        Time = new SimulationTime(Random);
        Executor = new SimulationExecutor(Random, Time);
        Ledger = new Ledger(this);
        Maker = new PlanMaker(Random, Plans, TaskCount);
        Tasks = [.. Enumerable.Range(0, TaskCount).Select(n => SimulatedTask.Make(this, Random, n))];
    }

    public const int TaskCount = 8;

    /// <summary>The history that this thread runs.</summary>
    public static History Current => s_current ?? throw new InvalidOperationException("no history runs on this thread");

    public Random Random { get; }

    public SimulationTime Time { get; }

    public SimulationExecutor Executor { get; }

    public Ledger Ledger { get; }

    public PlanMaker Maker { get; }

    public List<Plan> Plans { get; } = [];

    public AgentTask<int, int>[] Tasks { get; }

    public Fleet Fleet => _orchestrator!.Engine.Fleet;

    /// <summary>How many sessions are open.</summary>
    public int Sessions { get; set; }

    /// <summary>Runs a seed.</summary>
    public static HistoryResult Run(int seed)
    {
        History? outer = s_current;
        History history = new(seed);
        s_current = history;
        try
        {
            try
            {
                history.Run();
            }
            catch (Exception e)
            {
                history.Fail($"an exception escaped: {e}");
            }
            return new HistoryResult(seed, history._failures.Count == 0 ? null : history.Report(), history.Executor.Steps, history.Ledger.Jobs.Count, history.Hash());
        }
        finally
        {
            s_current = outer;
        }
    }

    public JobRecord Job(JobId id) => Ledger.Job(id);

    public Plan Plan(JobRecord job) => Plans[(int)((StartOf)job.Journal.Entries[0].Entry.Payload!).Input!];

    public int NewValue() => ++_values;

    public void Later(int milliseconds, Action work) =>
        Time.CreateTimer(static state => ((Action)state!)(), work, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);

    public void Fail(string what, JobRecord? job = null)
    {
        _failures.Add(what);
        _guilty ??= job;
    }

    /// <summary>A sender heard what became of its signal: what was accepted must be durable.</summary>
    public void Heard(JobRecord job, SentSignal sent)
    {
        if (sent.Result == SignalResult.Accepted && !IsRecorded(job, EntryKind.Signal, sent.Value))
            Fail($"{job.Id}: signal {sent.Value} was accepted before it was durable", job);
        if (sent.Result == SignalResult.Duplicate && !job.Sent.Exists(s => s.Id == sent.Id && s != sent && IsRecorded(job, EntryKind.Signal, s.Value)))
            Fail($"{job.Id}: signal {sent.Value} was called a duplicate of one that is not durable", job);
    }

    public void Heard(JobRecord job, SentAnswer answer)
    {
        if (answer.Result == SignalResult.Accepted && !IsRecorded(job, EntryKind.QuestionAnswered, answer.Value))
            Fail($"{job.Id}: answer {answer.Value} was accepted before it was durable", job);
    }

    /// <summary>A job that waits can say for what.</summary>
    public void CheckWaker(JobRecord job)
    {
        if (job.Runner.Status is JobStatus.Waiting && job.Runner.WaitsFor().Count == 0)
            Fail($"{job.Id} waits and cannot say for what", job);
    }

    public async Task WatchAsync(JobRecord job)
    {
        await job.Runner.Ending;
        job.HasEnded = true;
        if (job.Journal.Written != job.Journal.Entries.Count || !job.Journal.Entries[^1].Entry.IsEnding)
            Fail($"{job.Id} is said to have ended, and its last entry is not durable", job);
        foreach (object? owner in Time.Armed)
        {
            if (owner is JobRunner runner && runner == job.Runner || owner is PendingCommand command && command.Runner == job.Runner)
                Fail($"{job.Id} has ended and left a timer of {owner.GetType().Name}", job);
        }
    }

    private void Run()
    {
        _orchestrator = new AgentOrchestrator(new OrchestratorOptions
        {
            Workers = [], Executor = Executor, Time = Time, Seed = _seed, Logging = Ledger, GracePeriod = TimeSpan.FromMilliseconds(50 + Random.Next(400)),
            JournalFactory = JournalFactory(),
        });
        _world = new World(this);
        Executor.Schedule(() => _run = _world.RunAsync(_orchestrator));
        Executor.Run(Idle, IsOver, e => Fail($"an exception escaped: {e}"));
        if (_failures.Count == 0)
            Conclude();
    }

    private Func<JobRunner, JobJournal> JournalFactory()
    {
        StoreModel store = new(Random, Executor, Time);
        return runner => Ledger.Created(runner, store);
    }

    private bool IsOver()
    {
        if (Executor.Steps > MaxSteps)
            Fail($"it does not come to an end within {MaxSteps} steps: {Ledger.Running} attempts are at work", Ledger.Jobs.Find(j => !j.HasEnded));
        return _failures.Count > 0;
    }

    // Whatever still waits now waits for a timer.
    private void Idle()
    {
        foreach (StreamReader reader in _world!.Readers)
        {
            if (reader.IsForgotten)
                Fail($"{reader} was not woken");
        }
        if (Random.Next(8) > 0)
            return;
        foreach (JobRecord job in Ledger.Jobs)
        {
            if (job.OwesReply && job.Journal.IsSettled)
                Fail($"{job.Id} has not told a sender what became of its signal, answer or cancel, with all durable", job);
            if (!job.HasEnded)
                CheckWaker(job);
        }
        foreach (LeasedSnapshot leased in Fleet.Snapshot().Leased)
        {
            if (Job(JobId.Parse(leased.JobId)).HasEnded)
                Fail($"{leased.JobId} has ended and leases {string.Join(", ", leased.Leased)}", Job(JobId.Parse(leased.JobId)));
        }
    }

    private void Conclude()
    {
        if (_run is not { IsCompletedSuccessfully: true })
            Fail(_run?.Exception is { } e ? $"the world failed: {e}" : Stuck());
        foreach (JobRecord job in Ledger.Jobs)
            new JournalAudit(this, job).Check();
        SchedulerSnapshot left = Fleet.Snapshot();
        if (left.Leased.Count > 0 || left.Queues.Count > 0 || left.Workers.Any(w => w.FreeSlots != w.Slots) || left.Units.Any(u => u.Free != u.Capacity))
            Fail($"something is leased or waits at the end: {string.Join(", ", left.Leased)} {string.Join(", ", left.Queues)} {string.Join(", ", left.Units.Where(u => u.Free != u.Capacity))}");
        if (Sessions != 0)
            Fail($"{Sessions} sessions were not closed");
        if (Executor.OffExecutor > 0)
            Fail($"{Executor.OffExecutor} continuations came from another thread");
    }

    private string Stuck()
    {
        StringBuilder text = new("nothing is left to do and not everything has ended:");
        foreach (JobRecord job in Ledger.Jobs.Where(j => !j.HasEnded))
        {
            _guilty ??= job;
            text.Append($"\n  {job.Id} is {job.Runner.Status} and waits for {string.Join("; ", job.Runner.WaitsFor().DefaultIfEmpty("nothing"))}");
        }
        foreach (StreamReader reader in _world!.Readers.Where(r => !r.IsDone))
            text.Append($"\n  {reader} waits");
        return text.ToString();
    }

    private static bool IsRecorded(JobRecord job, EntryKind kind, int value)
    {
        JournalEntry? entry = job.Journal.Entries.Find(e => e.Entry.Kind == kind && Equals(e.Entry.Payload, value)).Entry;
        return entry is not null && job.IsDurable(entry.Number);
    }

    private string Report()
    {
        StringBuilder text = new();
        foreach (string failure in _failures.Take(5))
            text.AppendLine(failure);
        if (_guilty is not null)
        {
            text.AppendLine($"the last entries of {_guilty.Id}:");
            foreach ((JournalEntry e, int batch) in _guilty.Journal.Entries.TakeLast(40))
                text.AppendLine($"  {e.Number,4} {(e.Number <= _guilty.Journal.Written ? ' ' : '?')} {new DateTime(e.Time):ss.fff} [{batch}] {e.Kind} {(e.Command > 0 ? $"#{e.Command} " : "")}{e.Subject}{(e.Attempt > 0 ? $" attempt {e.Attempt}" : "")} {Said(e.Payload)}");
        }
        return text.ToString();
    }

    private static string? Said(object? payload) => payload switch
    {
        ChildPointer pointer => $"{pointer.Entry.Number} {pointer.Entry.Kind}",
        AttemptOf attempt => $"on {attempt.Worker} with {string.Join(", ", attempt.Resources)}",
        TaskError error => $"{error.Type}: {error.Message}",
        RetryOf retry => $"{retry.Error.Type}: {retry.Error.Message}, in {retry.Delay.TotalMilliseconds} ms",
        DeltaChunk chunk => $"{chunk.Index}",
        _ => payload?.ToString(),
    };

    // FNV-1a over what every job recorded, and when.
    private ulong Hash()
    {
        ulong hash = 14695981039346656037;
        foreach (JobRecord job in Ledger.Jobs)
        {
            Mix(StableHash.Of(job.Id.Value));
            foreach ((JournalEntry entry, int batch) in job.Journal.Entries)
            {
                Mix((long)entry.Kind);
                Mix(entry.Number);
                Mix(entry.Time);
                Mix(batch);
                Mix(entry.Command * 1000L + entry.Attempt);
                Mix(entry.Subject is null ? 0 : StableHash.Of(entry.Subject));
            }
        }
        return hash;

        void Mix(long value) => hash = (hash ^ (ulong)value) * 1099511628211;
    }
}

/// <summary>What came of one seed.</summary>
internal sealed record HistoryResult(int Seed, string? Failure, int Steps, int Jobs, ulong Hash);
