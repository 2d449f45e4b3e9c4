using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Millstream;

/// <summary>Reads the text of a <see cref="LabelSelector"/>, clause by clause.</summary>
internal ref struct LabelSelectorParser
{
    private readonly string text;
    private int at;

    private LabelSelectorParser(string text) => this.text = text;

    private readonly bool AtEnd => at >= text.Length;

    public static bool TryRead(string text, out List<LabelClause> clauses, [NotNullWhen(false)] out string? error)
    {
        LabelSelectorParser parser = new(text);
        clauses = [];
        parser.SkipSpace();
        if (parser.AtEnd)
        {
            error = null;
            return true;
        }

        while (true)
        {
            int start = parser.at;
            if (!parser.TryReadClause(out LabelClause? clause, out string? fault))
            {
                error = $"Label selector \"{text}\": clause {clauses.Count + 1} (\"{parser.ClauseFrom(start)}\"), position {parser.at + 1}: {fault}";
                return false;
            }

            clauses.Add(clause);
            parser.SkipSpace();
            if (parser.AtEnd)
            {
                error = null;
                return true;
            }

            parser.at++;
            parser.SkipSpace();
        }
    }

    private bool TryReadClause([NotNullWhen(true)] out LabelClause? clause, [NotNullWhen(false)] out string? fault)
    {
        clause = null;
        if (!TryReadWord("a label's name", out string? key, out fault))
        {
            return false;
        }

        SkipSpace();
        if (AtEnd || text[at] == ',')
        {
            clause = new LabelClause(key, LabelOperator.Exists, [], 0);
            return true;
        }

        if (TakeText(">="))
        {
            SkipSpace();
            int start = at;
            if (!TryReadWord("a number", out string? number, out fault))
            {
                return false;
            }

            if (!decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal bound))
            {
                at = start;
                fault = $"\"{number}\" is not a number; write one, as in \"{key} >= 16\" or \"{key} >= 0.5\".";
                return false;
            }

            clause = new LabelClause(key, LabelOperator.AtLeast, [], bound);
        }
        else if (TakeText("="))
        {
            SkipSpace();
            if (!TryReadWord("a value", out string? value, out fault))
            {
                return false;
            }

            clause = new LabelClause(key, LabelOperator.Equal, [value], 0);
        }
        else if (at + 2 <= text.Length && text.AsSpan(at, 2).SequenceEqual("in") && (at + 2 == text.Length || !LabelClause.IsBare(text[at + 2])))
        {
            at += 2;
            if (!TryReadValues(key, out string[]? values, out fault))
            {
                return false;
            }

            clause = new LabelClause(key, LabelOperator.In, values, 0);
        }
        else
        {
            fault = $"expected \"=\", \"in (…)\", \">=\" or the next clause after \"{key}\"; the name alone asks whether the label exists.";
            return false;
        }

        SkipSpace();
        if (!AtEnd && text[at] != ',')
        {
            fault = "expected a comma or the end; values with spaces or other signs stand in double quotes.";
            clause = null;
            return false;
        }

        fault = null;
        return true;
    }

    private bool TryReadValues(string key, [NotNullWhen(true)] out string[]? values, [NotNullWhen(false)] out string? fault)
    {
        values = null;
        SkipSpace();
        if (!TakeText("("))
        {
            fault = $"expected \"(\" after \"in\", as in \"{key} in (a, b)\".";
            return false;
        }

        SortedSet<string> found = new(StringComparer.Ordinal);
        while (true)
        {
            SkipSpace();
            if (!TryReadWord("a value", out string? value, out fault))
            {
                return false;
            }

            found.Add(value);
            SkipSpace();
            if (TakeText(")"))
            {
                values = [.. found];
                return true;
            }

            if (!TakeText(","))
            {
                fault = "expected a comma or \")\" in the list of values.";
                return false;
            }
        }
    }

    private bool TryReadWord(string what, [NotNullWhen(true)] out string? word, [NotNullWhen(false)] out string? fault)
    {
        word = null;
        fault = null;
        if (!AtEnd && text[at] == '"')
        {
            return TryReadQuoted(out word, out fault);
        }

        int start = at;
        while (!AtEnd && LabelClause.IsBare(text[at]))
        {
            at++;
        }

        if (at == start)
        {
            fault = $"expected {what}{(AtEnd ? " but the text ends" : $", not '{text[at]}'")}.";
            return false;
        }

        word = text[start..at];
        return true;
    }

    private bool TryReadQuoted([NotNullWhen(true)] out string? word, [NotNullWhen(false)] out string? fault)
    {
        int start = at++;
        StringBuilder read = new();
        while (!AtEnd && text[at] != '"')
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }

            read.Append(text[at++]);
        }

        if (AtEnd)
        {
            at = start;
            word = null;
            fault = "this quote is not closed.";
            return false;
        }

        at++;
        word = read.ToString();
        fault = null;
        return true;
    }

    private readonly string ClauseFrom(int start)
    {
        int end = text.IndexOf(',', Math.Min(Math.Max(start, at), text.Length));
        return text[start..(end < 0 ? text.Length : end)].Trim();
    }

    private bool TakeText(string expected)
    {
        if (!text.AsSpan(at).StartsWith(expected))
        {
            return false;
        }

        at += expected.Length;
        return true;
    }

    private void SkipSpace()
    {
        while (!AtEnd && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }
}
