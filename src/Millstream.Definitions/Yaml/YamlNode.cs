using System.Globalization;
using System.Text.RegularExpressions;

namespace Millstream.Definitions;

/// <summary>Where something stands in a file: line and column from 1.</summary>
internal readonly record struct Mark(int Line, int Column);

/// <summary>A value of a YAML or JSON file with its place. An alias gives the same node again.</summary>
internal abstract record YamlNode(Mark Mark)
{
    public abstract string Describe();
}

/// <summary>A scalar; <paramref name="Plain"/> is true when it stood without quotes and so may be a number, a boolean or null.</summary>
internal sealed partial record YamlScalar(Mark Mark, string Text, bool Plain, bool Block) : YamlNode(Mark)
{
    /// <summary>The value under the YAML 1.2 core schema: null, bool, long, double or string.</summary>
    public object? Value => !Plain ? Text : Text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => Number(Text),
    };

    public bool IsNull => Value is null;

    public override string Describe() => Value switch { null => "null", bool or long or double => Text, _ => $"the text '{Shorten(Text)}'" };

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private static object Number(string text)
    {
        if (Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
            return whole;
        if (Hex().IsMatch(text) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hex))
            return hex;
        if (Float().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real))
            return real;
        return text;
    }

    [GeneratedRegex(@"^[-+]?[0-9]+\z")] private static partial Regex Integer();
    [GeneratedRegex(@"^0x[0-9a-fA-F]+\z")] private static partial Regex Hex();
    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")] private static partial Regex Float();
}

internal sealed record YamlList(Mark Mark, IReadOnlyList<YamlNode> Items) : YamlNode(Mark)
{
    public override string Describe() => "a list";
}

internal sealed record YamlEntry(string Key, Mark KeyMark, YamlNode Value);

internal sealed record YamlMap(Mark Mark, IReadOnlyList<YamlEntry> Entries) : YamlNode(Mark)
{
    public override string Describe() => "a mapping";

    public YamlEntry? Find(string key)
    {
        foreach (YamlEntry entry in Entries)
        {
            if (entry.Key == key)
                return entry;
        }
        return null;
    }
}
