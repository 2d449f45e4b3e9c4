using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Millstream.Definitions;

/// <summary>
/// Reads one YAML document (JSON is YAML) from parser events into nodes with places. No tags, no types, no merging:
/// nothing in a file can name code.
/// </summary>
internal sealed class YamlReader(FaultList faults, WorkflowLimits limits, FileKind? kind = null)
{
    private readonly Dictionary<AnchorName, (YamlNode Node, int Size)> _anchors = [];
    private readonly FileKind _kind = kind ?? FileKind.Workflow;
    private int _aliases;
    private int _values;

    private sealed class LimitException(Mark mark, string message) : Exception(message)
    {
        public Mark Mark => mark;
    }

    /// <summary>The document, or null after a fault that leaves nothing to look at.</summary>
    public YamlNode? Read(string text)
    {
        var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                faults.Add(new Mark(1, 1), $"the file is empty; {_kind.Needs}");
                return null;
            }
            parser.Consume<DocumentStart>();
            YamlNode root = ReadNode(parser, 1);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
                faults.Add(MarkOf(parser.Current!.Start), $"a second document begins here; {_kind.File} holds one");
            return root;
        }
        catch (LimitException e)
        {
            faults.Add(e.Mark, e.Message);
        }
        catch (YamlException e)
        {
            faults.Add(Tab(text, e.Message) ?? MarkOf(e.Start), $"this is not YAML: {Lower(e.Message)}{Hint(text, (int)e.Start.Line)}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner throws these on some damaged texts, without a place; the last event is the nearest there is.
            faults.Add(parser.Current is { } last ? MarkOf(last.End) : new Mark(1, 1), "this is not YAML from here on");
        }
        return null;
    }

    private YamlNode ReadNode(IParser parser, int depth)
    {
        Mark mark = MarkOf(parser.Current!.Start);
        if (depth > limits.Depth)
            throw new LimitException(mark, $"nested deeper than {limits.Depth} levels; the limit is WorkflowLimits.Depth");
        if (parser.Current is AnchorAlias alias)
        {
            parser.MoveNext();
            return Follow(alias, mark);
        }
        // On some damaged texts the parser gives the end of a mapping where a value belongs.
        if (parser.Current is not NodeEvent start)
            throw new LimitException(mark, "this is not YAML: a value is missing");
        int before = _values;
        Count(1, mark);
        AnchorName anchor = start.Anchor;
        TagName tag = start.Tag;
        bool ownText = !tag.IsEmpty && !tag.IsNonSpecific && tag.Value == "tag:yaml.org,2002:str";
        if (!tag.IsEmpty && !tag.IsNonSpecific && !ownText)
            faults.Add(mark, $"the tag '{tag.Value}' is not allowed; {_kind.File} holds plain values only");
        YamlNode node = parser.Current switch
        {
            Scalar => ReadScalar(parser.Consume<Scalar>(), mark, ownText),
            SequenceStart => ReadList(parser, mark, depth),
            _ => ReadMap(parser, mark, depth),
        };
        if (!anchor.IsEmpty)
            _anchors[anchor] = (node, _values - before);
        return node;
    }

    private YamlNode Follow(AnchorAlias alias, Mark mark)
    {
        if (++_aliases > limits.Aliases)
            throw new LimitException(mark, $"more than {limits.Aliases} aliases; the limit is WorkflowLimits.Aliases");
        if (!_anchors.TryGetValue(alias.Value, out (YamlNode Node, int Size) found))
            throw new LimitException(mark, $"the alias '*{alias.Value}' stands for nothing before it");
        Count(found.Size, mark);
        return found.Node;
    }

    private void Count(int values, Mark mark)
    {
        _values += values;
        if (_values > limits.Values)
            throw new LimitException(mark, $"more than {limits.Values} values once aliases are followed; the limit is WorkflowLimits.Values");
    }

    private static YamlScalar ReadScalar(Scalar scalar, Mark mark, bool text)
    {
        bool block = scalar.Style is ScalarStyle.Literal or ScalarStyle.Folded;
        return new YamlScalar(mark, scalar.Value, scalar.Style is ScalarStyle.Plain && !text, block);
    }

    private YamlList ReadList(IParser parser, Mark mark, int depth)
    {
        parser.Consume<SequenceStart>();
        var items = new List<YamlNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            items.Add(ReadNode(parser, depth + 1));
        return new YamlList(mark, items);
    }

    private YamlMap ReadMap(IParser parser, Mark mark, int depth)
    {
        parser.Consume<MappingStart>();
        var entries = new List<YamlEntry>();
        var seen = new Dictionary<string, Mark>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            Mark keyMark = MarkOf(parser.Current!.Start);
            if (ReadNode(parser, depth + 1) is not YamlScalar key)
                throw new LimitException(keyMark, "a key must be text; a list or mapping cannot be one (an expression inside { } or [ ] needs quotes)");
            YamlNode value = ReadNode(parser, depth + 1);
            if (seen.TryAdd(key.Text, keyMark))
                entries.Add(new YamlEntry(key.Text, keyMark, value));
            else
                faults.Add(keyMark, $"the key '{key.Text}' stands here a second time; first in line {seen[key.Text].Line}");
        }
        return new YamlMap(mark, entries);
    }

    private static Mark MarkOf(YamlDotNet.Core.Mark mark) => new((int)mark.Line, (int)mark.Column);

    private static string Lower(string message) => message.Length == 0 ? message : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');

    /// <summary>The parser places a fault of indentation at the start of what it read; the tab itself is what helps.</summary>
    private static Mark? Tab(string text, string message)
    {
        string[] lines = message.Contains("tab as indentation", StringComparison.Ordinal) ? text.Split('\n') : [];
        int line = Array.FindIndex(lines, l => l.TrimStart(' ').StartsWith('\t'));
        return line < 0 ? null : new Mark(line + 1, lines[line].IndexOf('\t', StringComparison.Ordinal) + 1);
    }

    /// <summary>Braces of an unquoted expression are YAML's own; the message of the YAML parser does not tell.</summary>
    private static string Hint(string text, int line)
    {
        string[] lines = text.Split('\n');
        for (int i = Math.Max(0, line - 2); i < Math.Min(lines.Length, line + 1); i++)
        {
            if (lines[i].Contains("${{", StringComparison.Ordinal))
                return "; an expression inside { } or [ ], or with ': ' in it, needs quotes: \"${{ ... }}\"";
        }
        return "";
    }
}
