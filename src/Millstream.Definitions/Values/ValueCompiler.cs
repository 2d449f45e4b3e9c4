using System.Text.Json;
using DevLab.JmesPath;

namespace Millstream.Definitions;

/// <summary>Makes values of nodes and reads the expressions in them; a wrong expression is a fault and becomes null.</summary>
internal sealed class ValueCompiler(FaultList faults, WorkflowLimits limits, string source)
{
    private readonly string[] _lines = source.Split('\n');
    private readonly List<(Mark Mark, string Message)> _refused = [];

    /// <summary>
    /// Tells what the library refuses and our own reading found right. Said last and only when nothing else is wrong: our own
    /// messages for the same fault say what to write instead.
    /// </summary>
    public void TellRefused()
    {
        foreach ((Mark mark, string message) in faults.Count == 0 ? _refused : [])
            faults.Add(mark, message);
    }

    public ValueNode Compile(YamlNode node) => node switch
    {
        YamlList list => new ListValue(list.Mark, [.. list.Items.Select(Compile)]),
        YamlMap map => new MapValue(map.Mark, [.. map.Entries.Select(Entry)]),
        _ => Scalar((YamlScalar)node),
    };

    private (string, Mark, ValueNode) Entry(YamlEntry entry)
    {
        if (ExpressionText.HasExpression(entry.Key))
            faults.Add(entry.KeyMark, $"the key '{entry.Key}' cannot hold an expression; only values can");
        return (entry.Key, entry.KeyMark, Compile(entry.Value));
    }

    private ValueNode Scalar(YamlScalar scalar)
    {
        if (!ExpressionText.HasExpression(scalar.Text))
            return new ConstantValue(scalar.Mark, JsonSerializer.SerializeToElement(scalar.Value), scalar.Plain ? scalar.Text : null);
        try
        {
            List<TextPart> parts = ExpressionText.Split(scalar.Text);
            var compiled = new List<(string, PlacedExpression?)>();
            Mark from = scalar.Mark;
            foreach (TextPart part in parts)
            {
                if (part.IsExpression)
                    from = Find(from, part.Text);
                compiled.Add((part.IsExpression ? "" : part.Text, part.IsExpression ? Expression(part.Text, from) : null));
            }
            return compiled is [(_, { } alone)] ? new ExpressionValue(scalar.Mark, alone) : new TextValue(scalar.Mark, compiled);
        }
        catch (ExpressionException e)
        {
            faults.Add(scalar.Mark, e.Message);
            return new ExpressionValue(scalar.Mark, Unknown(scalar.Mark));
        }
    }

    /// <summary>Where the text of the next expression begins: what YAML folds or escapes moves it, so it is looked for.</summary>
    private Mark Find(Mark from, string expression)
    {
        string first = expression.Split('\n')[0];
        string wanted = "${{" + (first.Length > 40 ? first[..40] : first);
        for (int line = from.Line - 1, column = from.Column - 1; line < _lines.Length; line++, column = 0)
        {
            int found = column >= _lines[line].Length ? -1 : _lines[line].IndexOf(wanted, column, StringComparison.Ordinal);
            if (found >= 0)
                return new Mark(line + 1, found + 4);
        }
        return from;
    }

    private PlacedExpression? Expression(string text, Mark mark)
    {
        try
        {
            if (text.Length > limits.ExpressionLength || text.Length > WorkflowLimits.Default.ExpressionLength)
                throw new ExpressionException(0, $"the expression has {text.Length} characters; at most {Math.Min(limits.ExpressionLength, WorkflowLimits.Default.ExpressionLength)} are allowed");
            Expr tree = ExprParser.Parse(text);
            new JmesPath().Parse(text);
            return new PlacedExpression(new Expression(text, tree), mark);
        }
        catch (ExpressionException e)
        {
            faults.Add(At(mark, text, e.At), $"${{{{{Short(text)}}}}}: {e.Message}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The library throws plain exceptions.
            _refused.Add((mark, $"${{{{{Short(text)}}}}}: {e.Message}"));
            return new PlacedExpression(new Expression(text, ExprParser.Parse(text)), mark);
        }
        return Unknown(mark);
    }

    /// <summary>Stands in for what could not be read, and fits everywhere: its fault is told already.</summary>
    private static PlacedExpression Unknown(Mark mark) => new(new Expression("`null`", new LiteralExpr(0, DataType.Any)), mark);

    /// <summary>The place of a character of a text that stands in the file, line and column from 1; the text's own place where YAML folds or escapes it.</summary>
    public Mark Inside(Mark mark, string text, int line, int column)
    {
        string[] lines = text.Split('\n');
        if (line < 1 || line > lines.Length || lines[line - 1].Length == 0)
            return mark;
        // A block begins in the line behind its '|', any other text where its mark is.
        bool isBlock = _lines[mark.Line - 1].AsSpan(mark.Column - 1).StartsWith('|');
        int at = mark.Line - 1 + (isBlock ? line : line - 1);
        int found = at >= _lines.Length ? -1 : _lines[at].IndexOf(lines[line - 1], at == mark.Line - 1 ? mark.Column - 1 : 0, StringComparison.Ordinal);
        return found < 0 ? mark : new Mark(at + 1, found + column);
    }

    /// <summary>The place of the n-th character of an expression.</summary>
    public static Mark At(Mark mark, string text, int offset)
    {
        string before = text[..Math.Min(offset, text.Length)];
        int line = before.Count(c => c == '\n');
        return line == 0 ? mark with { Column = mark.Column + before.Length } : new Mark(mark.Line + line, before.Length - before.LastIndexOf('\n'));
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..77] + "...";
}
