namespace Millstream;

/// <summary>What is wrong in a call whatever a store holds; each store checks it first, so that all say the same.</summary>
internal static class JournalChecks
{
    /// <summary>The largest item of an inbox, in bytes: more than any payload may be, so that who sets that limit sets the only one.</summary>
    public const int MaxItem = 32 << 20;

    // The most that SQLite and PostgreSQL both take in one value; a turn may have 256 MiB and is split long before.
    private const int MaxRecord = 1_000_000_000 - 4096;

    public static void Batch(IReadOnlyList<JobAppend> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        HashSet<JobId>? seen = batch.Count > 1 ? new(batch.Count) : null;
        foreach (JobAppend append in batch)
        {
            if (seen?.Add(append.Job) == false)
                throw Wrong(append, "comes twice in the batch; put both into one append or the second into the next batch");
            if (append.Epoch < 1)
                throw Wrong(append, $"has epoch {append.Epoch}; epochs begin with 1");
            if (append.Record.First < 1 || append.Record.Count < 0)
                throw Wrong(append, $"has a record of {append.Record.Count} entries from number {append.Record.First} on; numbers begin with 1, counts with 0");
            if (append.Record.Count == 0 && append.Record.Bytes.Length > 0)
                throw Wrong(append, $"has a record of {append.Record.Bytes.Length} bytes and a count of 0; give the number of its entries");
            if (append.Record.Bytes.Length > MaxRecord)
                throw Wrong(append, $"has a record of {append.Record.Bytes.Length} bytes; give at most {MaxRecord} in one");
            if (append.Record.Count == 0 && append.Blobs.Count > 0)
                throw Wrong(append, $"has {append.Blobs.Count} payloads beside a record without entries; give them with the record that names them");
            if (append.Head is { } head && head.Id != append.Job)
                throw Wrong(append, $"has the head of {head.Id}");
            if (append is { Head: null, Epoch: 1, Record: { First: 1, Count: > 0 } })
                throw Wrong(append, "is to be created and has no head");
        }
    }

    public static void Offer(InboxItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Payload.Length > MaxItem)
            throw new ArgumentException($"The item has {item.Payload.Length} bytes; an inbox takes at most {MaxItem}.", nameof(item));
    }

    public static Exception NotOurRunner(long runner, string location) =>
        new ArgumentException($"Runner {runner} was not opened by this store object of {location}; claim with the number that its OpenRunnerAsync gave.", nameof(runner));

    private static ArgumentException Wrong(JobAppend append, string fault) => new($"The append of job {append.Job} {fault}.", "batch");
}
