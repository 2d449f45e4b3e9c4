using System.Buffers;
using System.Text;

namespace Millstream;

/// <summary>Which entries show output of an attempt: from one number to another, with other entries between them. Of attempt 0 there are none.</summary>
internal readonly record struct ShownOutput(int Attempt, long From, long To);

/// <summary>
/// One attempt's output on its way into the journal. The first piece is appended at once; what comes while that is being stored is joined and
/// follows as one entry when it is, which in a store may wait up to <see cref="JournalWriter.Patience"/> for others. The command's lock guards it.
/// </summary>
internal sealed class AttemptOutput(TaskCommand command, int attempt) : IDurable
{
    /// <summary>The largest piece that becomes one entry, in bytes.</summary>
    public const int MaxChunk = 64 * 1024;

    private ArrayBufferWriter<byte>? _gathered;
    private string _stream = "";
    private int _chunks;
    private bool _isBeingStored;
    private bool _isLost;

    /// <summary>The entries that show it.</summary>
    public ShownOutput Shown { get; private set; }

    public void Add(ReadOnlySpan<byte> output, string stream)
    {
        if (_isLost)
            return;
        if (stream != _stream)
            Flush();
        _stream = stream;
        if (!_isBeingStored && output.Length <= MaxChunk)
        {
            Append(output);
            return;
        }
        _gathered ??= new ArrayBufferWriter<byte>();
        while (!output.IsEmpty)
        {
            int taken = Math.Min(output.Length, MaxChunk - _gathered.WrittenCount);
            _gathered.Write(output[..taken]);
            output = output[taken..];
            if (_gathered.WrittenCount == MaxChunk)
                AppendWholeCharacters(_gathered);
        }
        if (!_isBeingStored)
            Flush();
    }

    /// <summary>Appends what was gathered.</summary>
    public void Flush()
    {
        if (_gathered is not { WrittenCount: > 0 } gathered)
            return;
        // It may be asked for again from inside the append.
        _gathered = null;
        Append(gathered.WrittenSpan);
    }

    /// <summary>What was appended first is stored.</summary>
    public void Durable()
    {
        lock (command)
        {
            _isBeingStored = false;
            Flush();
        }
    }

    public void Lost()
    {
        lock (command)
            (_isLost, _gathered) = (true, null);
    }

    // A character that is cut by the bound stays for the next entry, so that both are text.
    private void AppendWholeCharacters(ArrayBufferWriter<byte> full)
    {
        ReadOnlySpan<byte> bytes = full.WrittenSpan;
        int cut = Rune.DecodeLastFromUtf8(bytes, out _, out int last) == OperationStatus.NeedMoreData ? last : 0;
        _gathered = new ArrayBufferWriter<byte>();
        _gathered.Write(bytes[^cut..]);
        Append(bytes[..^cut]);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        JournalEntry entry = new(EntryKind.TaskDelta)
        {
            Command = command.Number, Subject = command.Subject,
#if MILLSTREAM_PLANTED_BUGS
            Attempt = PlantedBugs.Is(Bug.DeltaOfFirstAttempt) ? 1 :
#endif
#if !MILLSTREAM_PLANTED_BUGS
            Attempt =
#endif
            attempt, Payload = new DeltaChunk(_stream, _chunks++, bytes.ToArray()),
        };
        if (_isBeingStored)
        {
            command.Runner.Note(entry);
        }
        else
        {
            // Said first: it may be stored before the call is back.
            _isBeingStored = true;
            if (command.Runner.Note(entry, this))
                _isBeingStored = false;
        }
        Shown = new ShownOutput(attempt, Shown.Attempt == 0 ? entry.Number : Shown.From, entry.Number);
    }
}
