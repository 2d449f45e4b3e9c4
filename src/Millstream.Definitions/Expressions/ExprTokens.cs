using System.Text.Json;

namespace Millstream.Definitions;

internal readonly record struct Token(string Kind, string Text, int At);

/// <summary>Cuts an expression into tokens. A token's kind is its own text, or id, quoted, raw, literal, number, end.</summary>
internal static class ExprTokens
{
    private static readonly string[] Symbols =
        ["[]", "[?", "||", "&&", "==", "!=", "<=", ">=", "//", ".", "[", "]", "{", "}", "(", ")", ",", ":", "|", "&", "!", "<", ">", "@", "*", "+", "-", "/", "%"];

    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        int i = 0;
        while (i < text.Length)
        {
            char c = text[i];
            if (c is ' ' or '\t' or '\n' or '\r')
                i++;
            else if (char.IsAsciiLetter(c) || c == '_')
                tokens.Add(Take("id", text, ref i, n => char.IsAsciiLetterOrDigit(n) || n == '_'));
            else if (char.IsAsciiDigit(c) || c == '-' && InBrackets(tokens) && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]))
                tokens.Add(Take("number", text, ref i, char.IsAsciiDigit));
            else if (c is '"' or '\'' or '`')
                tokens.Add(Quoted(text, ref i));
            else
                tokens.Add(Symbol(text, ref i));
        }
        tokens.Add(new Token("end", "", text.Length));
        return tokens;
    }

    private static bool InBrackets(List<Token> tokens) => tokens.Count > 0 && tokens[^1].Kind is "[" or ":";

    private static Token Take(string kind, string text, ref int i, Func<char, bool> more)
    {
        int start = i++;
        while (i < text.Length && more(text[i]))
            i++;
        return new Token(kind, text[start..i], start);
    }

    private static Token Quoted(string text, ref int i)
    {
        int start = i;
        char quote = text[i++];
        while (i < text.Length && text[i] != quote)
            i += text[i] == '\\' ? 2 : 1;
        if (i >= text.Length)
            throw new ExpressionException(start, $"the {quote} is not closed");
        string inner = text[(start + 1)..i++];
        return quote switch
        {
            '\'' => new Token("raw", inner, start),
            '`' => new Token("literal", inner.Replace("\\`", "`", StringComparison.Ordinal), start),
            _ => new Token("quoted", Unescape(inner, start), start),
        };
    }

    private static string Unescape(string inner, int start)
    {
        try
        {
            return JsonSerializer.Deserialize<string>($"\"{inner}\"")!;
        }
        catch (JsonException)
        {
            throw new ExpressionException(start, $"\"{inner}\" is not a name in JSON's form");
        }
    }

    private static Token Symbol(string text, ref int i)
    {
        foreach (string symbol in Symbols)
        {
            if (string.CompareOrdinal(text, i, symbol, 0, symbol.Length) != 0)
                continue;
            i += symbol.Length;
            return new Token(symbol, symbol, i - symbol.Length);
        }
        throw new ExpressionException(i, text[i] switch
        {
            '$' => "'$' and 'let' are not allowed; a path starts at input, tasks, item or index",
            '=' => "'=' compares as '=='",
            '?' => "'?' stands only in a filter: list[?condition]",
            _ => $"'{text[i]}' has no meaning here",
        });
    }
}
