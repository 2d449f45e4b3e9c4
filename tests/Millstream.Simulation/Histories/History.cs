using System.Text;

namespace Millstream.Simulation;

/// <summary>One seed: jobs and the world around them, from the start to the last entry of each job.</summary>
internal abstract class History
{
    private const int MaxSteps = 400_000;

    [ThreadStatic]
    private static History? s_current;

    private readonly List<string> _failures = [];
    private JobRecord? _guilty;
    private int _values;

    protected History(int seed)
    {
        Seed = seed;
        Random = new Random(seed);
        Chance = new Random(~seed);
        // Chance of its own, so that other seeds are as they would be without.
        Time = new SimulationTime(Random, seed % 3 == 2 ? new Random(-seed) : null);
        Executor = new SimulationExecutor(Random, Time);
        Ledger = new Ledger(this);
        Planning = new PlanAudit(this);
        Random shapes = new(seed ^ int.MinValue);
        Workflows = [.. Enumerable.Range(0, HasWorkflows(seed) ? 1 + shapes.Next(3) : 0).Select(n => new SimulatedWorkflow(this, n, shapes))];
        Maker = new PlanMaker(Random, Plans, TaskCount, Workflows.Length);
        Tasks = [.. Enumerable.Range(0, TaskCount).Select(n => SimulatedTask.Make(this, n))];
    }

    public const int TaskCount = 8;

    /// <summary>After so many schedules in a row that are no better a look-ahead rests: it takes no time here, so time does not end it.</summary>
    public const int Patience = 60;

    /// <summary>The history that this thread runs.</summary>
    public static History Current => s_current ?? throw new InvalidOperationException("no history runs on this thread");

    public int Seed { get; }

    public Random Random { get; }

    /// <summary>Chance of its own for what came later, so that the rest of a seed is as it was.</summary>
    public Random Chance { get; }

    public SimulationTime Time { get; }

    public SimulationExecutor Executor { get; }

    /// <summary>Time as who asks has it: a process, or the world.</summary>
    public TimeProvider Clock => Executor.Process?.Clock ?? Time;

    public Ledger Ledger { get; }

    public PlanMaker Maker { get; }

    public List<Plan> Plans { get; } = [];

    public AgentTask<int, int>[] Tasks { get; }

    /// <summary>Those that jobs execute; none with most seeds.</summary>
    public SimulatedWorkflow[] Workflows { get; }

    public PlanAudit Planning { get; }

    /// <summary>Whether something was found.</summary>
    public bool HasFailed => _failures.Count > 0;

    /// <summary>What the world does; none before it has begun.</summary>
    protected Task? WorldTask { get; set; }

    /// <summary>Whether the jobs of a seed are in a store, and processes crash.</summary>
    public static bool IsDurable(int seed) => seed % 2 == 0;

    /// <summary>Whether jobs of a seed execute workflows.</summary>
    public static bool HasWorkflows(int seed) => seed % 5 == 0;

