namespace Millstream;

/// <summary>
/// All shapes that need the same types, and who waits for one of them: by class, tenant and job in the order in which they go. A job whose share has changed is
/// moved once in each family, however many shapes it waits for.
/// </summary>
internal sealed class TaskFamily(ResourceType[] types)
{
    // A chain of tasks comes and goes with each of them.
    private ClassLine? spare;

    public ResourceType[] Types { get; } = types;

    /// <summary>From the highest class down.</summary>
    public List<ClassLine> Classes { get; } = [];

    /// <summary>Its shapes, by their numbers.</summary>
    public ulong[] Shapes { get; set; } = [];

    /// <summary>How many of its shapes are to be looked at.</summary>
    public int Awake { get; set; }

    public void Attach(TenantLine line)
    {
        int at = 0;
        while (at < Classes.Count && Classes[at].Class > line.Class)
        {
            at++;
        }

        if (at == Classes.Count || Classes[at].Class != line.Class)
        {
            Classes.Insert(at, spare?.Class == line.Class ? spare : new ClassLine(line.Class));
        }

        line.In = Classes[at];
        line.In.Tenants.Add(line);
    }

    public void Detach(TenantLine line)
    {
        ClassLine from = line.In!;
        from.Tenants.Remove(line);
        line.In = null;
        if (from.Tenants.Count == 0)
        {
            Classes.Remove(from);
            spare = from;
        }
    }
}

/// <summary>The waiting tenants of one family and class.</summary>
internal sealed class ClassLine(int priority)
{
    public int Class { get; } = priority;

    public IndexedHeap<TenantLine, FairShare.Live> Tenants { get; } = new();
}

/// <summary>The waiting jobs of one family, class and tenant.</summary>
internal sealed class TenantLine(Tenant tenant, TaskFamily family, int priority) : IHeapItem<FairShare.Live>
{
    public Tenant Tenant { get; } = tenant;

    public TaskFamily Family { get; } = family;

    public int Class { get; } = priority;

    /// <summary>Where it competes; null while none of its jobs waits.</summary>
    public ClassLine? In { get; set; }

    public IndexedHeap<JobLine, FairKey> Jobs { get; } = new();

    public int HeapNumber { get; set; } = -1;

    /// <summary>Its place among the tenant's lines.</summary>
    public int TenantIndex { get; set; } = -1;

    public FairShare.Live HeapKey => new(Tenant.Fair);
}

/// <summary>The waiting tasks of one family, class and job: for each shape its queue, by the queue's head.</summary>
internal sealed class JobLine(SchedulingJob job, TenantLine tenant) : IHeapItem<FairKey>
{
    private readonly FairShare fair = job.Fair!;

    public SchedulingJob Job { get; } = job;

    public TenantLine Tenant { get; } = tenant;

    public SortedBlocks<JobNode, LineKey> Nodes { get; } = new();

    public int HeapNumber { get; set; } = -1;

    /// <summary>Its place among the job's lines.</summary>
    public int JobIndex { get; set; } = -1;

    public FairKey HeapKey => fair.Key;
}
