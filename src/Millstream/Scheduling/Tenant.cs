namespace Millstream;

/// <summary>A tenant: its share, its quotas, and where its tasks wait.</summary>
internal sealed class Tenant(string name, double weight, long order)
{
    private readonly Dictionary<long, TenantNode> nodes = [];
    private readonly Dictionary<(TaskFamily Family, int Class), TenantLine> lines = [];

    public string Name { get; } = name;

    public FairShare Fair { get; } = new(weight, order);

    /// <summary>The level of service that its jobs have reached, where a new one joins.</summary>
    public double Level { get; set; }

    public int Waiting { get; set; }

    /// <summary>The most of each type, by the type's index; null where there is no quota at all.</summary>
    public Dictionary<string, long>? Quotas { get; set; }

    /// <summary>Nodes that wait until the tenant gives something back.</summary>
    public List<TenantNode> OverQuota { get; } = [];

    /// <summary>Its lines in which somebody waits.</summary>
    public List<TenantLine> Attached { get; } = [];

    /// <summary>When the head of a class last moved up.</summary>
    public Dictionary<int, long> Promoted { get; } = [];

    public bool Pruned { get; set; }

    public bool IsIdle => Waiting == 0 && Fair.Grants == 0;

    public TenantNode NodeFor(TaskShape shape, int priority)
    {
        if (!nodes.TryGetValue(shape.KeyFor(priority), out TenantNode? node))
        {
            node = new TenantNode(this, shape, priority);
            nodes.Add(shape.KeyFor(priority), node);
        }

        return node;
    }

    public TenantLine LineFor(TaskFamily family, int priority)
    {
        if (!lines.TryGetValue((family, priority), out TenantLine? line))
        {
            line = new TenantLine(this, family, priority);
            lines.Add((family, priority), line);
        }

        return line;
    }

    public void Forget(TenantNode node)
    {
        if (nodes.Count > 64)
        {
            nodes.Remove(node.Shape.KeyFor(node.Class));
        }
    }

    /// <summary>Whether one more grant of the shape keeps within the quotas; otherwise the type that does not.</summary>
    public bool Allows(TaskShape shape, out string type) => Allows(shape.Totals, out type);

    /// <summary>The same for a task in a session, which takes no slot of its own.</summary>
    public bool AllowsExtra(TaskShape shape, out string type) => Allows(shape.Totals.AsSpan(1), out type);

    private bool Allows(ReadOnlySpan<(ResourceType Type, long Amount)> totals, out string type)
    {
        type = "";
        if (Quotas is null)
        {
            return true;
        }

        foreach ((ResourceType wanted, long amount) in totals)
        {
            if (Quotas.TryGetValue(wanted.Name, out long max) && Fair.Leased(wanted.Index) + amount > max)
            {
                type = wanted.Name;
                return false;
            }
        }

        return true;
    }
}
