namespace Millstream;

/// <summary>Small parts of sentences.</summary>
internal static class Words
{
    public static string A(string noun) => "aeiou".Contains(char.ToLowerInvariant(noun[0]), StringComparison.Ordinal) ? $"an {noun}" : $"a {noun}";

    public static string Many(string noun) => noun.EndsWith('s') || noun.EndsWith('x') || noun.EndsWith("ch", StringComparison.Ordinal) ? noun + "es"
        : noun.EndsWith('y') && noun.Length > 1 && !"aeiou".Contains(noun[^2], StringComparison.Ordinal) ? noun[..^1] + "ies" : noun + "s";

    /// <summary>Whether a text may be the id of a workflow or task: ids stand in streams, with marks such as <c>[3]</c> and <c>/</c> around them.</summary>
    public static bool IsId(string text) => text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    /// <summary>A span of time, as in <c>30 s</c> or <c>1.5 min</c>.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds < 1 ? Said(time.TotalMilliseconds, "ms")
        : time.TotalMinutes < 2 ? Said(time.TotalSeconds, "s")
        : time.TotalHours < 2 ? Said(time.TotalMinutes, "min") : Said(time.TotalHours, "h");

    public static string Counted(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {Many(noun)}";

    private static string Said(double number, string unit) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number:0.##} {unit}");
}
