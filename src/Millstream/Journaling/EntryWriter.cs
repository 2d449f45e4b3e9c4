using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>
/// Makes bytes of entries: kind, flags, command, attempt, time, then subject and payload with their lengths. A record is one byte of version, 16 bytes
/// of <see cref="Chain"/>, then its entries. Whole numbers are 7 bits a byte, lowest first. A large payload of JSON lies beside the record, as a blob: in its place
/// stand a length of 0, its SHA-256 and its size, and the record has <see cref="BesideVersion"/>.
/// </summary>
internal sealed class EntryWriter
{
    public const byte Version = 1, BesideVersion = 2;
    public const int HeaderSize = 1 + Chain.Size;

    /// <summary>
    /// 64 KiB: what is smaller costs less in its record than a hash and a row of its own. What is larger is often there several times (the output of a task
    /// is the input of the next), and would fill the pages in which records are read.
    /// </summary>
    public const int MaxInline = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _payload = new();
    private readonly Utf8JsonWriter _json;
    private readonly int _maxInline;
    private ArrayBufferWriter<byte> _record = new(512);
    private List<JournalBlob>? _blobs;
    private long _besideSize;

    /// <param name="maxInline">The largest payload that stays in the record, in bytes.</param>
    public EntryWriter(int maxInline = MaxInline)
    {
        _maxInline = maxInline;
        _json = new Utf8JsonWriter(_payload, new JsonWriterOptions { Encoder = AgentContract.DefaultOptions.Encoder, SkipValidation = true });
    }

    /// <summary>How many bytes wait to be taken, those beside the record counted.</summary>
    public long Size => _record.WrittenCount + _besideSize;

    /// <summary>Takes what was written as one record; room for the chain is left in its header.</summary>
    /// <param name="blobs">What lies beside it.</param>
    public Memory<byte> Take(out IReadOnlyList<JournalBlob> blobs)
    {
        byte[] bytes = new byte[HeaderSize + _record.WrittenCount];
        bytes[0] = _blobs is null ? Version : BesideVersion;
        blobs = _blobs is null ? [] : _blobs;
        (_blobs, _besideSize) = (null, 0);
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
        if (_payload.WrittenCount <= _maxInline)
            WriteBytes(_payload.WrittenSpan);
        else
            WriteBeside(_payload.WrittenSpan);
    }

    private void WriteBeside(ReadOnlySpan<byte> json)
    {
        // No JSON is empty, so a length of 0 is free to say that it lies elsewhere.
        WriteNumber(0);
        Span<byte> hash = _record.GetSpan(SHA256.HashSizeInBytes)[..SHA256.HashSizeInBytes];
        SHA256.HashData(json, hash);
        JournalBlob blob = new(Convert.ToHexStringLower(hash), json.ToArray());
        _record.Advance(SHA256.HashSizeInBytes);
        WriteNumber(json.Length);
        _besideSize += json.Length;
        _blobs ??= [];
        if (!_blobs.Exists(b => b.Hash == blob.Hash))
            _blobs.Add(blob);
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
