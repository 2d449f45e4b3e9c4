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
internal sealed class TaskShape(int serial, Need[] needs, (ResourceType Type, long Amount)[] totals, TaskFamily family, ShapeTable table)
{
    private const int Remembered = 31;

    private long[]? waits;
    private int waitCount;

    public Need[] Needs { get; } = needs;

    /// <summary>What one grant takes of each type, the slot included.</summary>
    public (ResourceType Type, long Amount)[] Totals { get; } = totals;

    public bool IsSlotOnly => Needs.Length == 0;

    /// <summary>Whether it takes something of a rate.</summary>
    public bool IsRated { get; } = Array.Exists(needs, n => n.Rates.Length > 0);

    /// <summary>Whether it matters on which worker it is placed.</summary>
    public bool IsRanked
    {
        get
        {
            foreach (Need need in Needs)
            {
                if (need.Shared && need.Type.Ranked > 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Its place among the parked shapes that take something of a rate.</summary>
    public int RatedIndex { get; set; } = -1;

    public int Waiting { get; set; }

    /// <summary>How many jobs, each class by itself, compete for it.</summary>
    public int Competitors { get; set; }

    /// <summary>Its number among the shapes that wait; -1 where it has none.</summary>
    public int Id { get; set; } = -1;

    /// <summary>The type whose return wakes it; null while it is not parked, or is for no single type.</summary>
    public ResourceType? ParkedUnder
    {
        get
        {
            for (int at = 0; Id >= 0 && at < Totals.Length; at++)
            {
                if (ShapeTable.Has(Totals[at].Type.Shapes.Parked, Id))
                {
                    return Totals[at].Type;
                }
            }

            return null;
        }
    }

    /// <summary>Its place among the fresh shapes.</summary>
    public int FreshIndex { get; set; } = -1;

    /// <summary>Parked under no single type: all are there but not together on one worker.</summary>
    public bool IsJoint => Id >= 0 && ShapeTable.Has(table.Joint, Id);

    public bool IsParked => ParkedUnder is not null || IsJoint || IsFresh;

    /// <summary>Its place among the shapes that somebody waits for.</summary>
    public int WaitingIndex { get; set; } = -1;

    /// <summary>The dispatch that last tried it in vain.</summary>
    public long TriedIn { get; set; }

    public long CheckedGeneration { get; set; } = -1;

    public string? Impossible { get; set; }

    public TaskFamily Family { get; } = family;

    /// <summary>Who competes for it: all who wait but those over their quota.</summary>
    public List<TenantNode> Tenants { get; } = new(1);

    public bool HasHead => Tenants.Count > 0;

    /// <summary>It was not looked at since something changed that no unit tells of.</summary>
    public bool IsFresh { get; set; }

    /// <summary>Names it and a class in one number, which a table finds faster than the two of them.</summary>
    public long KeyFor(int priority) => ((long)serial << 32) | (uint)priority;

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
