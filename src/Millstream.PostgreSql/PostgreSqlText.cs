using System.Text;

namespace Millstream;

/// <summary>Text as PostgreSQL takes it.</summary>
internal static class PostgreSqlText
{
    /// <summary>The text without U+0000 and halves of surrogate pairs, which a message of a program may hold.</summary>
    public static string? Of(string? text)
    {
        if (text is null || !text.AsSpan().ContainsAny('\0', '\uFFFD') && IsWhole(text))
            return text;
        // Through UTF-8 and back, which replaces lone halves.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');
    }

    private static bool IsWhole(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
                return false;
        }
        return true;
    }
}
