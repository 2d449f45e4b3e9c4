using System.Text;

namespace Millstream.Cli.Running.Agents;

/// <summary>
/// A terminal that an agent talks on while its user may type: text streams, lines stand for themselves, and while somebody types a line everything else is held back.
/// </summary>
internal sealed class AgentScreen(TextWriter terminal)
{
    private const string Dim = "\e[2m", Plain = "\e[0m";

    private readonly Lock _gate = new();
    private readonly StringBuilder _held = new();
    private string? _stream;
    private bool _isHeld;

    /// <summary>A piece of a stream: text as it is, reasoning dimmed.</summary>
    public void Stream(string stream, string text)
    {
        lock (_gate)
        {
            if (_stream != stream)
            {
                EndStream();
                Write(stream == "reasoning" ? Dim : "");
                _stream = stream;
            }
            Write(Clean(text));
        }
    }

    /// <summary>A line of its own.</summary>
    public void Line(string text, bool isDim = true)
    {
        lock (_gate)
        {
            EndStream();
            Write(isDim ? $"{Dim}{text}{Plain}\n" : $"{text}\n");
        }
    }

    /// <summary>Ends what streams, so that what comes next begins a line.</summary>
    public void Break()
    {
        lock (_gate)
            EndStream();
    }

    /// <summary>Holds everything back while a line is typed.</summary>
    public void Hold(string prompt)
    {
        lock (_gate)
        {
            EndStream();
            _isHeld = true;
            terminal.Write(prompt);
            terminal.Flush();
        }
    }

    /// <summary>Shows what the user types.</summary>
    public void Echo(string text)
    {
        lock (_gate)
        {
            terminal.Write(text);
            terminal.Flush();
        }
    }

    /// <summary>Shows what was held back.</summary>
    public void Release()
    {
        lock (_gate)
        {
            terminal.Write($"\n{_held}");
            terminal.Flush();
            _held.Clear();
            _isHeld = false;
        }
    }

    private void EndStream()
    {
        if (_stream is not null)
            Write($"{Plain}\n");
        _stream = null;
    }

    private void Write(string text)
    {
        if (_isHeld)
        {
            _held.Append(text);
            return;
        }
        terminal.Write(text);
        terminal.Flush();
    }

    private static string Clean(string text) => string.Join('\n', text.Split('\n').Select(OutputText.Clean));
}