    /// <summary>Runs a seed.</summary>
    public static HistoryResult Run(int seed)
    {
        History? outer = s_current;
        History history = IsDurable(seed) ? new DurableHistory(seed) : new MemoryHistory(seed);
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
            return new HistoryResult(seed, history.HasFailed ? history.Report() : null, history.Executor.Steps, history.Ledger.Jobs.Count, history.Hash(), history.Crashes, history.Planning.Plans, history.Planning.Later);
        }
        finally
        {
            s_current = outer;
        }
    }

    /// <summary>How often a process ended before its time.</summary>
    public virtual int Crashes => 0;

    /// <summary>The record of a body that runs.</summary>
    public abstract BodyRecord Body(AgentContext<int, int> context);

    /// <summary>What a task gets.</summary>
    public abstract int Input(AgentContext<int, int> context);

    /// <summary>What a question is called.</summary>
    public abstract int Question(AgentContext<int, int> context);

    /// <summary>What a body emits next.</summary>
    public abstract int Event(AgentContext<int, int> context, BodyRecord body);

    /// <summary>How long a body waits, in milliseconds, where its plan says so long.</summary>
    public abstract int Delay(AgentContext<int, int> context, int planned);

    /// <summary>An attempt begins; none where nobody is to see it.</summary>
    public abstract Attempt Began(TaskAttempt context, int input);

    /// <summary>Counts sessions of resources that are open.</summary>
    public abstract void CountSession(ProcessExecutor? process, int more);

    public JobRecord Job(JobId id) => Ledger.Job(id);

    /// <summary>The workflow that a job executes; null where it executes none.</summary>
    public SimulatedWorkflow? WorkflowOf(JobRecord job) => Array.Find(Workflows, w => w.Workflow.Id == job.Agent);

    /// <summary>The workflow that a job is to execute by itself, if any.</summary>
    public SimulatedWorkflow? Draw() => Workflows.Length == 0 || Random.Next(3) == 0 ? null : Workflows[Random.Next(Workflows.Length)];

    /// <summary>How often a task of that name may fail.</summary>
    public int AttemptsOf(string subject) => subject[0] == 'n' ? SimulatedWorkflow.Attempts : Tasks[subject[1] - '0'].Policy.Retry.Attempts;

    public int NewValue() => ++_values;

    public void Later(int milliseconds, Action work) =>
        Time.CreateTimer(static state => ((Action)state!)(), work, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);

    public void Fail(string what, JobRecord? job = null)
    {
        _failures.Add(what);
        _guilty ??= job;
    }

    protected abstract void Run();

    protected bool IsOver()
    {
        if (Executor.Steps > MaxSteps)
            Fail($"it does not come to an end within {MaxSteps} steps: {Ledger.Running} attempts are at work", Ledger.Jobs.Find(j => !j.HasEnded));
        return HasFailed;
    }

    protected void CheckLeft(Fleet fleet)
    {
        SchedulerSnapshot left = fleet.Snapshot();
        if (left.Leased.Count > 0 || left.Queues.Count > 0 || left.Workers.Any(w => w.FreeSlots != w.Slots) || left.Units.Any(u => u.Free != u.Capacity))
            Fail($"something is leased or waits at the end: {string.Join(", ", left.Leased)} {string.Join(", ", left.Queues)} {string.Join(", ", left.Units.Where(u => u.Free != u.Capacity))}");
    }

    protected static bool IsRecorded(JobRecord job, EntryKind kind, int value)
    {
        JournalEntry? entry = job.Journal.Entries.Find(e => e.Entry.Kind == kind && JobRecord.Int(e.Entry.Payload) == value).Entry;
        return entry is not null && job.IsDurable(entry.Number);
    }

    private string Report()
    {
        StringBuilder text = new();
        foreach (string failure in _failures.Take(5))
            text.AppendLine(failure);
        // A child's entries are shown by its parent, so both tell what went wrong.
        foreach (JobRecord job in Ledger.Jobs.Where(j => j == _guilty || (_guilty is not null && j.Id.Value.StartsWith($"{_guilty.Id}/", StringComparison.Ordinal))))
        {
            text.AppendLine($"the last entries of {job.Id}:");
            foreach ((JournalEntry e, int batch) in job.Journal.Entries.TakeLast(40))
                text.AppendLine($"  {e.Number,4} {(e.Number <= job.Journal.Written ? ' ' : '?')} {new DateTime(e.Time):ss.fff} [{batch}] {e.Kind} {(e.Command > 0 ? $"#{e.Command} " : "")}{e.Subject}{(e.Attempt > 0 ? $" attempt {e.Attempt}" : "")} {Said(e.Payload)}");
        }
        return text.ToString();
    }

    private static string? Said(object? payload) => payload switch
    {
        ChildPointer pointer => $"{pointer.Child} {pointer.Number} {pointer.Entry?.Kind}",
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
internal sealed record HistoryResult(int Seed, string? Failure, int Steps, int Jobs, ulong Hash, int Crashes, int Plans, int Later);
