namespace Millstream;

/// <summary>Units of one type with the same labels: the same shapes want them.</summary>
internal sealed class UnitKind(string key)
{
    private ulong[] matching = [];
    private long generation = -1;
    private int known;

    public string Key => key;

    /// <summary>How many there are.</summary>
    public int Units { get; set; }

    /// <summary>The shapes that want a unit like this one.</summary>
    public ulong[] Matching(ShapeTable table, ResourceUnit unit)
    {
        if (generation != table.Generation || matching.Length < table.Capacity)
        {
            (generation, known, matching) = (table.Generation, 0, new ulong[table.Capacity]);
        }

        for (; known < table.Count; known++)
        {
            foreach (Need need in table[known].Needs)
            {
                if (need.Type == unit.TypeState && need.Match.Contains(unit.Index))
                {
                    ShapeTable.Set(matching, known, true);
                }
            }
        }

        return matching;
    }

    /// <summary>One text for the same labels in whatever order.</summary>
    public static string KeyOf(IReadOnlyDictionary<string, string> labels) =>
        labels.Count == 0 ? "" : string.Join('\n', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}\t{l.Value}"));
}
