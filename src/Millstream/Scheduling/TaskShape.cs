namespace Millstream;

/// <summary>One requirement of a shape, tied to its type and selector in the fleet.</summary>
internal sealed class Need(ResourceRequirement requirement, ResourceType type, SelectorMatch match)
{
    public ResourceRequirement Requirement { get; } = requirement;

    public ResourceType Type { get; } = type;

    public SelectorMatch Match { get; } = match;

    public bool Shared => Requirement.Shared;

    public long Amount => Requirement.Amount;

    /// <summary>What it takes of rates.</summary>
    public RateAmount[] Rates { get; } = requirement.RateAmounts;
}

/// <summary>
/// An interned list of requirements, and everyone who waits for exactly that. Only the shape's head competes, and a shape
/// that does not fit is parked as a whole, so cost follows the number of different shapes and not of tasks.
/// </summary>
internal sealed class TaskShape(Need[] needs, (ResourceType Type, long Amount)[] totals)
{
    private const int Remembered = 31;

    private readonly List<ClassNode> classes = [];
    private long[]? waits;
    private int waitCount;

    public Need[] Needs { get; } = needs;

    /// <summary>What one grant takes of each type, the slot included.</summary>
    public (ResourceType Type, long Amount)[] Totals { get; } = totals;

    public bool IsSlotOnly => Needs.Length == 0;

    /// <summary>Whether it takes something of a rate.</summary>
    public bool IsRated { get; } = Array.Exists(needs, n => n.Rates.Length > 0);

    /// <summary>Its place among the parked shapes that take something of a rate.</summary>
    public int RatedIndex { get; set; } = -1;

    public int Waiting { get; set; }

    /// <summary>The type whose return wakes it; null while it is not parked.</summary>
    public ResourceType? ParkedUnder { get; set; }

    public int ParkedIndex { get; set; } = -1;

    /// <summary>Parked under no single type: all are there but not together on one worker.</summary>
    public bool IsJoint { get; set; }

    public bool IsParked => ParkedUnder is not null || IsJoint;

    /// <summary>Its place among the shapes that somebody waits for.</summary>
    public int WaitingIndex { get; set; } = -1;

    /// <summary>The dispatch that last tried it in vain.</summary>
    public long TriedIn { get; set; }

    public long CheckedGeneration { get; set; } = -1;

    public string? Impossible { get; set; }

    public List<ClassNode> Classes => classes;

    public bool HasHead => classes.Count > 0;

    public TaskRequest Head => classes[0].Tenants.First.Jobs.First.Queue.Head;

    public TenantNode HeadTenant => classes[0].Tenants.First;

    public void Attach(TenantNode node)
    {
        int at = 0;
        while (at < classes.Count && classes[at].Class > node.Class)
        {
            at++;
        }

        if (at == classes.Count || classes[at].Class != node.Class)
        {
            classes.Insert(at, new ClassNode(node.Class));
        }

        classes[at].Tenants.Add(node);
    }

    public void Detach(TenantNode node)
    {
        ClassNode found = ClassOf(node);
        found.Tenants.Remove(node);
        if (found.Tenants.Count == 0)
        {
            classes.Remove(found);
        }
    }

    public ClassNode ClassOf(TenantNode node)
    {
        foreach (ClassNode candidate in classes)
        {
            if (candidate.Class == node.Class)
            {
                return candidate;
            }
        }

        throw new InvalidOperationException($"No tenant waits in class {node.Class} of this shape.");
    }

    /// <summary>Remembers how long a task of this kind waited.</summary>
    public void Remember(long wait)
    {
        waits ??= new long[Remembered];
        waits[waitCount++ % Remembered] = wait;
    }

    /// <summary>The median of the last waits of this kind, in ticks.</summary>
    public long MedianWait()
    {
        int known = Math.Min(waitCount, Remembered);
        if (known == 0)
        {
            return 0;
        }

        Span<long> sorted = stackalloc long[Remembered];
        sorted = sorted[..known];
        waits.AsSpan(0, known).CopyTo(sorted);
        sorted.Sort();
        return sorted[known / 2];
    }
}
