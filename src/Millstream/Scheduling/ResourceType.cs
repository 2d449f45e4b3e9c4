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
internal sealed class ResourceType
{
    private const int MostCame = 32;

    private readonly Dictionary<LabelSelector, SelectorMatch> selectors = [];
    private readonly Dictionary<string, UnitKind> kinds = new(StringComparer.Ordinal);
    private ulong[] whole = [];

    public ResourceType(string name, int index, ShapeTable table)
    {
        (Name, Index) = (name, index);
        Shapes = new ShapeIndex(this, table);
        Room = new RoomIndex(this);
    }

    public string Name { get; }

    public int Index { get; }

    public List<ResourceUnit> Units { get; } = [];

    /// <summary>Those of the units that belong to no worker.</summary>
    public List<ResourceUnit> Pool { get; } = [];

    /// <summary>Rises when units come or go.</summary>
    public long Generation { get; private set; }

    public long Capacity { get; private set; }

    /// <summary>1 / capacity, for the dominant share.</summary>
    public double Inverse { get; private set; } = 1;

    /// <summary>The shapes that want this type; those that lack it are looked at again when some of it comes back.</summary>
    public ShapeIndex Shapes { get; }

    /// <summary>How much there is in one unit.</summary>
    public RoomIndex Room { get; }

    /// <summary>How many units have something to give.</summary>
    public int Available { get; private set; }

    public bool IsDirty { get; set; }

    /// <summary>The units that came back since all of it was looked at.</summary>
    public List<ResourceUnit> CameBack { get; } = [];

    /// <summary>More came back than is worth a list.</summary>
    public bool AllCameBack { get; set; }

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
        string key = UnitKind.KeyOf(unit.Labels);
        if (!kinds.TryGetValue(key, out UnitKind? kind))
        {
            kinds.Add(key, kind = new UnitKind(key));
        }

        unit.Kind = kind;
        kind.Units++;
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
        SetAvailable(unit, false);
        if (--unit.Kind!.Units == 0)
        {
            kinds.Remove(unit.Kind.Key);
        }

        if (last != unit)
        {
            last.Index = unit.Index;
            Units[last.Index] = last;
            Changed(last);
        }

        Room.Removed();
        unit.Index = -1;
        unit.TypeState = null;
    }

    /// <summary>Keeps the bitmap in step with a unit whose state has changed.</summary>
    public void Changed(ResourceUnit unit)
    {
        Set(unit.Index, unit.IsOpen && unit.Free == unit.Capacity && unit.Closed == 0);
        SetAvailable(unit, unit.Room > 0);
        if (unit.Capacity > 1)
        {
            Room.Changed(unit.Index);
        }
    }

    /// <summary>Notes that a unit has more to give than before.</summary>
    public void Came(ResourceUnit unit)
    {
        if (AllCameBack || unit.HasCome)
        {
            return;
        }

        if (CameBack.Count == MostCame)
        {
            ForgetCame();
            AllCameBack = true;
            return;
        }

        unit.HasCome = true;
        CameBack.Add(unit);
    }

    /// <summary>Leaves out what has gone again.</summary>
    public void Sift()
    {
        for (int i = CameBack.Count - 1; i >= 0; i--)
        {
            ResourceUnit unit = CameBack[i];
            if (unit.TypeState != this || unit.Room <= 0)
            {
                unit.HasCome = false;
                CameBack[i] = CameBack[^1];
                CameBack.RemoveAt(CameBack.Count - 1);
            }
        }
    }

    /// <summary>All of it was looked at.</summary>
    public void ForgetCame()
    {
        foreach (ResourceUnit unit in CameBack)
        {
            unit.HasCome = false;
        }

        CameBack.Clear();
        AllCameBack = false;
    }

    private void SetAvailable(ResourceUnit unit, bool value)
    {
        if (unit.IsAvailable != value)
        {
            unit.IsAvailable = value;
            Available += value ? 1 : -1;
        }
    }

    private void Set(int index, bool free)
    {
        ulong bit = 1UL << index;
        whole[index >> 6] = free ? whole[index >> 6] | bit : whole[index >> 6] & ~bit;
    }
}
