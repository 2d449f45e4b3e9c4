using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>Reads what <see cref="EntryWriter"/> wrote. Payloads of agents' types stay bytes until somebody knows the type.</summary>
internal static class EntryReader
{
    [ThreadStatic]
    private static (byte[] Json, AttemptOf Attempt)? s_attempt;

    /// <summary>The entries of a record, with their numbers.</summary>
    /// <param name="job">The job, for messages.</param>
    /// <param name="record">The record.</param>
    /// <param name="before">The chain before it; null where it is not known, and then it is not checked.</param>
    /// <param name="after">The chain after it.</param>
    /// <param name="beside">What lies beside it.</param>
    /// <exception cref="JournalDamagedException">It is not what was written, or was written by a newer version.</exception>
    public static List<JournalEntry> Read(JobId job, JournalRecord record, Chain? before, out Chain after, Beside? beside = null)
    {
        ReadOnlySpan<byte> bytes = record.Bytes.Span;
        if (bytes.Length < EntryWriter.HeaderSize)
            throw new JournalDamagedException(job, record.First, $"is {bytes.Length} bytes long, too short for a record");
        if (bytes[0] > EntryWriter.BesideVersion)
            throw new JournalDamagedException(job, record.First, $"has format {bytes[0]}, but this version of Millstream reads up to {EntryWriter.BesideVersion}; use a newer one");
        ReadOnlySpan<byte> entries = bytes[EntryWriter.HeaderSize..];
        after = Chain.Read(bytes[1..]);
        if (before is { } chain && chain.Next(entries) != after)
            throw new JournalDamagedException(job, record.First, "does not follow from the one before it: it was changed, or one is missing");
        try
        {
            List<JournalEntry> read = new(record.Count);
            while (entries.Length > 0)
                read.Add(ReadEntry(ref entries, record.First + read.Count, beside));
            return read.Count == record.Count ? read : throw new JournalDamagedException(job, record.First, $"holds {read.Count} entries instead of {record.Count}");
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new JournalDamagedException(job, record.First, $"cannot be read: {e.Message}");
        }
    }

    private static JournalEntry ReadEntry(ref ReadOnlySpan<byte> from, long number, Beside? beside)
    {
        var kind = (EntryKind)from[0];
        byte flags = from[1];
        long time = BinaryPrimitives.ReadInt64LittleEndian(from[2..]);
        from = from[10..];
        int command = ReadNumber(ref from), attempt = ReadNumber(ref from);
        string? subject = (flags & 2) != 0 ? ReadText(ref from) : null;
        (object? payload, PayloadType? type) = (flags & 4) != 0 ? ReadPayload(ref from, kind, beside) : (null, null);
        return new JournalEntry(kind, time) { Number = number, Command = command, Attempt = attempt, Subject = subject, Payload = payload, PayloadType = type, EndsTurn = (flags & 1) != 0 };
    }

    private static (object? Payload, PayloadType? Type) ReadPayload(ref ReadOnlySpan<byte> from, EntryKind kind, Beside? beside)
    {
        if (kind == EntryKind.TaskDelta)
            return (new DeltaChunk(ReadText(ref from), ReadNumber(ref from), ReadBytes(ref from).ToArray()), null);
        string? name = HasName(kind) ? ReadText(ref from) : null;
        ReadOnlySpan<byte> json = ReadBytes(ref from);
        if (json.IsEmpty)
            json = (beside ?? throw new ArgumentException("a payload is empty")).Read(ReadReference(ref from));
        switch (kind)
        {
            case EntryKind.JobStarted:
                JsonElement start = JsonSerializer.Deserialize<JsonElement>(json);
                return (new StartOf(start.GetProperty("agent").GetString()!, start.GetProperty("version").GetString()!, Stored(start.GetProperty("input")), SeedOf(start)), StoredPayload.Type);
            case EntryKind.ChildStarted:
                JsonElement child = JsonSerializer.Deserialize<JsonElement>(json);
                return (new ChildOf(child.GetProperty("agent").GetString()!, child.GetProperty("task").GetString()!, Stored(child.GetProperty("input"))), StoredPayload.Type);
            case EntryKind.Checkpoint:
                return (CheckpointOf.Read(JsonSerializer.Deserialize<JsonElement>(json)), null);
            case EntryKind.ChildEntry:
                PointerOf pointer = Own(json, JournalJson.Default.PointerOf);
                return (new ChildPointer(JobId.Parse(pointer.Child), null!, pointer.Number), null);
            case EntryKind.Trimmed:
                TrimmedOf trimmed = Own(json, JournalJson.Default.TrimmedOf);
                return (new TrimmedRange(trimmed.Class) { To = trimmed.To }, null);
            case EntryKind.TaskFailed:
                return (Own(json, JournalJson.Default.TaskError), null);
            case EntryKind.JobFailed or EntryKind.JobCancelled or EntryKind.ChildFailed or EntryKind.JobReturned:
                return (Own(json, JournalJson.Default.JobError), null);
            case EntryKind.TaskDecided:
                return (Own(json, JournalJson.Default.TaskDecision), null);
            case EntryKind.TaskStarted:
                return (Attempt(json), null);
            case EntryKind.Resumed:
                return (Own(json, JournalJson.Default.ResumeOf), null);
            case EntryKind.Forked:
                return (Own(json, JournalJson.Default.ForkOf), null);
            case EntryKind.Refused:
                return (Own(json, JournalJson.Default.RefusalOf), null);
            case EntryKind.Superseded:
                return (Own(json, JournalJson.Default.SupersededOf), null);
            case EntryKind.TaskRetried:
                return (Own(json, JournalJson.Default.RetryOf), null);
            case EntryKind.TimerSet:
                return (JsonSerializer.Deserialize(json, JournalJson.Default.Int64), null);
            case EntryKind.JobCancelling or EntryKind.TaskWaiting:
                return (Own(json, JournalJson.Default.String), null);
            default:
                return (new StoredPayload(string.IsNullOrEmpty(name) ? null : name, json.ToArray()), StoredPayload.Type);
        }
    }

