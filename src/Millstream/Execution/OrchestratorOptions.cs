using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>How an orchestrator works. The defaults run agents in this process, with a worker of 64 slots and nothing scarce.</summary>
public sealed record OrchestratorOptions
{
    /// <summary>The agents that jobs may name by id.</summary>
    public AgentRegistry Agents { get; init; } = new();

    /// <summary>The workers to begin with; null for one worker without resources. An empty list means none: tasks wait and say so.</summary>
    public IReadOnlyList<Worker>? Workers { get; init; }

    /// <summary>Resources of which any worker may take a share, as places in a model's rate limit.</summary>
    public IReadOnlyList<Resource> PoolResources { get; init; } = [];

    /// <summary>Bounds on what jobs may use of this process.</summary>
    public OrchestratorLimits Limits { get; init; } = new();

    /// <summary>How long what was told to stop may take before it is left behind; 10 s by default.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Weights of tenants in the fair share; 1 where a tenant is not named.</summary>
    public IReadOnlyDictionary<string, double> TenantWeights { get; init; } = new Dictionary<string, double>();

    /// <summary>The most that tenants may lease at a time.</summary>
    public IReadOnlyList<TenantQuota> Quotas { get; init; } = [];

    /// <summary>
    /// Where jobs are kept, so that they outlive the process; null for memory only. It stays its owner's: dispose it after the orchestrator.
    /// Call <see cref="AgentOrchestrator.StartAsync"/> before the first job.
    /// </summary>
    public IJournalStorage? Journal { get; init; }

    /// <summary>Whether <see cref="AgentOrchestrator.StartAsync"/> takes up the open jobs that no living process has. True by default.</summary>
    public bool Claim { get; init; } = true;

    /// <summary>
    /// How a job is taken up again whose process ended while it was at work, when that happens again and again before it gets any further: at once after
    /// the first time, then with these waits, and after so many times not any more. Then it is suspended until somebody resumes it by its id.
    /// By default 5 times, with 1 s, 4 s, 16 s and a minute.
    /// </summary>
    public RetryPolicy Restarts { get; init; } = new() { Attempts = 5, Delay = TimeSpan.FromSeconds(1), Factor = 4, MaxDelay = TimeSpan.FromMinutes(1) };

    /// <summary>
    /// How long the orchestrator may think, at each moment at which tasks of a workflow compete for resources, about the order of those that are left; 50 ms by default, never more than
    /// 1 % of the time that they will take, and only where it is known from earlier runs, or by <see cref="NodeOptions.ExpectedTime"/>, how long that is.
    /// <see cref="TimeSpan.Zero"/> turns it off.
    /// </summary>
    public TimeSpan LookAhead { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where log lines go.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>Where tasks get services from; each attempt has a scope of its own.</summary>
    public IServiceProvider? Services { get; init; }

    /// <summary>The seed of ids and jitter; null for one of the system's.</summary>
    public int? Seed { get; init; }

    /// <summary>
    /// Whether spans hold content: arguments and results of tools, messages of errors. By default only where the environment variable
    /// <c>OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT</c> is <c>true</c>.
    /// </summary>
    public bool CaptureContent { get; init; } = CapturesByDefault;

    /// <summary>What the environment says.</summary>
    internal static bool CapturesByDefault => bool.TryParse(Environment.GetEnvironmentVariable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"), out bool isOn) && isOn;

    internal long MinCheckpoint { get; init; } = StoredJobJournal.MinCheckpoint;

    internal int MaxInline { get; init; } = EntryWriter.MaxInline;

    internal int LookAheadPatience { get; init; } = Millstream.LookAhead.Patience;

    internal IExecutor? Executor { get; init; }

    internal Func<JobRunner, JobJournal>? JournalFactory { get; init; }

    /// <summary>Checks what the compiler cannot.</summary>
    internal void Check()
    {
        if (GracePeriod < TimeSpan.Zero)
            throw Wrong(nameof(GracePeriod), GracePeriod, "give zero or more");
        if (Limits.JournalBytes < 1)
            throw Wrong($"{nameof(Limits)}.{nameof(Limits.JournalBytes)}", Limits.JournalBytes, "give 1 or more");
        if (Limits.PayloadBytes is < 1024 or > OrchestratorLimits.MaxPayloadBytes)
            throw Wrong($"{nameof(Limits)}.{nameof(Limits.PayloadBytes)}", Limits.PayloadBytes, $"give 1,024 to {OrchestratorLimits.MaxPayloadBytes:N0}, and keep what is larger in files");
        if (Limits.EndedJobs < 0)
            throw Wrong($"{nameof(Limits)}.{nameof(Limits.EndedJobs)}", Limits.EndedJobs, "give 0 or more");
        if (Limits.WaitingJobs < 0)
            throw Wrong($"{nameof(Limits)}.{nameof(Limits.WaitingJobs)}", Limits.WaitingJobs, "give 0 or more");
        foreach ((string tenant, double weight) in TenantWeights)
        {
            if (!(weight > 0) || double.IsInfinity(weight))
                throw Wrong($"{nameof(TenantWeights)}[\"{tenant}\"]", weight, "give a number greater than 0");
        }
        foreach (TenantQuota quota in Quotas)
        {
            if (quota.Max < 0)
                throw Wrong(nameof(Quotas), quota, "give a Max of 0 or more");
        }
    }

    internal SchedulerOptions ToSchedulerOptions() => new() { Quotas = Quotas, TenantWeights = TenantWeights };

    private static ArgumentException Wrong(string name, object value, string remedy) => new($"{nameof(OrchestratorOptions)}.{name} is {value}; {remedy}.");
}

/// <summary>Bounds on what jobs may use of a process.</summary>
public sealed record OrchestratorLimits
{
    /// <summary>
    /// How much of one job's stream is kept in memory, 64 MiB by default. Beyond it the oldest deltas are replaced by <c>trimmed</c> entries; a
    /// job whose other entries alone exceed it fails.
    /// </summary>
    public long JournalBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// The largest payload of a job in a store, in bytes of its JSON: an input, output, event, signal, question or answer. 1 MiB by default, 16 MiB at most; what is
    /// larger belongs into a file. Who gives more gets a <see cref="PayloadTooLargeException"/>, and a task whose output is larger fails. A replay has to find the limit
    /// that the first run had, as it has to find its code.
    /// </summary>
    public int PayloadBytes { get; init; } = 1024 * 1024;

    internal const int MaxPayloadBytes = 16 * 1024 * 1024;

    /// <summary>How many ended jobs can still be found; the oldest are forgotten first. 1,000 by default.</summary>
    public int EndedJobs { get; init; } = 1_000;

    /// <summary>
    /// How many jobs that wait (for signals, answers, timers, children that wait) stay in memory where there is a journal; those that wait longest leave it first and come back
    /// when something comes for them. 1,000 by default.
    /// </summary>
    public int WaitingJobs { get; init; } = 1_000;
}
