namespace Millstream.Simulation;

/// <summary>Processes on one store that crash, hang and start again, and a world that outlives them.</summary>
internal sealed class DurableHistory : History
{
    private static readonly long s_overdue = TimeSpan.FromSeconds(2).Ticks;

    private readonly StoreAudit _audit;
    private readonly Disk _disk;
    private readonly Dictionary<string, int> _inputs = [];
    private readonly List<SimulatedProcess> _processes = [];
    private readonly DurableWorld _world;
    private int _crashes;
    private int _lives;

    public DurableHistory(int seed) : base(seed)
    {
        _audit = new StoreAudit(this);
        _disk = new Disk(_audit);
        _world = new DurableWorld(this);
    }

    public StoreAudit Audit => _audit;

    public override int Crashes => _crashes;

    /// <summary>Whether faults have stopped.</summary>
    public bool IsSettling { get; set; }

    /// <summary>The processes that have not ended.</summary>
    public IReadOnlyList<SimulatedProcess> Processes => _processes;

    public SimulatedProcess NewProcess()
    {
        SimulatedProcess process = new(this, _disk, ++_lives);
        _processes.Add(process);
        return process;
    }

    /// <summary>Whether a runner's process lives, for all that others can know.</summary>
    public bool IsAlive(long runner) => runner > 0 && _processes.Exists(p => !p.IsTakenForDead && p.Store.Owns(runner));

    /// <summary>Whether all processes know of all their jobs that they have ended.</summary>
    public bool AllIsTold => _processes.TrueForAll(p => p.IsTakenForDead || p.Orchestrator.Engine.Jobs.All().TrueForAll(j => j.IsStopped || j.Ending.IsCompleted));

    public void Crashed(SimulatedProcess process)
    {
        _crashes++;
        _processes.Remove(process);
        foreach (JobRecord job in Ledger.Jobs)
            Ledger.Running -= job.Running.RemoveAll(a => a.Process == process.Executor);
    }

    public override BodyRecord Body(AgentContext<int, int> context) => ProcessOf(Executor.Process!).Body(context);

    public override int Input(AgentContext<int, int> context) => context.Random.Next(1_000_000);

    public override int Question(AgentContext<int, int> context) => BitConverter.ToInt32(context.NewId().ToByteArray());

    /// <summary>All that a body may draw on is in its events, so that a replay that gives it something else is noticed.</summary>
    public override int Event(AgentContext<int, int> context, BodyRecord body)
    {
        int value = HashOf(context.Random.Next(), BitConverter.ToInt32(context.NewId().ToByteArray()), context.Now.Ticks);
        // Another process may have the job by now, and then this one's body goes its own way.
        if (_audit.Find(context.JobId) is { HasCheckpoint: false } job && ProcessOf(Executor.Process!).Store.Owns(job.Runner) && body.Emitted <= job.Events.Count && job.Events[body.Emitted - 1] != value)
            Fail($"{context.JobId}: event {body.Emitted} was {job.Events[body.Emitted - 1]} and is {value} now", job.Record);
        return value;
    }

    // So long that a timer that is set anew is noticed.
    public override int Delay(AgentContext<int, int> context, int planned) => context.Random.Next(8) == 0 ? 20_000 : planned;

    public override void CountSession(ProcessExecutor? process, int more) => ProcessOf(process!).Sessions += more;

    public override Attempt Began(TaskAttempt context, int input)
    {
        SimulatedProcess process = ProcessOf(Executor.Process!);
        process.Cross(CrashPoint.Dispatch);
        StoredRecord? job = _audit.Find(context.JobId);
        Attempt attempt = new(this, job?.Record ?? new JobRecord(context.JobId, new StoredRecord(context.JobId)), context, context.IdempotencyKey);
        if (process.IsDead)
            return attempt;
        Check(process, job, attempt, input);
        attempt.Job.Running.Add(attempt);
        Ledger.Running++;
        attempt.Use();
        return attempt;
    }

    /// <summary>A job's last entry is durable.</summary>
    public void Ended(SimulatedProcess by, StoredRecord job)
    {
        job.Record.HasEnded = true;
        job.Record.Body = by.LastBody(job.Record.Id);
        if (job.Record.Running.Find(a => a.Process == by.Executor && !a.IsLeftBehind) is { } attempt)
            Fail($"{job.Record.Id} ended while {attempt} was at work", job.Record);
    }

