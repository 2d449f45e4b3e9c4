namespace Millstream;

/// <summary>
/// Finds in a streamed response's bytes the lines that are pieces of an answer. A client may keep these back for long, as the arguments of a tool call, so they count
/// before it gives something. Comments, pings, empty lines and lines without an end do not: a server may send them for ever.
/// </summary>
internal sealed class AnswerLines(bool isEventStream)
{
    // Enough to tell "event: ping" from longer words.
    private readonly byte[] _start = new byte[12];
    private int _length;
    private bool _holdsText;
    private bool _isPing;
    private bool _wasReturn;

    /// <returns>Whether such a line has ended.</returns>
    public bool Take(ReadOnlySpan<byte> bytes)
    {
        bool hasEnded = false;
        foreach (byte b in bytes)
        {
            if (b is (byte)'\n' && _wasReturn)
                _wasReturn = false;
            else if (b is (byte)'\n' or (byte)'\r')
                hasEnded |= End(b is (byte)'\r');
            else
                Add(b);
        }
        return hasEnded;
    }

    private ReadOnlySpan<byte> Start => _start.AsSpan(0, _length);

    private bool IsData => !isEventStream || Start.StartsWith("data:"u8);

    private void Add(byte b)
    {
        _wasReturn = false;
        // What comes behind "data:".
        _holdsText |= b is not ((byte)' ' or (byte)'\t') && IsData;
        if (_length < _start.Length)
            _start[_length++] = b;
    }

    private bool End(bool isReturn)
    {
        bool isPiece = _holdsText && !_isPing;
        if (_length == 0)
            _isPing = false;
        else if (isEventStream && (Start.SequenceEqual("event: ping"u8) || Start.SequenceEqual("event:ping"u8)))
            _isPing = true;
        (_length, _holdsText, _wasReturn) = (0, false, isReturn);
        return isPiece;
    }
}
