namespace Millstream;

/// <summary>Says what labels there are.</summary>
internal static class LabelWords
{
    /// <summary>What the units have for a label, as in <c>4 browsers have vendor = intel</c>.</summary>
    public static string Of(List<ResourceUnit> units, string type, string key)
    {
        IEnumerable<string> said = units.GroupBy(u => u.Labels.GetValueOrDefault(key))
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(3)
            .Select(g => $"{Words.Counted(g.Count(), type)} {(g.Count() == 1 ? "has" : "have")} {(g.Key is null ? $"no label {key}" : $"{key} = {g.Key}")}");
        return string.Join(", ", said);
    }
}
