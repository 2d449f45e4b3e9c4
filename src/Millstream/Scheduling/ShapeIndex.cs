using System.Numerics;

namespace Millstream;

/// <summary>Which shapes want one type, and which lack it, as bitmaps over their numbers in a <see cref="ShapeTable"/>.</summary>
internal sealed class ShapeIndex
{
    private readonly ResourceType type;
    private readonly ShapeTable table;

    // By how much is free, in steps of a quarter of an octave: the shapes that could do with that.
    private readonly ulong[]?[] enough = new ulong[4 * 64][];

    // By how many whole units there are: the shapes that want more.
    private readonly ulong[]?[] more = new ulong[ResourceRequirement.MaxGang][];

    public ShapeIndex(ResourceType type, ShapeTable table)
    {
        (this.type, this.table) = (type, table);
        Wanting = new ulong[table.Capacity];
        Sharing = new ulong[table.Capacity];
        Parked = new ulong[table.Capacity];
        table.Add(this);
    }

    /// <summary>Those that want this type.</summary>
    public ulong[] Wanting { get; private set; }

    /// <summary>Those that want an amount of it that they share, beside whole ones or not.</summary>
    public ulong[] Sharing { get; private set; }

    /// <summary>Those that lack it.</summary>
    public ulong[] Parked { get; private set; }

    public void Grow()
    {
        Wanting = ShapeTable.Grown(Wanting, table.Capacity);
        Sharing = ShapeTable.Grown(Sharing, table.Capacity);
        Parked = ShapeTable.Grown(Parked, table.Capacity);
        Array.Clear(enough);
        Array.Clear(more);
    }

    public void Clear()
    {
        Array.Clear(Wanting);
        Array.Clear(Sharing);
        Array.Clear(Parked);
        Array.Clear(enough);
        Array.Clear(more);
    }

    public void Added(TaskShape shape)
    {
        ShapeTable.Set(Wanting, shape.Id, true);
        int step = StepOf(shape);
        ShapeTable.Set(Sharing, shape.Id, step >= 0);
        for (step = Math.Max(0, step); step < enough.Length; step++)
        {
            if (enough[step] is { } bits)
            {
                ShapeTable.Set(bits, shape.Id, true);
            }
        }

        long whole = WholeOf(shape);
        for (int than = 0; than < Math.Min(whole, more.Length); than++)
        {
            if (more[than] is { } bits)
            {
                ShapeTable.Set(bits, shape.Id, true);
            }
        }
    }

    /// <summary>The shapes that want more than so many whole units; null where there are none, since no task may.</summary>
    public ulong[]? WantingMore(int than)
    {
        if (than >= more.Length)
        {
            return null;
        }

        if (more[than] is { } known)
        {
            return known;
        }

        ulong[] bits = new ulong[table.Capacity];
        for (int id = 0; id < table.Count; id++)
        {
            ShapeTable.Set(bits, id, WholeOf(table[id]) > than);
        }

        return more[than] = bits;
    }

    /// <summary>Adds the shapes that could use a unit as it is now, as far as labels and the least amount go.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="of">Where they are looked for; null for all that there are.</param>
    /// <param name="and">More of them; null for none.</param>
    /// <param name="to">What they are added to.</param>
    /// <returns>Whether there are any.</returns>
    public bool AddUsers(ResourceUnit unit, ulong[]? of, ulong[]? and, ulong[] to)
    {
        ReadOnlySpan<Vector<ulong>> matching = Vectors(unit.Kind!.Matching(table, unit)), fits = Vectors(Enough(StepOf(unit.Room))), sharing = Vectors(Sharing);
        ReadOnlySpan<Vector<ulong>> first = Vectors(of ?? Wanting), second = Vectors(and ?? Wanting);
        Span<Vector<ulong>> into = Vectors(to);
        Vector<ulong> whole = unit.Room == unit.Capacity ? Vector<ulong>.AllBitsSet : Vector<ulong>.Zero, any = Vector<ulong>.Zero;
        for (int i = 0; i < into.Length; i++)
        {
            Vector<ulong> found = (first[i] | second[i]) & matching[i] & fits[i] & (whole | sharing[i]);
            into[i] |= found;
            any |= found;
        }

        return any != Vector<ulong>.Zero;
    }

    private Span<Vector<ulong>> Vectors(ulong[] bits) => table.Vectors(bits);

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

    private long WholeOf(TaskShape shape)
    {
        long sum = 0;
        foreach (Need need in shape.Needs)
        {
            sum += need.Type == type && !need.Shared ? need.Amount : 0;
        }

        return sum;
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
