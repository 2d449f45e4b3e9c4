namespace Millstream;

/// <summary>One job as the scheduler sees it: the shell makes one per job and drops it when the job has ended.</summary>
internal sealed class SchedulingJob
{
    private Dictionary<long, JobNode>? nodes;
    private JobNode? lastNode;
    private List<JobLine>? lines;

    public SchedulingJob(string id, string tenant, double weight = 1, int priority = 0)
    {
        if (!(weight > 0) || double.IsInfinity(weight))
        {
            throw new ArgumentException($"The weight of job {id} is {weight}; give a number greater than 0.", nameof(weight));
        }

        Id = id;
        Tenant = tenant;
        Weight = weight;
        Priority = priority;
    }

    public string Id { get; }

    public string Tenant { get; }

    public double Weight { get; }

    public int Priority { get; }

    /// <summary>What its tasks go by; null for their ranks.</summary>
    internal JobPlan? Plan { get; set; }

    /// <summary>Whether its plan is to be looked at in the next dispatch.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Whether it has or wants something.</summary>
    internal bool IsActive { get; set; }

    internal FairShare? Fair { get; set; }

    internal Tenant? TenantState { get; set; }

    /// <summary>The number of its tasks that wait.</summary>
    internal int Waiting { get; set; }

    /// <summary>Its lines in which something waits.</summary>
    internal List<JobLine> Attached { get; } = new(1);

    internal JobNode NodeFor(TaskShape shape, int priority)
    {
        if (lastNode is not null && lastNode.Shape == shape && lastNode.Tenant.Class == priority)
        {
            return lastNode;
        }

        nodes ??= [];
        if (!nodes.TryGetValue(shape.KeyFor(priority), out JobNode? node))
        {
            node = new JobNode(LineFor(shape.Family, priority), TenantState!.NodeFor(shape, priority));
            nodes.Add(shape.KeyFor(priority), node);
        }

        return lastNode = node;
    }

    internal JobNode? FindNode(TaskShape shape, int priority) => nodes is not null && nodes.TryGetValue(shape.KeyFor(priority), out JobNode? node) ? node : null;

    internal void Forget(JobNode node)
    {
        // A job of many different shapes must not collect a node for each that it ever had.
        if (nodes!.Count > 16)
        {
            nodes.Remove(node.Shape.KeyFor(node.Tenant.Class));
            if (lastNode == node)
            {
                lastNode = null;
            }
        }
    }

    internal void ForgetTenant()
    {
        TenantState = null;
        nodes = null;
        lines = null;
        lastNode = null;
    }

    private JobLine LineFor(TaskFamily family, int priority)
    {
        foreach (JobLine known in lines ??= [])
        {
            if (known.Tenant.Family == family && known.Tenant.Class == priority)
            {
                return known;
            }
        }

        JobLine line = new(this, TenantState!.LineFor(family, priority));
        lines.Add(line);
        return line;
    }
}
