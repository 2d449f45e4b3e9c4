namespace Millstream;

/// <summary>What labels there are, in words.</summary>
internal static class LabelWords
{
    private const int MostValues = 3, MostKeys = 12;

    /// <summary>What the units have for a label, as in <c>4 browsers have vendor = intel</c>; where none has it, which labels they have.</summary>
    public static string Of(List<ResourceUnit> units, string type, string key)
    {
        if (units.TrueForAll(u => !u.Labels.ContainsKey(key)))
            return Keys(units, type);
        IEnumerable<string> said = units.GroupBy(u => u.Labels.GetValueOrDefault(key))
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(MostValues)
            .Select(g => $"{Has(g.Count(), type)} {(g.Key is null ? $"no label {key}" : $"{key} = {g.Key}")}");
        return string.Join(", ", said);
    }

    private static string Keys(List<ResourceUnit> units, string type)
    {
        string[] keys = [.. units.SelectMany(u => u.Labels.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string more = keys.Length > MostKeys ? $" and {keys.Length - MostKeys} more" : "";
        return $"{Has(units.Count, type)} {(keys.Length == 0 ? "no labels" : $"the {(keys.Length == 1 ? "label" : "labels")} {string.Join(", ", keys.Take(MostKeys))}{more}")}";
    }

    private static string Has(int count, string type) => $"{Words.Counted(count, type)} {(count == 1 ? "has" : "have")}";
}
