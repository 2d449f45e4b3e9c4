using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Millstream;

/// <summary>What all jobs of one orchestrator share.</summary>
internal sealed class Engine
{
    // So that the ends of tasks that run faster than their store takes them need some 64 MiB at most.
    private const int MostAhead = 4_096, LargestAhead = 16 * 1024;

    // A disk takes about as long for a commit. Who had resources for longer keeps them until then: that the right task has them next is worth more than that time.
    private const long LongestAhead = 5 * TimeSpan.TicksPerMillisecond;

    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly AttemptCount _attempts = new(), _ahead = new();
    private TaskCompletionSource? _quiet;
    private volatile bool _isStopping;

    public Engine(OrchestratorOptions options)
    {
        Options = options;
        Time = options.Time;
        Executor = options.Executor ?? PoolExecutor.Instance;
        _random = options.Seed is { } seed ? new Random(seed) : new Random();
        ILoggerFactory logging = options.Logging ?? NullLoggerFactory.Instance;
        Log = new EngineLog(logging.CreateLogger("Millstream"));
        AgentLogger = logging.CreateLogger("Millstream.Agent");
        TaskLogger = logging.CreateLogger("Millstream.Task");
        Jobs = new JobTable(options.Limits.EndedJobs);
        // Without a store a process has one runner and no earlier one.
        Fleet = new Fleet(options.ToSchedulerOptions(), options.Time, runnerEpoch: 1);
        if (options.Journal is { } storage)
            (Writer, Durable) = (new JournalWriter(storage, Executor, Time, Log.JournalFailed), new DurableJobs(this, storage));
    }

    /// <summary>Where journals are written; null where they are in memory only.</summary>
    public JournalWriter? Writer { get; }

    public bool IsDurable => Writer is not null;

    /// <summary>The number that the store has given to this process.</summary>
    public long RunnerEpoch { get; set; } = 1;

    /// <summary>The jobs that are kept in the store; null where there is none.</summary>
    public DurableJobs? Durable { get; }

    public OrchestratorOptions Options { get; }

    public TimeProvider Time { get; }

    public IExecutor Executor { get; }

    public EngineLog Log { get; }

    public ILogger AgentLogger { get; }

    public ILogger TaskLogger { get; }

    public JobTable Jobs { get; }

    public Fleet Fleet { get; }

    /// <summary>How long tasks of workflows took.</summary>
    public DurationHistory Durations { get; } = new();

    /// <summary>The largest payload of a job in a store, in bytes of its JSON.</summary>
    public int MaxPayload => Options.Limits.PayloadBytes;

    public long UtcTicks => Time.GetUtcNow().UtcTicks;

    /// <summary>Whether the process is going. A job that is added now is not known to who stops them all.</summary>
    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>How many attempts run that were not left behind.</summary>
    public int RunningAttempts => Volatile.Read(ref _attempts.Value);

    /// <summary>Counts an attempt that runs.</summary>
    public void AttemptBegins() => Interlocked.Increment(ref _attempts.Value);

    /// <summary>Counts an attempt that has ended or was left behind.</summary>
    public void AttemptEnds()
    {
        if (Interlocked.Decrement(ref _attempts.Value) == 0)
            Volatile.Read(ref _quiet)?.TrySetResult();
    }

    /// <summary>Whether a task may give back what it held before its end is stored; then <see cref="Arrived"/> is called when its job takes the end.</summary>
    public bool MayGoAhead(Grant grant, int outputSize)
    {
        if (!IsDurable || outputSize > LargestAhead || (grant.Members.Count > 0 && (grant.Session is not null || Fleet.Passed - grant.GrantedAt > LongestAhead)))
            return false;
        if (Interlocked.Increment(ref _ahead.Value) <= MostAhead)
            return true;
        Arrived();
        return false;
    }

    /// <summary>An end that was ahead is with its job.</summary>
    public void Arrived() => Interlocked.Decrement(ref _ahead.Value);

    /// <summary>Done when no attempt runs. To be called when none will begin any more.</summary>
    public Task WhenQuietAsync()
    {
        TaskCompletionSource quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
        quiet = Interlocked.CompareExchange(ref _quiet, quiet, null) ?? quiet;
        if (Volatile.Read(ref _attempts.Value) == 0)
            quiet.TrySetResult();
        return quiet.Task;
    }

