using System.Globalization;
using System.Text;

namespace Millstream.Simulation;

/// <summary>One orchestrator whose jobs are in memory; its journals are durable late.</summary>
internal sealed class MemoryHistory(int seed) : History(seed)
{
    private AgentOrchestrator? _orchestrator;
    private World? _world;
    private int _sessions;

    private Fleet Fleet => _orchestrator!.Engine.Fleet;

    public override BodyRecord Body(AgentContext<int, int> context) => Job(context.JobId).Body;

    public override int Input(AgentContext<int, int> context) => 0;

    public override int Question(AgentContext<int, int> context) => NewValue();

    public override int Event(AgentContext<int, int> context, BodyRecord body) => body.Emitted;

    public override int Delay(AgentContext<int, int> context, int planned) => planned;

    public override Attempt Began(TaskAttempt context, int input) => Ledger.Began(context);

    public override void CountSession(ProcessExecutor? process, int more) => _sessions += more;

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
        if (job.Runner!.Status is JobStatus.Waiting && job.Runner!.WaitsFor().Count == 0)
            Fail($"{job.Id} waits and cannot say for what", job);
    }

    // All is done that could be done at this time.
    private void CheckRates(JobRecord job)
    {
        const string next = "next at ";
        foreach (AgentTaskInfo task in job.Runner!.Tasks())
        {
            int at = task.Detail.IndexOf(next, StringComparison.Ordinal);
            if (at >= 0 && DateTimeOffset.Parse(task.Detail.AsSpan(at + next.Length, 20), CultureInfo.InvariantCulture).AddSeconds(2) < Time.GetUtcNow())
                Fail($"task {task.Id} of {job.Id} was not woken: it {task.Detail}", job);
        }
    }

    public async Task WatchAsync(JobRecord job)
    {
        await job.Runner!.Ending;
        job.HasEnded = true;
        if (job.Journal.Written != job.Journal.Entries.Count || !job.Journal.Entries[^1].Entry.IsEnding)
            Fail($"{job.Id} is said to have ended, and its last entry is not durable", job);
        foreach (object? owner in Time.Armed)
        {
            if (owner is JobRunner runner && runner == job.Runner || owner is PendingCommand command && command.Runner == job.Runner)
                Fail($"{job.Id} has ended and left a timer of {owner.GetType().Name}", job);
        }
    }

    protected override void Run()
    {
        _orchestrator = new AgentOrchestrator(new OrchestratorOptions
        {
            Workers = [], Executor = Executor, Time = Time, Seed = Seed, Logging = Ledger, GracePeriod = TimeSpan.FromMilliseconds(50 + Random.Next(400)),
            JournalFactory = JournalFactory(), LookAheadPatience = Patience,
        });
        foreach (SimulatedWorkflow workflow in Workflows)
            workflow.Teach(_orchestrator);
        _world = new World(this);
        Executor.Schedule(() => WorldTask = _world.RunAsync(_orchestrator));
        Executor.Run(Idle, IsOver, e => Fail($"an exception escaped: {e}"));
        if (!HasFailed)
            Conclude();
    }

    private Func<JobRunner, JobJournal> JournalFactory()
    {
        StoreModel store = new(Random, Executor, Time);
        return runner => Ledger.Created(runner, store);
    }

    // Whatever still waits now waits for a timer.
    private void Idle()
    {
        foreach (StreamReader reader in _world!.Readers)
        {
            if (reader.IsForgotten)
                Fail($"{reader} was not woken");
        }
        if (Workflows.Length > 0)
            Planning.Check(_orchestrator!.Engine);
        if (Random.Next(8) > 0)
            return;
        foreach (JobRecord job in Ledger.Jobs)
        {
            if (job.OwesReply && job.Journal.IsSettled)
                Fail($"{job.Id} has not told a sender what became of its signal, answer or cancel, with all durable", job);
            if (!job.HasEnded)
            {
                CheckWaker(job);
                CheckRates(job);
            }
        }
        foreach (LeasedSnapshot leased in Fleet.Snapshot().Leased)
        {
            if (Job(JobId.Parse(leased.JobId)).HasEnded)
                Fail($"{leased.JobId} has ended and leases {string.Join(", ", leased.Leased)}", Job(JobId.Parse(leased.JobId)));
        }
    }

    private void Conclude()
    {
        if (WorldTask is not { IsCompletedSuccessfully: true })
            Fail(WorldTask?.Exception is { } e ? $"the world failed: {e}" : Stuck(), Ledger.Jobs.Find(j => !j.HasEnded));
        foreach (JobRecord job in Ledger.Jobs)
            new JournalAudit(this, job).Check();
        CheckLeft(Fleet);
        if (_sessions != 0)
            Fail($"{_sessions} sessions were not closed");
        if (Executor.OffExecutor > 0)
            Fail($"{Executor.OffExecutor} continuations came from another thread");
    }

    private string Stuck()
    {
        StringBuilder text = new("nothing is left to do and not everything has ended:");
        foreach (JobRecord job in Ledger.Jobs.Where(j => !j.HasEnded))
        {
            text.Append($"\n  {job.Id} is {job.Runner!.Status} and waits for {string.Join("; ", job.Runner!.WaitsFor().DefaultIfEmpty("nothing"))}");
        }
        foreach (StreamReader reader in _world!.Readers.Where(r => !r.IsDone))
            text.Append($"\n  {reader} waits");
        return text.ToString();
    }
}
