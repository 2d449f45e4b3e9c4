namespace Millstream;

/// <summary>
/// The shapes that somebody waits for, by numbers, so that sets of them are bitmaps: those that a unit which came back could serve are found without a look at
/// the others, and those that now lack something else are moved there together.
/// </summary>
internal sealed class ShapeTable
{
    private const int CompactAt = 1024;

    private readonly List<ShapeIndex> types = [];
    private TaskShape[] shapes = new TaskShape[64];
    private int compactAt = CompactAt;

    public int Count { get; private set; }

    /// <summary>How long the bitmaps are as far as they are in use.</summary>
    public int Words => (Count + 63) / 64;

    /// <summary>How long the bitmaps are.</summary>
    public int Capacity => shapes.Length / 64;

    /// <summary>Rises when the numbers are given anew.</summary>
    public long Generation { get; private set; }

    /// <summary>Those that found all their types but not together.</summary>
    public ulong[] Joint { get; private set; } = new ulong[1];

    public TaskShape this[int id] => shapes[id];

    public void Add(ShapeIndex type) => types.Add(type);

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
            types.ForEach(t => t.Grow());
        }

        shape.Id = Count;
        shapes[Count++] = shape;
        foreach ((ResourceType type, _) in shape.Totals)
        {
            type.Shapes.Added(shape);
        }
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
        types.ForEach(t => t.Clear());
        compactAt = int.MaxValue;
        foreach ((TaskShape shape, ResourceType? under, bool isJoint) in kept)
        {
            Add(shape);
            Set(Joint, shape.Id, isJoint);
            under?.Shapes.SetParked(shape.Id, true);
        }

        compactAt = Math.Max(CompactAt, Count * 2);
    }
}
