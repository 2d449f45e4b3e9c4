using System.Text.RegularExpressions;

namespace Millstream.Definitions;

/// <summary>Reads constants of a wanted form out of nodes; what has another form is a fault and gives null.</summary>
internal sealed partial class NodeReader(FaultList faults)
{
    public FaultList Faults => faults;

    /// <summary>The mapping, after telling every key that is none of <paramref name="keys"/>.</summary>
    public YamlMap? Map(YamlNode node, string name, string[]? keys = null)
    {
        if (node is not YamlMap map)
        {
            faults.Add(node.Mark, $"{name} must be a mapping, this is {node.Describe()}");
            return null;
        }
        foreach (YamlEntry entry in map.Entries)
        {
            if (keys is not null && !keys.Contains(entry.Key))
                faults.Add(entry.KeyMark, $"{name} has no key '{entry.Key}'{Names.Suggest(entry.Key, keys)}");
        }
        return map;
    }

    public string? Text(YamlMap map, string key, string name)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { IsNull: false } scalar && !ExpressionText.HasExpression(scalar.Text))
            return scalar.Text;
        faults.Add(entry.Value.Mark, $"{name} must be text{(entry.Value is YamlScalar { IsNull: false } ? " without expressions" : "")}, this is {entry.Value.Describe()}");
        return null;
    }

    public string? Name(YamlMap map, string key, string name)
    {
        if (Text(map, key, name) is not { } text)
            return null;
        return IsName(text, map.Find(key)!.Value.Mark, name) ? text : null;
    }

    public bool IsName(string text, Mark mark, string name)
    {
        if (NamePattern().IsMatch(text))
            return true;
        faults.Add(mark, $"{name} '{text}' must be 1 to 64 letters, digits, '_' or '-'");
        return false;
    }

    /// <summary>A name that an expression may use: '-' would be a subtraction there.</summary>
    public bool Id(YamlEntry entry, string what)
    {
        if (IdPattern().IsMatch(entry.Key))
            return true;
        faults.Add(entry.KeyMark, $"{what} '{entry.Key}' must be letters, digits and '_', not begin with a digit, and have at most 64 characters{(entry.Key.Contains('-') ? " ('-' is a subtraction in expressions)" : "")}");
        return false;
    }

    public int? Whole(YamlMap map, string key, string name, int least, int most = int.MaxValue) => (int?)Long(map, key, name, least, most);

    public long? Long(YamlMap map, string key, string name, long least, long most = long.MaxValue)
    {
        if (map.Find(key) is not { } entry)
            return null;
        long? number = (entry.Value as YamlScalar)?.Value as long?;
        if (number >= least && number <= most)
            return number;
        faults.Add(entry.Value.Mark, $"{name} must be a whole number of {(number > most ? $"at most {most}" : $"at least {least}")}, this is {entry.Value.Describe()}");
        return null;
    }

    public string? Choice(YamlMap map, string key, string name, string[] choices, string meaning = "")
    {
        if (Text(map, key, name) is not { } text)
            return null;
        if (choices.Contains(text))
            return text;
        faults.Add(map.Find(key)!.Value.Mark, $"{name} is '{text}'; write {string.Join(", ", choices[..^1])} or {choices[^1]}{meaning}{Names.Near(text, choices)}");
        return null;
    }

    public double? Number(YamlMap map, string key, string name, double least)
    {
        if (map.Find(key) is not { } entry)
            return null;
        double number = entry.Value is YamlScalar scalar ? scalar.Value switch { long l => l, double d => d, _ => double.NaN } : double.NaN;
        if (number >= least)
            return number;
        faults.Add(entry.Value.Mark, $"{name} must be a number of at least {least}, this is {entry.Value.Describe()}");
        return null;
    }

    public bool? Flag(YamlMap map, string key, string name)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { Value: bool flag })
            return flag;
        faults.Add(entry.Value.Mark, $"{name} must be true or false, this is {entry.Value.Describe()}");
        return null;
    }

    public TimeSpan? Duration(YamlMap map, string key, string name)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && Units.TryDuration(scalar.Text, out TimeSpan duration))
            return duration;
        faults.Add(entry.Value.Mark, $"{name} {Units.DurationFault((entry.Value as YamlScalar)?.Text ?? "")}, this is {entry.Value.Describe()}");
        return null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z")] private static partial Regex NamePattern();
    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,63}\z")] private static partial Regex IdPattern();
}
