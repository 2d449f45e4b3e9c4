namespace Millstream;

/// <summary>The waiting tasks of one shape, class, tenant and job.</summary>
internal sealed class JobNode(SchedulingJob job, TenantNode tenant) : IHeapItem<FairKey>
{
    private readonly FairShare fair = job.Fair!;

    public SchedulingJob Job { get; } = job;

    public TenantNode Tenant { get; } = tenant;

    public RequestQueue Queue { get; } = new();

    public int HeapIndex { get; set; } = -1;

    public int JobIndex { get; set; } = -1;

    public FairKey HeapKey => fair.Key;
}

/// <summary>The waiting jobs of one shape, class and tenant.</summary>
internal sealed class TenantNode(Tenant tenant, TaskShape shape, int priority) : IHeapItem<FairShare.Live>
{
    /// <summary>Waiting tasks by age: the list lies in a field because it is changed in place.</summary>
    public AgeList Ages;

    public Tenant Tenant { get; } = tenant;

    public TaskShape Shape { get; } = shape;

    public int Class { get; } = priority;

    public IndexedHeap<JobNode, FairKey> Jobs { get; } = new();

    public bool IsOverQuota { get; set; }

    public int HeapIndex { get; set; } = -1;

    public int TenantIndex { get; set; } = -1;

    public FairShare.Live HeapKey => new(Tenant.Fair);
}

/// <summary>The waiting tenants of one shape and class.</summary>
internal sealed class ClassNode(int priority)
{
    public int Class { get; } = priority;

    public IndexedHeap<TenantNode, FairShare.Live> Tenants { get; } = new();
}
