using System.Text;

namespace Millstream.Definitions;

/// <summary>One part of a text: literal, or the expression of the n-th <c>${{ … }}</c> in it.</summary>
internal sealed record TextPart(string Text, bool IsExpression);

/// <summary>Cuts <c>a ${{ b }} c</c> into its parts. <c>$${{</c> is a literal <c>${{</c>.</summary>
internal static class ExpressionText
{
    public static bool HasExpression(string text) => text.Contains("${{", StringComparison.Ordinal);

    public static List<TextPart> Split(string text)
    {
        var parts = new List<TextPart>();
        var literal = new StringBuilder();
        int i = 0;
        while (i < text.Length)
        {
            if (string.CompareOrdinal(text, i, "$${{", 0, 4) == 0)
            {
                literal.Append("${{");
                i += 4;
            }
            else if (string.CompareOrdinal(text, i, "${{", 0, 3) == 0)
            {
                int end = End(text, i + 3);
                if (literal.Length > 0)
                    parts.Add(new TextPart(literal.ToString(), false));
                literal.Clear();
                parts.Add(new TextPart(text[(i + 3)..end], true));
                i = end + 2;
            }
            else
                literal.Append(text[i++]);
        }
        if (literal.Length > 0)
            parts.Add(new TextPart(literal.ToString(), false));
        return parts;
    }

    /// <summary>The expression ends at the first <c>}}</c> outside quotes and back-ticks.</summary>
    private static int End(string text, int start)
    {
        char quote = '\0';
        for (int i = start; i < text.Length; i++)
        {
            if (quote != '\0')
            {
                if (text[i] == '\\')
                    i++;
                else if (text[i] == quote)
                    quote = '\0';
            }
            else if (text[i] is '"' or '\'' or '`')
                quote = text[i];
            else if (text[i] == '}' && i + 1 < text.Length && text[i + 1] == '}')
                return i;
        }
        throw new ExpressionException(0, quote == '\0' ? "'${{' has no '}}'" : $"'${{{{' has no '}}}}': the {quote} in it is not closed");
    }
}
