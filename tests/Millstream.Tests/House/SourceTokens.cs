namespace Millstream.Tests.House;

internal readonly record struct Token(string Text, int Line)
{
    public bool IsName => char.IsLetter(Text[0]) || Text[0] is '_' or '@';
}

/// <summary>
/// C# text as names and signs, without comments, directives, numbers and the text of strings. What stands in the holes of
/// interpolated strings is code and stays.
/// </summary>
internal sealed class SourceTokens
{
    private static readonly string[] LongSigns = ["=>", "??", "::", "?.", "==", "!=", "<=", ">=", "&&", "||", "->"];

    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;

    private SourceTokens(string text) => _text = text;

    public static List<Token> Read(string text)
    {
        var reader = new SourceTokens(text);
        reader.ReadCode(inHole: false, closing: 1);
        return reader._tokens;
    }

    private char Here => Peek(0);

    private char Peek(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    /// <summary>Reads to the end, or in a hole to the braces that close it.</summary>
    private void ReadCode(bool inHole, int closing)
    {
        int depth = 0;
        while (_at < _text.Length)
        {
            if (inHole && depth == 0 && Here == '}' && Run('}') >= closing)
            {
                Skip(closing);
                return;
            }

            if (inHole && depth == 0 && Here == ':' && Peek(1) != ':')
                while (_at < _text.Length && Here != '}')
                    Skip(1); // a format, not code
            else if (!SkipSpaceOrComment() && !TryString())
                depth += ReadToken();
        }
    }

    private bool SkipSpaceOrComment()
    {
        if (char.IsWhiteSpace(Here))
            Skip(1);
        else if (Here == '/' && Peek(1) == '/' || Here == '#' && IsFirstOfLine())
            while (_at < _text.Length && Here != '\n')
                Skip(1);
        else if (Here == '/' && Peek(1) == '*')
        {
            int end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
            Skip((end < 0 ? _text.Length : end + 2) - _at);
        }
        else
            return false;
        return true;
    }

    private bool IsFirstOfLine() => _text.AsSpan(0, _at)[(_text.LastIndexOf('\n', Math.Max(0, _at - 1)) + 1)..].IsWhiteSpace();

    private int ReadToken()
    {
        int start = _at;
        if (char.IsLetter(Here) || Here is '_' or '@')
        {
            Skip(1);
            while (char.IsLetterOrDigit(Here) || Here == '_')
                Skip(1);
        }
        else if (char.IsAsciiDigit(Here))
        {
            while (char.IsLetterOrDigit(Here) || Here == '_' || (Here == '.' && char.IsAsciiDigit(Peek(1))))
                Skip(1);
            _tokens.Add(new Token("0", _line));
            return 0;
        }
        else
            Skip(LongSigns.FirstOrDefault(s => _text.AsSpan(_at).StartsWith(s))?.Length ?? 1);
        string text = _text[start.._at];
        _tokens.Add(new Token(text, _line));
        return text is "(" or "[" or "{" ? 1 : text is ")" or "]" or "}" ? -1 : 0;
    }

    private bool TryString()
    {
        int prefix = 0;
        while (Peek(prefix) is '$' or '@' && prefix < 16)
            prefix++;
        if (Here == '\'')
        {
            Skip(1);
            SkipQuoted('\'');
            return true;
        }

        if (Peek(prefix) != '"')
            return false;
        int dollars = _text.AsSpan(_at, prefix).Count('$');
        bool verbatim = _text.AsSpan(_at, prefix).Contains('@');
        Skip(prefix);
        int quotes = Run('"');
        _tokens.Add(new Token("\"\"", _line));
        if (quotes >= 3 && !verbatim)
            ReadRaw(quotes, dollars);
        else
        {
            Skip(1);
            ReadPlain(verbatim, dollars > 0);
        }

        return true;
    }

    private void ReadRaw(int quotes, int dollars)
    {
        Skip(quotes);
        while (_at < _text.Length)
        {
            if (Here == '"' && Run('"') >= quotes)
            {
                Skip(Run('"'));
                return;
            }

            int braces = Here == '{' ? Run('{') : 0;
            Skip(Math.Max(1, braces));
            if (dollars > 0 && braces >= dollars)
                ReadCode(inHole: true, dollars);
        }
    }

    private void ReadPlain(bool verbatim, bool interpolated)
    {
        while (_at < _text.Length)
        {
            if (Here == '"' && verbatim && Peek(1) == '"' || Here == '\\' && !verbatim || interpolated && Here == '{' && Peek(1) == '{')
                Skip(2);
            else if (Here == '"')
            {
                Skip(1);
                return;
            }
            else if (interpolated && Here == '{')
            {
                Skip(1);
                ReadCode(inHole: true, 1);
            }
            else
                Skip(1);
        }
    }

    private void SkipQuoted(char quote)
    {
        while (_at < _text.Length && Here != quote)
            Skip(Here == '\\' ? 2 : 1);
        Skip(1);
    }

    private int Run(char sign)
    {
        int length = 0;
        while (Peek(length) == sign)
            length++;
        return length;
    }

    private void Skip(int count)
    {
        for (int end = Math.Min(_text.Length, _at + count); _at < end; _at++)
            if (_text[_at] == '\n')
                _line++;
    }
}
