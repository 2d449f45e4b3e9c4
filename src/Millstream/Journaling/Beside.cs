using System.Security.Cryptography;

namespace Millstream;

/// <summary>What an entry says of a payload that lies beside its record.</summary>
internal readonly record struct BlobReference(string Hash, int Size);

/// <summary>The payloads that lie beside one record, read and checked.</summary>
internal sealed class Beside
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _blobs = new(StringComparer.Ordinal);

    private Beside()
    {
    }

    /// <summary>Their bytes, each counted as often as it is named.</summary>
    public long Size { get; private set; }

    /// <summary>Reads what a record names; null where it names nothing, as most do.</summary>
    /// <exception cref="JournalDamagedException">Something is missing, or is not what was written.</exception>
    public static async ValueTask<Beside?> LoadAsync(IJournalStorage storage, JobId job, JournalRecord record, CancellationToken token = default)
    {
        IReadOnlyList<BlobReference> references = EntryReader.References(job, record);
        if (references.Count == 0)
            return null;
        Beside beside = new();
        foreach (BlobReference reference in references)
        {
            if (!beside._blobs.ContainsKey(reference.Hash))
                beside.Add(job, record, reference, await storage.ReadBlobAsync(job, reference.Hash, token));
            beside.Size += reference.Size;
        }
        return beside;
    }

    /// <summary>What was appended with a record.</summary>
    public static Beside Of(IReadOnlyList<JournalBlob> blobs)
    {
        Beside beside = new();
        foreach (JournalBlob blob in blobs)
            beside._blobs[blob.Hash] = blob.Bytes;
        return beside;
    }

    public ReadOnlySpan<byte> Read(BlobReference reference) => _blobs[reference.Hash].Span;

    private void Add(JobId job, JournalRecord record, BlobReference reference, ReadOnlyMemory<byte>? found)
    {
        if (found is not { } bytes)
            throw new JournalDamagedException(job, record.First, $"names a payload of {reference.Size:N0} bytes that is missing beside it (SHA-256 {reference.Hash})");
        if (Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) != reference.Hash)
            throw new JournalDamagedException(job, record.First, $"names a payload of {reference.Size:N0} bytes, and what lies beside it is not what was written (SHA-256 {reference.Hash})");
        _blobs.Add(reference.Hash, bytes);
    }
}
