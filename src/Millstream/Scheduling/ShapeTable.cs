using System.Numerics;
using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>
/// The shapes that somebody waits for, by numbers, so that sets of them are bitmaps: those that a unit which came back could serve are found without a look at
/// the others, and those that now lack something else are moved there together.
/// </summary>
internal sealed class ShapeTable
{
    private const int CompactAt = 1024, First = 512;

    private readonly List<ShapeIndex> types = [];
    private readonly List<TaskFamily> families = [];
    private TaskShape[] shapes = new TaskShape[First];
    private int compactAt = CompactAt;

    public int Count { get; private set; }

    /// <summary>How long the bitmaps are; a multiple of any vector.</summary>
    public int Capacity => shapes.Length / 64;

    /// <summary>Rises when the numbers are given anew.</summary>
    public long Generation { get; private set; }

    /// <summary>Those that found all their types but not together.</summary>
    public ulong[] Joint { get; private set; } = new ulong[First / 64];

    /// <summary>Those that are to be looked at now.</summary>
    public ulong[] Awake { get; private set; } = new ulong[First / 64];

    /// <summary>Those that want several types beside a slot.</summary>
    public ulong[] Mixed { get; private set; } = new ulong[First / 64];

    public TaskShape this[int id] => shapes[id];

    public void Add(ShapeIndex type) => types.Add(type);

    public void Add(TaskFamily family)
    {
        family.Shapes = new ulong[Capacity];
        families.Add(family);
    }

    /// <summary>Gives a shape its number.</summary>
    public void Add(TaskShape shape)
    {
        if (Count >= compactAt)
        {
            Compact();
        }

        if (Count == shapes.Length)
        {
            Array.Resize(ref shapes, Count * 2);
            Joint = Grown(Joint, Capacity);
            Awake = Grown(Awake, Capacity);
            Mixed = Grown(Mixed, Capacity);
            types.ForEach(t => t.Grow());
            families.ForEach(f => f.Shapes = Grown(f.Shapes, Capacity));
        }

        shape.Id = Count;
        shapes[Count++] = shape;
        Set(shape.Family.Shapes, shape.Id, true);
        Set(Mixed, shape.Id, shape.Totals.Length > 2);
        foreach ((ResourceType type, _) in shape.Totals)
        {
            type.Shapes.Added(shape);
        }
    }

    /// <summary>The part of a bitmap that is in use.</summary>
    public Span<Vector<ulong>> Vectors(ulong[] bits) => MemoryMarshal.Cast<ulong, Vector<ulong>>(bits.AsSpan())[..((Count + 64 * Vector<ulong>.Count - 1) / (64 * Vector<ulong>.Count))];

    /// <summary>Adds the shapes of a set to a list that has room for so many.</summary>
    /// <returns>How many there are.</returns>
    public int List(ulong[] set, ulong[] of, List<TaskShape> list, int most)
    {
        int count = 0;
        for (int i = 0, words = (Count + 63) / 64; i < words; i++)
        {
            ulong left = set[i] & of[i];
            count += BitOperations.PopCount(left);
            for (; left != 0 && list.Count < most; left &= left - 1)
            {
                list.Add(shapes[i * 64 + BitOperations.TrailingZeroCount(left)]);
            }
        }

        return count;
    }

    public bool Intersect(ulong[] left, ulong[] right)
    {
        Span<Vector<ulong>> a = Vectors(left), b = Vectors(right);
        for (int i = 0; i < a.Length; i++)
        {
            if ((a[i] & b[i]) != Vector<ulong>.Zero)
            {
                return true;
            }
        }

        return false;
    }

    public static bool Has(ulong[] bits, int id) => (bits[id >> 6] & (1UL << id)) != 0;

    public static void Set(ulong[] bits, int id, bool value)
    {
        ulong bit = 1UL << id;
        bits[id >> 6] = value ? bits[id >> 6] | bit : bits[id >> 6] & ~bit;
    }

    public static ulong[] Grown(ulong[] bits, int words)
    {
        Array.Resize(ref bits, words);
        return bits;
    }

    /// <summary>Takes the numbers of those away that nobody waits for.</summary>
    private void Compact()
    {
        List<(TaskShape Shape, ResourceType? Under, bool IsJoint)> kept = [];
        for (int id = 0; id < Count; id++)
        {
            TaskShape shape = shapes[id];
            if (shape.Waiting > 0)
            {
                kept.Add((shape, shape.ParkedUnder, shape.IsJoint));
            }
        }

        for (int id = 0; id < Count; id++)
        {
            shapes[id].Id = -1;
        }

        Generation++;
        Count = 0;
        Array.Clear(shapes);
        Array.Clear(Joint);
        Array.Clear(Awake);
        Array.Clear(Mixed);
        types.ForEach(t => t.Clear());
        families.ForEach(f => Array.Clear(f.Shapes));
        compactAt = int.MaxValue;
        foreach ((TaskShape shape, ResourceType? under, bool isJoint) in kept)
        {
            Add(shape);
            Set(Joint, shape.Id, isJoint);
            if (under is not null)
            {
                Set(under.Shapes.Parked, shape.Id, true);
            }
        }

        compactAt = Math.Max(CompactAt, Count * 2);
        foreach (TaskFamily family in families)
        {
            foreach (JobLine line in family.Classes.SelectMany(c => c.Tenants.Items).SelectMany(t => t.Jobs.Items))
            {
                foreach (JobNode node in line.Nodes)
                {
                    node.Listed = node.Key;
                }

                line.Nodes.Rebuild(static n => n.Listed);
            }
        }
    }
}