    /// <summary>A sender heard what became of its signal: what was accepted must be durable.</summary>
    public void Heard(JobRecord job, SentSignal sent)
    {
        if (sent.Result == SignalResult.Accepted && !sent.IsOffered && !IsRecorded(job, EntryKind.Signal, sent.Value))
            Fail($"{job.Id}: signal {sent.Value} was accepted before it was durable", job);
    }

    public void Heard(JobRecord job, SentAnswer answer)
    {
        if (answer.Result == SignalResult.Accepted && !answer.IsOffered && !IsRecorded(job, EntryKind.QuestionAnswered, answer.Value))
            Fail($"{job.Id}: answer {answer.Value} was accepted before it was durable", job);
    }

    /// <summary>What lies in a job's inbox.</summary>
    public IReadOnlyList<InboxEntry> Inbox(JobId job) => _disk.Journals.Find(job)?.Items ?? [];

    protected override void Run()
    {
        Executor.Schedule(() => WorldTask = _world.RunAsync());
        Executor.Run(Idle, () => IsOver() || WorldTask is { IsCompleted: true }, e => Fail($"an exception escaped: {e}"));
        if (HasFailed)
            return;
        if (WorldTask is not { IsCompletedSuccessfully: true })
            Fail(WorldTask?.Exception is { } e ? $"the world failed: {e}" : "nothing is left to do and the world is not done");
        else
            Conclude();
    }

    private void Check(SimulatedProcess process, StoredRecord? job, Attempt attempt, int input)
    {
        if (job?.Record.Commands.ContainsKey(attempt.Command) != true)
            Fail($"{attempt} began before its command was durable", job?.Record);
        if (!_inputs.TryAdd(attempt.Key, input) && _inputs[attempt.Key] != input)
            Fail($"key {attempt.Key} was used for input {_inputs[attempt.Key]} and now for {input}", job?.Record);
        if (attempt.Job.Running.Find(a => a.Key == attempt.Key && a.Process == process.Executor && !a.IsLeftBehind) is { } other)
            Fail($"{attempt} began while {other} was at work", job?.Record);
        // A process that was taken for dead may go on with what it has until it hears of it.
        if (job is null || !process.Store.Owns(job.Runner))
            return;
        if (job.Ending is not null)
            Fail($"{attempt} began after the end of its job", job.Record);
        if (job.Finished.Contains(attempt.Command))
            Fail($"{attempt} began after its end was durable", job.Record);
        (int last, long epoch) = job.Attempts.GetValueOrDefault(attempt.Command);
        if (attempt.Number < last || (attempt.Number == last && epoch < job.Epoch))
            Fail($"{attempt} began, and attempt {last} was recorded under epoch {epoch}", job.Record);
    }

    private void Idle()
    {
        foreach (StoredRecord job in _audit.Jobs.Where(j => j.Ending is null))
            CheckOverdue(job);
        foreach (SimulatedProcess process in Workflows.Length == 0 ? [] : _processes)
            Planning.Check(process.Orchestrator.Engine);
        if (Random.Next(8) > 0)
            return;
        foreach (SimulatedProcess process in _processes.Where(p => p.IsReady && !p.IsBroken && !p.Executor.Hangs && !p.IsTakenForDead))
            Check(process);
    }

    // What is due for long, while all that could be done was done again and again, is forgotten.
    private void CheckOverdue(StoredRecord job)
    {
        const int often = 15;
        // A store that gives a record at a time takes seconds for a job.
        bool isLate = IsAtWork(job.Runner) && job.ClaimedAt + 4 * s_overdue < Time.Now && ((!Time.Jumps && !job.IsCancelling && !job.HasReturned && job.Head?.Deadline is { } deadline && deadline.UtcTicks + s_overdue < Time.Now)
            || job.Open.Values.Any(e => e.Kind == EntryKind.TimerSet && DueOf(job, e) + s_overdue < Time.Now)
            || job.Record.Stops.Any(s => !job.Finished.Contains(s.Key) && job.Entries[(int)s.Value - 1].Entry is { Kind: not EntryKind.ChildStopping } stop && job.AddedAt[(int)stop.Number - 1] + 2 * s_overdue < Time.Now)
            || job.Items.Values.Any(i => i.Time + 2 * s_overdue < Time.Now));
        job.Overdue = isLate ? job.Overdue + 1 : 0;
        if (job.Overdue == 1)
            job.OverdueSince = Time.Now;
        // One that is outside memory may have begun to come back only now, on a slow machine, and a store takes seconds for all its children.
        if (job.Overdue > 2 && Time.Now < job.OverdueSince + 2 * s_overdue && IsDormant(job))
            job.Overdue = 2;
        if (job.Overdue > often)
            Fail($"{job.Record.Id}: a timer, a stop, its deadline or an item of its inbox is overdue; {Where(job)}", job.Record);
    }

