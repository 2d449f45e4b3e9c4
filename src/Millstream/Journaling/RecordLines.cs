using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millstream;

/// <summary>
/// The records of a job as lines of JSON, byte for byte: what an export needs beside what people read, so that the job can be replayed. <c>{"record":1,"count":3,"bytes":"…"}</c> is a record,
/// <c>{"blob":"…","bytes":"…"}</c> is what lies beside one.
/// </summary>
internal static class RecordLines
{
    /// <summary>What the lines of one job hold, without its children: each payload that lies beside a record once, before it.</summary>
    public static async IAsyncEnumerable<(JournalRecord? Record, JournalBlob? Blob)> ReadAsync(IJournalStorage storage, JobId job)
    {
        HashSet<string> read = new(StringComparer.Ordinal);
        await foreach (JournalRecord record in storage.ReadAsync(job, 1))
        {
            foreach (BlobReference reference in EntryReader.References(job, record))
            {
                if (read.Add(reference.Hash) && await storage.ReadBlobAsync(job, reference.Hash) is { } bytes)
                    yield return (null, new JournalBlob(reference.Hash, bytes));
            }
            yield return (record, null);
        }
    }

    /// <summary>Writes one of these as a line.</summary>
    public static string Write((JournalRecord? Record, JournalBlob? Blob) part) => Line(json =>
    {
        if (part.Record is { } record)
        {
            json.WriteNumber("record", record.First);
            json.WriteNumber("count", record.Count);
        }
        else
        {
            json.WriteString("blob", part.Blob!.Value.Hash);
        }
        json.WriteBase64String("bytes", (part.Record?.Bytes ?? part.Blob!.Value.Bytes).Span);
    });

    /// <summary>Reads a line; null where it is none of these.</summary>
    public static (JournalRecord? Record, JournalBlob? Blob)? Read(JsonElement line)
    {
        if (line.TryGetProperty("record", out JsonElement first))
            return (new JournalRecord(first.GetInt64(), line.GetProperty("count").GetInt32(), line.GetProperty("bytes").GetBytesFromBase64()), null);
        return line.TryGetProperty("blob", out JsonElement hash) ? (null, new JournalBlob(hash.GetString()!, line.GetProperty("bytes").GetBytesFromBase64())) : null;
    }

    /// <summary>One object on one line.</summary>
    public static string Line(Action<Utf8JsonWriter> write)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }
}
