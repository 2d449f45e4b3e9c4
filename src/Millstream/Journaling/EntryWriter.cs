using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>
/// Makes bytes of entries: kind, flags, command, attempt, time, then subject and payload with their lengths. A record is one byte of version, 16 bytes
/// of <see cref="Chain"/>, then its entries. Whole numbers are 7 bits a byte, lowest first.
/// </summary>
internal sealed class EntryWriter
{
    public const byte Version = 1;
    public const int HeaderSize = 1 + Chain.Size;

    /// <summary>The largest payload of one entry.</summary>
    public const int MaxPayload = 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _payload = new();
    private readonly Utf8JsonWriter _json;
    private ArrayBufferWriter<byte> _record = new(512);

    public EntryWriter() => _json = new Utf8JsonWriter(_payload, new JsonWriterOptions { Encoder = AgentContract.DefaultOptions.Encoder, SkipValidation = true });

    /// <summary>How many bytes wait to be taken.</summary>
    public int Size => _record.WrittenCount;

    /// <summary>Takes what was written as one record; room for its header is left at its beginning.</summary>
    public Memory<byte> Take()
    {
        byte[] bytes = new byte[HeaderSize + _record.WrittenCount];
        _record.WrittenSpan.CopyTo(bytes.AsSpan(HeaderSize));
        if (_record.Capacity > 64 * 1024)
            _record = new ArrayBufferWriter<byte>(512);
        else
            _record.ResetWrittenCount();
        return bytes;
    }

    public void Write(JournalEntry entry)
    {
        Span<byte> head = _record.GetSpan(32);
        head[0] = (byte)entry.Kind;
        bool hasSubject = entry.Subject is not null;
        bool hasPayload = entry.Payload is not null || entry.PayloadType is not null;
        head[1] = (byte)((entry.EndsTurn ? 1 : 0) | (hasSubject ? 2 : 0) | (hasPayload ? 4 : 0));
        BinaryPrimitives.WriteInt64LittleEndian(head[2..], entry.Time);
        _record.Advance(10);
        WriteNumber(entry.Command);
#if MILLSTREAM_PLANTED_BUGS
        WriteNumber(PlantedBugs.Is(Bug.AttemptNotWritten) ? 1 : entry.Attempt);
#else
        WriteNumber(entry.Attempt);
#endif
        if (hasSubject)
            WriteText(entry.Subject!);
        if (hasPayload)
            WritePayload(entry);
    }

    private void WritePayload(JournalEntry entry)
    {
        if (entry.Payload is DeltaChunk chunk)
        {
            WriteText(chunk.Stream);
            WriteNumber(chunk.Index);
            WriteBytes(chunk.Bytes);
            return;
        }
        if (entry.Kind is EntryKind.Event or EntryKind.Signal or EntryKind.QuestionAsked or EntryKind.ChildSignalled)
            WriteText(NameOf(entry.Payload));
        _payload.ResetWrittenCount();
        _json.Reset();
        Serialize(entry);
        _json.Flush();
        WriteBytes(_payload.WrittenSpan);
    }

    private static string NameOf(object? payload) => payload is null or JsonElement ? "" : payload is StoredPayload stored ? stored.TypeName ?? "" : payload.GetType().Name;

    private void Serialize(JournalEntry entry)
    {
        switch (entry.Payload)
        {
            case StartOf start:
                _json.WriteStartObject();
                _json.WriteString("agent", start.Agent);
                _json.WriteString("version", start.Version);
                if (start.Seed is not null)
                    _json.WriteString("seed", start.Seed);
                WriteInput(entry.PayloadType!, start.Input);
                break;
            case ChildOf child:
                _json.WriteStartObject();
                _json.WriteString("agent", child.Agent);
                _json.WriteString("task", child.Task);
                WriteInput(entry.PayloadType!, child.Input);
                break;
            case CheckpointOf checkpoint:
                checkpoint.WriteTo(_json);
                break;
            case ChildPointer pointer:
                JsonSerializer.Serialize(_json, new PointerOf(pointer.Child.Value, pointer.Number), JournalJson.Default.PointerOf);
                break;
            case TrimmedRange range:
                JsonSerializer.Serialize(_json, new TrimmedOf(range.To, range.Class), JournalJson.Default.TrimmedOf);
                break;
            case { } payload when entry.PayloadType is null:
                JsonSerializer.Serialize(_json, payload, (JsonTypeInfo)JournalJson.Default.GetTypeInfo(payload.GetType())!);
                break;
            default:
                entry.PayloadType!.Write(_json, entry.Payload);
                break;
        }
    }

    private void WriteInput(PayloadType type, object? input)
    {
        _json.WritePropertyName("input");
        type.Write(_json, input);
        _json.WriteEndObject();
    }

    private void WriteText(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        WriteNumber(length);
        Encoding.UTF8.GetBytes(text, _record.GetSpan(length));
        _record.Advance(length);
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteNumber(bytes.Length);
        _record.Write(bytes);
    }

    private void WriteNumber(int number)
    {
        Span<byte> to = _record.GetSpan(5);
        uint left = (uint)number;
        int at = 0;
        for (; left >= 0x80; left >>= 7)
            to[at++] = (byte)(left | 0x80);
        to[at++] = (byte)left;
        _record.Advance(at);
    }
}