    /// <summary>0 (inclusive) to 1.</summary>
    public double NextRandom()
    {
        lock (_gate)
            return _random.NextDouble();
    }

    /// <summary>An id that no job has.</summary>
    public JobId NewJobId()
    {
        lock (_gate)
            return JobId.Made(_random);
    }

    /// <summary>A value as a journal gives it back.</summary>
    /// <exception cref="PayloadTooLargeException">It is larger than a journal takes.</exception>
    public object? Copy(PayloadType type, object? value) => Copy(type, value, out _);

    /// <summary>The same, with how many bytes a journal needs for it.</summary>
    public object? Copy(PayloadType type, object? value, out int size)
    {
        object? copy = type.Copy(value, MaxPayload, out size);
        return size <= MaxPayload ? copy : throw new PayloadTooLargeException(type.Type, size, MaxPayload);
    }

    /// <summary>Checks that a journal will take what comes as JSON.</summary>
    /// <exception cref="PayloadTooLargeException">It is larger than a journal takes.</exception>
    public void Check(string what, JsonElement json)
    {
        int size = IsDurable ? JsonMarshal.GetRawUtf8Value(json).Length : 0;
        if (size > MaxPayload)
            throw new PayloadTooLargeException(what, size, MaxPayload, "give the path of a file with it, or give less");
    }

    public JobJournal MakeJournal(JobRunner runner, StoredJobState? stored) => runner.IsShadow
        ? new MemoryJobJournal(Executor, new SteadyClock(Time), long.MaxValue, static () => { })
        : Writer is not null
        ? new StoredJobJournal(Executor, new SteadyClock(Time, stored?.Time ?? 0), Writer, runner, runner.Id, stored, () => new StoredReader(Writer.Storage, runner.Id, runner.Agent.Contract), Options.MinCheckpoint, Options.MaxInline)
        : Options.JournalFactory?.Invoke(runner)
        ?? new MemoryJobJournal(Executor, new SteadyClock(Time), Options.Limits.JournalBytes, () => runner.Enqueue(new FaultDelivery(new JobError(ErrorTypes.JournalFull,
            $"the entries of job {runner.Id} that must be kept are larger than {nameof(OrchestratorLimits)}.{nameof(OrchestratorLimits.JournalBytes)}, {Options.Limits.JournalBytes:N0} bytes; raise it, or emit less"))));

    /// <summary>Starts a job of a job; its id names the parent's command, so no other job can have it.</summary>
    public JobRunner StartChild(Agent agent, object? input, JobOptions options, JobRunner parent, Action<JobRunner> whenEnded, IWorkTrace? trace)
    {
        JobRunner child = new(this, options.Id!.Value, agent, options, parent) { Work = trace, WhenEnded = runner => { Jobs.Ended(runner); whenEnded(runner); } };
        Jobs.TryAdd(child, out _);
        if (IsStopping)
            _ = child.DetachAsync();
        child.Enqueue(new StartDelivery(child.Copy(agent.Contract.Input, input)));
        return child;
    }

    /// <summary>Goes on with a child that a dead process had.</summary>
    public JobRunner RecoverChild(RecoveredJob known, Agent agent, JobRunner parent, Action<JobRunner> whenEnded, Recovery recovery, IWorkTrace? trace)
    {
        JobOptions options = Recovery.OptionsOf(known.State.Head);
        JobRunner child = new(this, options.Id!.Value, agent, options, parent, known.State) { Work = trace, Ties = known.Ties, WhenEnded = runner => { Jobs.Ended(runner); whenEnded(runner); }, Recovery = recovery };
        // Before anybody can find it, so that nothing is delivered first.
        child.TryEnqueueInline(new JobRunner.RecoverDelivery(known.Entries, known.Shown));
        Jobs.Put(child);
        Executor.Schedule(child);
        return child;
    }

    /// <summary>Changed by all threads at each task, so it must not share a cache line with what they only read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private sealed class AttemptCount
    {
        [FieldOffset(64)]
        public int Value;
    }
}