    // With clocks that are set back, a process that takes a job up may let a timer wait for as long as it was set to, and no longer.
    private long DueOf(StoredRecord job, JournalEntry timer) => !Time.Jumps ? (long)timer.Payload!
        : Math.Max(job.AddedAt[(int)timer.Number - 1], job.ClaimedAt) + (long)timer.Payload! - timer.Time;

    private bool IsDormant(StoredRecord job) => _processes.Exists(p => p.Store.Owns(job.Runner) && p.Orchestrator.Engine.Durable!.IsDormant(job.Record.Id));

    private bool IsAtWork(long runner) => _processes.Exists(p => p.IsReady && !p.IsBroken && !p.Executor.Hangs && !p.IsTakenForDead && p.Store.Owns(runner) && p.ReadySince + s_overdue < Time.Now);

    private void Check(SimulatedProcess process)
    {
        foreach (JobRunner runner in process.Orchestrator.Engine.Jobs.All())
        {
            if (runner.Status is JobStatus.Waiting && runner.WaitsFor().Count == 0)
                Fail($"{runner.Id} waits in {process} and cannot say for what", Ledger.Find(runner.Id));
        }
        foreach (LeasedSnapshot leased in process.Orchestrator.Engine.Fleet.Snapshot().Leased)
        {
            if (_audit.Find(JobId.Parse(leased.JobId)) is { Ending: not null } ended && process.Orchestrator.Engine.Jobs.Find(ended.Record.Id)?.Ending.IsCompleted == true)
                Fail($"{leased.JobId} has ended and leases {string.Join(", ", leased.Leased)}", ended.Record);
        }
    }

    private void Conclude()
    {
        foreach (StoredRecord job in _audit.Jobs)
            new StoredJournalAudit(this, job).Check();
        foreach (SimulatedProcess process in _processes)
        {
            if (process.IsTakenForDead)
                CheckLost(process);
            else
                CheckLeft(process.Orchestrator.Engine.Fleet);
            if (process.Sessions != 0 && !process.IsTakenForDead)
                Fail($"{process.Sessions} sessions of {process} were not closed");
        }
        if (Executor.OffExecutor > 0)
            Fail($"{Executor.OffExecutor} continuations came from another thread");
    }

    // Who has nothing to write may not know that its jobs are elsewhere; of those that it knows to be, nothing is left.
    private void CheckLost(SimulatedProcess process)
    {
        Engine engine = process.Orchestrator.Engine;
        foreach (LeasedSnapshot leased in engine.Fleet.Snapshot().Leased)
        {
            if (engine.Jobs.Find(JobId.Parse(leased.JobId)) is not { IsStopped: false })
                Fail($"{process} has lost {leased.JobId} and leases {string.Join(", ", leased.Leased)} for it", Ledger.Find(JobId.Parse(leased.JobId)));
        }
    }

    /// <summary>Who has a job, in words.</summary>
    public string Where(StoredRecord job)
    {
        string text = $"its head says {job.Head?.Status}{(job.Head?.IsIdle == true ? ", idle" : "")}, runner {job.Runner}, epoch {job.Epoch}";
        foreach (SimulatedProcess process in _processes)
        {
            JobRunner? runner = process.Orchestrator.Engine.Jobs.Find(job.Record.Id);
            bool isDormant = process.Orchestrator.Engine.Durable!.IsDormant(job.Record.Id);
            text += $"; {process} {(process.Store.Owns(job.Runner) ? "has it" : "has it not")}, {(runner is null ? "not in memory" : $"{runner.Status} there")}{(isDormant ? ", dormant" : "")}";
        }
        return text;
    }

    private static SimulatedProcess ProcessOf(ProcessExecutor executor) => executor.Process;

    private static int HashOf(int first, int second, long third) => (int)((first * 31L + second) * 31 + third & int.MaxValue);
}
