namespace Millstream;

/// <summary>The waiting tasks of one shape, class, tenant and job.</summary>
internal sealed class JobNode(JobLine line, TenantNode tenant)
{
    /// <summary>In a field because it is changed in place.</summary>
    public RequestQueue Queue;

    public JobLine Line { get; } = line;

    public SchedulingJob Job => Line.Job;

    public TaskShape Shape { get; } = tenant.Shape;

    public TenantNode Tenant { get; } = tenant;

    /// <summary>Its place among the jobs that wait for its shape.</summary>
    public int TenantIndex { get; set; } = -1;

    public bool IsListed => TenantIndex >= 0;

    /// <summary>What it stands under in its line.</summary>
    public LineKey Listed { get; set; }

    public LineKey Key => new(Queue.Head.HeapKey, Shape.Id);
}

/// <summary>By the first of a queue; the shape's number is told so that nothing else is looked at where that is not awake.</summary>
internal readonly record struct LineKey(TaskRequest.Place Place, int Shape) : IOrderKey<LineKey>
{
    public bool Before(in LineKey other) => Place.Before(other.Place);
}

/// <summary>The waiting jobs of one shape, class and tenant.</summary>
internal sealed class TenantNode(Tenant tenant, TaskShape shape, int priority)
{
    /// <summary>Waiting tasks by age: the list lies in a field because it is changed in place.</summary>
    public AgeList Ages;

    public Tenant Tenant { get; } = tenant;

    public TaskShape Shape { get; } = shape;

    public int Class { get; } = priority;

    public List<JobNode> Jobs { get; } = new(1);

    public bool IsOverQuota { get; set; }

    /// <summary>Its place among those that compete for the shape, -1 while it does not.</summary>
    public int ShapeIndex { get; set; } = -1;
}
