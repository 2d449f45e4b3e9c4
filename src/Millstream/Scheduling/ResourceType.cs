namespace Millstream;

/// <summary>The units that match one selector, cached until the units of the type change.</summary>
internal sealed class SelectorMatch(LabelSelector selector, ResourceType type)
{
    private ulong[] bits = [];
    private long generation = -1;

    public LabelSelector Selector { get; } = selector;

    public ulong[] Bits
    {
        get
        {
            if (generation != type.Generation)
            {
                generation = type.Generation;
                bits = new ulong[(type.Units.Count + 63) / 64];
                for (int i = 0; i < type.Units.Count; i++)
                {
                    if (Selector.Matches(type.Units[i].Labels))
                    {
                        bits[i >> 6] |= 1UL << i;
                    }
                }
            }

            return bits;
        }
    }

    public bool Contains(int index) => (Bits[index >> 6] & (1UL << index)) != 0;
}

/// <summary>All units of one type, what is free of them, and the shapes that wait for it.</summary>
internal sealed class ResourceType(string name, int index)
{
    private readonly Dictionary<LabelSelector, SelectorMatch> selectors = [];
    private ulong[] whole = [];

    public string Name { get; } = name;

    public int Index { get; } = index;

    public List<ResourceUnit> Units { get; } = [];

    /// <summary>Those of the units that belong to no worker.</summary>
    public List<ResourceUnit> Pool { get; } = [];

    /// <summary>Rises when units come or go.</summary>
    public long Generation { get; private set; }

    public long Capacity { get; private set; }

    /// <summary>1 / capacity, for the dominant share.</summary>
    public double Inverse { get; private set; } = 1;

    /// <summary>Shapes that lack this type, looked at again when some of it comes back.</summary>
    public List<TaskShape> Parked { get; } = [];

    public bool IsDirty { get; set; }

    public Hold? Holder { get; set; }

    /// <summary>How many units of workers have a tier or weight of their own.</summary>
    public int Ranked { get; private set; }

    /// <summary>One bit for each unit that is wholly free and open.</summary>
    public ulong[] Whole => whole;

    public SelectorMatch MatchFor(LabelSelector selector)
    {
        if (!selectors.TryGetValue(selector, out SelectorMatch? match))
        {
            if (selectors.Count > 4096)
            {
                selectors.Clear();
            }

            match = new SelectorMatch(selector, this);
            selectors.Add(selector, match);
        }

        return match;
    }

    public void AddCapacity(long amount)
    {
        Capacity += amount;
        Inverse = Capacity == 0 ? 1 : 1.0 / Capacity;
    }

    public void Add(ResourceUnit unit)
    {
        unit.TypeState = this;
        unit.Index = Units.Count;
        Units.Add(unit);
        Ranked += unit.IsRanked ? 1 : 0;
        if (unit.Worker is null)
        {
            Pool.Add(unit);
        }

        Generation++;
        AddCapacity(unit.Capacity);
        if (whole.Length * 64 < Units.Count)
        {
            Array.Resize(ref whole, Math.Max(1, whole.Length * 2));
        }

        Changed(unit);
    }

    public void Remove(ResourceUnit unit)
    {
        Generation++;
        AddCapacity(-unit.Capacity);
        Pool.Remove(unit);
        Ranked -= unit.IsRanked ? 1 : 0;
        ResourceUnit last = Units[^1];
        Units.RemoveAt(Units.Count - 1);
        Set(last.Index, false);
        if (last != unit)
        {
            last.Index = unit.Index;
            Units[last.Index] = last;
            Changed(last);
        }

        unit.Index = -1;
        unit.TypeState = null;
    }

    /// <summary>Keeps the bitmap in step with a unit whose state has changed.</summary>
    public void Changed(ResourceUnit unit) => Set(unit.Index, unit.IsOpen && unit.Free == unit.Capacity && unit.Closed == 0);

    private void Set(int index, bool free)
    {
        ulong bit = 1UL << index;
        whole[index >> 6] = free ? whole[index >> 6] | bit : whole[index >> 6] & ~bit;
    }
}
