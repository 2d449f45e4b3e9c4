namespace Millstream;

/// <summary>The most of one type that one tenant may lease at a time; tenant <c>*</c> means each tenant without an own quota.</summary>
public sealed record TenantQuota(string Tenant, string Type, long Max);

/// <summary>The constants of the scheduler's rules, explained in docs/resources.md.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>Slots of a worker that names no number.</summary>
    public const int DefaultSlots = 64;

    /// <summary>How long the head of a (class, tenant) queue waits until it moves up one class.</summary>
    public TimeSpan AgeingInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Units are held for a request that waits longer than this many median waits of its kind.</summary>
    public double HoldFactor { get; init; } = 20;

    /// <summary>The least wait before units are held.</summary>
    public TimeSpan HoldFloor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a session may stay without a task, unless it says otherwise.</summary>
    public TimeSpan SessionIdleLimit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a session may last in all, unless it says otherwise.</summary>
    public TimeSpan SessionTotalLimit { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Limits of single tenants; type <c>slot</c> limits how many of a tenant's tasks run at a time.</summary>
    public IReadOnlyList<TenantQuota> Quotas { get; init; } = [];

    /// <summary>Weights of tenants in the fair share; 1 where a tenant is not named.</summary>
    public IReadOnlyDictionary<string, double> TenantWeights { get; init; } = new Dictionary<string, double>();
}