    /// <summary>What a record names that lies beside it; a record that names nothing costs one look at its version.</summary>
    /// <exception cref="JournalDamagedException">It cannot be read.</exception>
    public static IReadOnlyList<BlobReference> References(JobId job, JournalRecord record)
    {
        ReadOnlySpan<byte> bytes = record.Bytes.Span;
        if (bytes.IsEmpty || bytes[0] != EntryWriter.BesideVersion)
            return [];
        try
        {
            List<BlobReference> found = [];
            for (ReadOnlySpan<byte> from = bytes[EntryWriter.HeaderSize..]; from.Length > 0;)
            {
                var kind = (EntryKind)from[0];
                byte flags = from[1];
                from = from[10..];
                _ = (ReadNumber(ref from), ReadNumber(ref from));
                if ((flags & 2) != 0)
                    ReadBytes(ref from);
                if ((flags & 4) == 0)
                    continue;
                if (kind == EntryKind.TaskDelta)
                    _ = (ReadText(ref from), ReadNumber(ref from));
                else if (HasName(kind))
                    ReadBytes(ref from);
                if (ReadBytes(ref from).IsEmpty && kind != EntryKind.TaskDelta)
                    found.Add(ReadReference(ref from));
            }
            return found;
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            throw new JournalDamagedException(job, record.First, $"cannot be read: {e.Message}");
        }
    }

    /// <summary>The seed of a job that was forked; null of others.</summary>
    public static string? SeedOf(JsonElement json) => json.TryGetProperty("seed", out JsonElement seed) ? seed.GetString() : null;

    // As it was written: another encoder would escape other characters, and a replay compares bytes.
    private static StoredPayload Stored(JsonElement json) => new(null, Encoding.UTF8.GetBytes(json.GetRawText()));

    // Most attempts in a journal run in the same place.
    private static AttemptOf Attempt(ReadOnlySpan<byte> json)
    {
        if (s_attempt is not { } last || !json.SequenceEqual(last.Json))
            s_attempt = last = (json.ToArray(), Own(json, JournalJson.Default.AttemptOf));
        return last.Attempt;
    }

    private static T Own<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> info) => JsonSerializer.Deserialize(json, info) ?? throw new JsonException("null where a value is wanted");

    private static bool HasName(EntryKind kind) => kind is EntryKind.Event or EntryKind.Signal or EntryKind.QuestionAsked or EntryKind.ChildSignalled;

    private static BlobReference ReadReference(ref ReadOnlySpan<byte> from)
    {
        string hash = Convert.ToHexStringLower(from[..SHA256.HashSizeInBytes]);
        from = from[SHA256.HashSizeInBytes..];
        return new BlobReference(hash, ReadNumber(ref from));
    }

    private static string ReadText(ref ReadOnlySpan<byte> from) => Encoding.UTF8.GetString(ReadBytes(ref from));

    private static ReadOnlySpan<byte> ReadBytes(ref ReadOnlySpan<byte> from)
    {
        int length = ReadNumber(ref from);
        ReadOnlySpan<byte> bytes = from[..length];
        from = from[length..];
        return bytes;
    }

    private static int ReadNumber(ref ReadOnlySpan<byte> from)
    {
        uint number = 0;
        for (int shift = 0, at = 0; ; shift += 7, at++)
        {
            number |= (uint)(from[at] & 0x7F) << shift;
            if (from[at] < 0x80)
            {
                from = from[(at + 1)..];
                return (int)number;
            }
            if (shift > 28)
                throw new ArgumentException("a number is too long");
        }
    }
}
