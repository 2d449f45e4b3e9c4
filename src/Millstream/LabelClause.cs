using System.Globalization;

namespace Millstream;

internal enum LabelOperator { Exists, Equal, In, AtLeast }

/// <summary>One clause of a <see cref="LabelSelector"/> and its canonical text.</summary>
internal sealed class LabelClause
{
    private readonly string[] values;
    private readonly decimal bound;

    public LabelClause(string key, LabelOperator op, string[] values, decimal bound)
    {
        Key = key;
        Operator = op;
        this.values = values;
        this.bound = bound;
        Text = op switch
        {
            LabelOperator.Equal => $"{Quoted(key)} = {Quoted(values[0])}",
            LabelOperator.In => $"{Quoted(key)} in ({string.Join(", ", values.Select(Quoted))})",
            LabelOperator.AtLeast => $"{Quoted(key)} >= {bound.ToString("0.############################", CultureInfo.InvariantCulture)}",
            _ => Quoted(key),
        };
    }

    public string Key { get; }

    public LabelOperator Operator { get; }

    public string Text { get; }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => labels.TryGetValue(Key, out string? value) && Operator switch
    {
        LabelOperator.Equal => value == values[0],
        LabelOperator.In => Array.IndexOf(values, value) >= 0,
        LabelOperator.AtLeast => decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number) && number >= bound,
        _ => true,
    };

    public static bool IsBare(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or ':' or '+';

    // `in` alone would read as the operator.
    private static string Quoted(string value)
    {
        if (value.Length > 0 && value != "in" && value.All(IsBare))
        {
            return value;
        }

        return '"' + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"';
    }
}
