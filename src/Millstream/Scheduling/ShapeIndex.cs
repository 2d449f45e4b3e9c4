using System.Numerics;

namespace Millstream;

/// <summary>Which shapes want one type, lack it, or are to be looked at since some of it came back.</summary>
internal sealed class ShapeIndex
{
    private readonly ResourceType type;
    private readonly ShapeTable table;

    // By how much is free, in steps of a quarter of an octave: the shapes that could do with that.
    private readonly ulong[]?[] enough = new ulong[4 * 64][];
    private ulong[] wanting;
    private ulong[] sharing;
    private ulong[] parked;
    private ulong[] candidates;

    public ShapeIndex(ResourceType type, ShapeTable table)
    {
        (this.type, this.table) = (type, table);
        wanting = new ulong[table.Capacity];
        sharing = new ulong[table.Capacity];
        parked = new ulong[table.Capacity];
        candidates = new ulong[table.Capacity];
        table.Add(this);
    }

    /// <summary>How many shapes are parked under this type.</summary>
    public int Parked { get; private set; }

    /// <summary>Whether there are any to look at.</summary>
    public bool HasCandidates { get; private set; }

    public bool IsCandidate(int id) => HasCandidates && ShapeTable.Has(candidates, id);

    public bool IsParked(int id) => ShapeTable.Has(parked, id);

    public void Grow()
    {
        wanting = ShapeTable.Grown(wanting, table.Capacity);
        sharing = ShapeTable.Grown(sharing, table.Capacity);
        parked = ShapeTable.Grown(parked, table.Capacity);
        candidates = ShapeTable.Grown(candidates, table.Capacity);
        Array.Clear(enough);
    }

    public void Clear()
    {
        Array.Clear(wanting);
        Array.Clear(sharing);
        Array.Clear(parked);
        Array.Clear(candidates);
        Array.Clear(enough);
        (Parked, HasCandidates) = (0, false);
    }

    public void Added(TaskShape shape)
    {
        ShapeTable.Set(wanting, shape.Id, true);
        int step = StepOf(shape);
        ShapeTable.Set(sharing, shape.Id, step >= 0);
        for (step = Math.Max(0, step); step < enough.Length; step++)
        {
            if (enough[step] is { } bits)
            {
                ShapeTable.Set(bits, shape.Id, true);
            }
        }
    }

    public void SetParked(int id, bool value)
    {
        if (ShapeTable.Has(parked, id) != value)
        {
            ShapeTable.Set(parked, id, value);
            Parked += value ? 1 : -1;
        }
    }

    /// <summary>Leaves one out that was looked at.</summary>
    public void Drop(int id) => ShapeTable.Set(candidates, id, false);

    /// <summary>Finds the shapes to look at.</summary>
    /// <param name="cameBack">The units that came back; null for all.</param>
    public void Gather(List<ResourceUnit>? cameBack)
    {
        int words = table.Words;
        ulong[] joint = table.Joint;
        ulong any = 0;
        if (cameBack is null)
        {
            for (int i = 0; i < words; i++)
            {
                candidates[i] = parked[i] | (joint[i] & wanting[i]);
                any |= candidates[i];
            }

            HasCandidates = any != 0;
            return;
        }

        Array.Clear(candidates, 0, words);
        foreach (ResourceUnit unit in cameBack)
        {
            ulong[] matching = unit.Kind!.Matching(table, unit), fits = Enough(StepOf(unit.Room));
            ulong whole = unit.Room == unit.Capacity ? ulong.MaxValue : 0;
            for (int i = 0; i < words; i++)
            {
                ulong found = (parked[i] | joint[i]) & matching[i] & fits[i] & (whole | sharing[i]);
                candidates[i] |= found;
                any |= found;
            }
        }

        HasCandidates = any != 0;
    }

    /// <summary>Has those candidates that want another type, of which there is nothing at all, wait for that one.</summary>
    public void MoveTo(ShapeIndex lacking)
    {
        ulong any = 0;
        ulong[] joint = table.Joint;
        for (int i = 0, words = table.Words; i < words; i++)
        {
            ulong moved = candidates[i] & lacking.wanting[i];
            if (moved != 0)
            {
                Parked -= BitOperations.PopCount(parked[i] & moved);
                parked[i] &= ~moved;
                joint[i] &= ~moved;
                lacking.Parked += BitOperations.PopCount(moved & ~lacking.parked[i]);
                lacking.parked[i] |= moved;
                candidates[i] &= ~moved;
            }

            any |= candidates[i];
        }

        HasCandidates = any != 0;
    }

    /// <summary>Adds the candidates to a list that has room for so many.</summary>
    /// <returns>False where there are more.</returns>
    public bool List(List<TaskShape> list, int most)
    {
        for (int i = 0, words = HasCandidates ? table.Words : 0; i < words; i++)
        {
            for (ulong left = candidates[i]; left != 0; left &= left - 1)
            {
                if (list.Count == most)
                {
                    return false;
                }

                list.Add(table[i * 64 + BitOperations.TrailingZeroCount(left)]);
            }
        }

        return true;
    }

    // Rounded down for both sides, so that a shape of the same step is looked at and may be found not to fit.
    private static int StepOf(long amount)
    {
        if (amount <= 0)
        {
            return 0;
        }

        int octave = BitOperations.Log2((ulong)amount);
        return octave * 4 + (int)((octave >= 2 ? amount >> (octave - 2) : amount << (2 - octave)) & 3);
    }

    /// <summary>The least that a shape takes of one unit that others use, too; -1 where it takes whole ones only.</summary>
    private int StepOf(TaskShape shape)
    {
        int least = int.MaxValue;
        foreach (Need need in shape.Needs)
        {
            if (need.Type == type && need.Shared)
            {
                least = Math.Min(least, StepOf(need.Amount));
            }
        }

        return least == int.MaxValue ? -1 : least;
    }

    private ulong[] Enough(int step)
    {
        if (enough[step] is { } known)
        {
            return known;
        }

        ulong[] bits = new ulong[table.Capacity];
        for (int id = 0; id < table.Count; id++)
        {
            ShapeTable.Set(bits, id, StepOf(table[id]) <= step);
        }

        return enough[step] = bits;
    }
}
