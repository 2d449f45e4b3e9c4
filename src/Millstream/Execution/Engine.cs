using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Millstream;

/// <summary>What all jobs of one orchestrator share.</summary>
internal sealed class Engine
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly AttemptCount _attempts = new();
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
        // In memory a process has one runner and no earlier one.
        Fleet = new Fleet(options.ToSchedulerOptions(), options.Time, runnerEpoch: 1);
    }

    public OrchestratorOptions Options { get; }

    public TimeProvider Time { get; }

    public IExecutor Executor { get; }

    public EngineLog Log { get; }

    public ILogger AgentLogger { get; }

    public ILogger TaskLogger { get; }

    public JobTable Jobs { get; }

    public Fleet Fleet { get; }

    public long UtcTicks => Time.GetUtcNow().UtcTicks;

    /// <summary>Whether the process is going. A job that is added now is not known to who stops them all.</summary>
    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>Counts an attempt that runs.</summary>
    public void AttemptBegins() => Interlocked.Increment(ref _attempts.Value);

    /// <summary>Counts an attempt that has ended or was left behind.</summary>
    public void AttemptEnds()
    {
        if (Interlocked.Decrement(ref _attempts.Value) == 0)
            Volatile.Read(ref _quiet)?.TrySetResult();
    }

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
        const string letters = "abcdefghjkmnpqrstuvwxyz23456789";
        lock (_gate)
            return JobId.Parse(new string(_random.GetItems<char>(letters, 10)));
    }

    public JobJournal MakeJournal(JobRunner runner) => Options.JournalFactory?.Invoke(runner)
        ?? new MemoryJobJournal(Executor, Options.Limits.JournalBytes, () => runner.Enqueue(new FaultDelivery(new JobError(ErrorTypes.JournalFull,
            $"the entries of job {runner.Id} that must be kept are larger than {nameof(OrchestratorLimits)}.{nameof(OrchestratorLimits.JournalBytes)}, {Options.Limits.JournalBytes:N0} bytes; raise it, or emit less"))));

    /// <summary>Starts a job of a job; its id names the parent's command, so no other job can have it.</summary>
    public JobRunner StartChild(Agent agent, object? input, JobOptions options, JobRunner parent, Action<JobRunner> whenEnded)
    {
        JobRunner child = new(this, options.Id!.Value, agent, options, parent) { WhenEnded = runner => { Jobs.Ended(runner); whenEnded(runner); } };
        Jobs.TryAdd(child, out _);
        if (IsStopping)
            _ = child.DetachAsync();
        child.Enqueue(new StartDelivery(input));
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
