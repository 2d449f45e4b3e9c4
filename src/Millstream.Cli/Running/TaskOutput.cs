using System.Text;

namespace Millstream.Cli.Running;

/// <summary>What tasks print, as lines behind their names: the first few of each task, long ones shortened.</summary>
internal sealed class TaskOutput(TextWriter error)
{
    private const int LinesOfTask = 6;
    private const int LineLength = 500;

    private readonly Dictionary<TaskLine, int> _shown = [];
    private readonly Dictionary<(TaskLine Line, string Stream), Partial> _partial = [];

    public void Add(TaskLine line, JobEvent e)
    {
        (TaskLine, string) key = (line, e.Stream ?? "");
        if (!_partial.TryGetValue(key, out Partial? partial))
            _partial[key] = partial = new Partial();
        // A character may be cut in two by the end of a chunk.
        char[] text = new char[Encoding.UTF8.GetMaxCharCount(e.Bytes.Length)];
        ReadOnlySpan<char> left = text.AsSpan(0, partial.Decoder.GetChars(e.Bytes.Span, text, flush: false));
        for (int end; (end = left.IndexOf('\n')) >= 0; left = left[(end + 1)..])
        {
            partial.Add(left[..end]);
            Show(line, partial.Take());
        }

        partial.Add(left);
    }

    /// <summary>Shows what a task printed without a line feed at its end.</summary>
    public void Flush(TaskLine line)
    {
        foreach ((TaskLine, string) key in _partial.Keys.Where(k => k.Line == line).ToArray())
        {
            _partial.Remove(key, out Partial? partial);
            if (!partial!.IsEmpty)
                Show(line, partial.Take());
        }
    }

    /// <summary>Another attempt follows: it shows its own first lines, and no rest of a line of the one before.</summary>
    public void StartAgain(TaskLine line)
    {
        Flush(line);
        _shown.Remove(line);
    }

    private void Show(TaskLine line, string text)
    {
        int shown = _shown[line] = _shown.GetValueOrDefault(line) + 1;
        if (shown <= LinesOfTask)
            error.WriteLine($"  {line.Id} | {text}");
        else if (shown == LinesOfTask + 1)
            error.WriteLine($"  {line.Id} | … (more; --json shows all)");
    }

    private sealed class Partial
    {
        private readonly StringBuilder _text = new();

        public Decoder Decoder { get; } = Encoding.UTF8.GetDecoder();

        public bool IsEmpty => _text.Length == 0;

        public void Add(ReadOnlySpan<char> text) => _text.Append(text[..Math.Min(text.Length, Math.Max(0, LineLength + 1 - _text.Length))]);

        public string Take()
        {
            string line = OutputText.Clean(OutputText.Shortened(_text.ToString(), LineLength));
            _text.Clear();
            return line;
        }
    }
}
