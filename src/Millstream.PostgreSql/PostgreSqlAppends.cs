using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace Millstream;

/// <summary>A batch as the arrays that the functions <c>append</c> and <c>append_beside</c> take.</summary>
internal static class PostgreSqlAppends
{
    // Below the limit of one message by far, and so that neither side needs much memory for a call.
    private const int MostBytes = 16 << 20;

    /// <summary>The batch in parts, most often one, that each fit into a call.</summary>
    public static IEnumerable<ArraySegment<JobAppend>> Parts(JobAppend[] batch)
    {
        int start = 0;
        long bytes = 0;
        for (int i = 0; i < batch.Length; i++)
        {
            long size = batch[i].Record.Bytes.Length + batch[i].Blobs.Sum(b => (long)b.Bytes.Length);
            if (i > start && bytes + size > MostBytes)
            {
                yield return new ArraySegment<JobAppend>(batch, start, i - start);
                (start, bytes) = (i, 0);
            }
            bytes += size;
        }
        yield return new ArraySegment<JobAppend>(batch, start, batch.Length - start);
    }

    /// <summary>The call that appends a part.</summary>
    public static PostgreSqlWriter.Call Of(IReadOnlyList<JobAppend> batch)
    {
        NpgsqlParameter[] parameters = Parameters(batch);
        (int Place, JournalBlob Blob)[] blobs = [.. batch.Index().SelectMany(a => a.Item.Blobs.Select(b => (a.Index + 1, b)))];
        return blobs.Length == 0 ? new PostgreSqlWriter.Call("append", parameters) : new PostgreSqlWriter.Call("append_beside",
            [.. parameters, Of(NpgsqlDbType.Integer, blobs, b => b.Place), Of(NpgsqlDbType.Text, blobs, b => b.Blob.Hash), Of(NpgsqlDbType.Bytea, blobs, b => Blob(b.Blob.Bytes))]);
    }

    private static NpgsqlParameter[] Parameters(IReadOnlyList<JobAppend> batch)
    {
        (int Place, JobHead Head)[] heads = [.. batch.Index().Where(a => a.Item.Head is not null).Select(a => (a.Index + 1, a.Item.Head!))];
        (int Place, long Number)[] taken = [.. batch.Index().SelectMany(a => a.Item.Taken.Select(n => (a.Index + 1, n)))];
        return
        [
            Of(NpgsqlDbType.Text, batch, a => a.Job.Value), Of(NpgsqlDbType.Bigint, batch, a => a.Epoch), Of(NpgsqlDbType.Bigint, batch, a => a.Record.First),
            Of(NpgsqlDbType.Integer, batch, a => a.Record.Count), Of(NpgsqlDbType.Bytea, batch, a => Blob(a.Record.Bytes)),
            Of(NpgsqlDbType.Integer, taken, t => t.Place), Of(NpgsqlDbType.Bigint, taken, t => t.Number),
            Of(NpgsqlDbType.Integer, heads, h => h.Place),
            Of(NpgsqlDbType.Text, heads, h => PostgreSqlText.Of(h.Head.AgentId)), Of(NpgsqlDbType.Text, heads, h => PostgreSqlText.Of(h.Head.AgentVersion)),
            Of(NpgsqlDbType.Integer, heads, h => (int)h.Head.Status), Of(NpgsqlDbType.Text, heads, h => PostgreSqlText.Of(h.Head.Detail)),
            Of(NpgsqlDbType.Text, heads, h => PostgreSqlText.Of(h.Head.Tenant)), Of(NpgsqlDbType.Integer, heads, h => h.Head.Priority),
            Of(NpgsqlDbType.Double, heads, h => h.Head.Weight), Of(NpgsqlDbType.Bigint, heads, h => h.Head.Created.UtcTicks),
            Of(NpgsqlDbType.Bigint, heads, h => h.Head.Deadline?.UtcTicks), Of(NpgsqlDbType.Bigint, heads, h => h.Head.Ended?.UtcTicks),
            Of(NpgsqlDbType.Bigint, heads, h => h.Head.Due?.UtcTicks), Of(NpgsqlDbType.Bigint, heads, h => h.Head.Runner), Of(NpgsqlDbType.Integer, heads, h => h.Head.Restarts),
            Of(NpgsqlDbType.Text, heads, h => PostgreSqlText.Of(h.Head.Name)), Of(NpgsqlDbType.Boolean, heads, h => h.Head.IsIdle), Of(NpgsqlDbType.Bigint, heads, h => h.Head.Checkpoint),
        ];
    }

    /// <summary>The array behind bytes, copied only where it has more around them.</summary>
    public static byte[] Blob(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment) && segment.Array!.Length == segment.Count ? segment.Array : bytes.ToArray();

    private static NpgsqlParameter<TValue[]> Of<T, TValue>(NpgsqlDbType type, IReadOnlyList<T> from, Func<T, TValue> value)
    {
        TValue[] values = new TValue[from.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = value(from[i]);
        return new NpgsqlParameter<TValue[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = values };
    }
}
