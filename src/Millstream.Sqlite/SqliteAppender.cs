using SQLitePCL;

namespace Millstream;

/// <summary>
/// Writes batches. It remembers each job's key, epoch and next number, so that an append is one row written and none read. What it remembers holds until
/// another process has written.
/// </summary>
/// <remarks>
/// In <c>records</c> each job has pages of its own, so a batch of many jobs would write a page of 4 KiB for each record. Such records go to the end of
/// <c>recent</c> first, and from there in one go to their places: then a page takes several at once. Readers see both as one.
/// </remarks>
internal sealed class SqliteAppender
{
    /// <summary>How many records may wait for their places.</summary>
    public const int MostRecent = 16_000;

    private const int MostKnown = 200_000;
    private const int FewJobs = 16, LargeRecord = 2_000;
    private const string LastRecord = """
        SELECT place, count FROM (SELECT place, count FROM records WHERE place >= ?1 AND place < ?2 ORDER BY place DESC LIMIT 1)
        UNION ALL SELECT place, count FROM (SELECT place, count FROM recent WHERE place >= ?1 AND place < ?2 ORDER BY place DESC LIMIT 1)
        ORDER BY place DESC LIMIT 1
        """;

    private readonly Dictionary<JobId, Known> _known = [];
    private long _recentRow;

    public void Forget() => _known.Clear();

    public void Forget(JobId job) => _known.Remove(job);

    /// <summary>Writes what is accepted of a batch. Call <see cref="Forget()"/> when the transaction fails.</summary>
    public AppendResult[] Append(SqliteSession session, IReadOnlyList<JobAppend> batch)
    {
        if (_known.Count > MostKnown)
            _known.Clear();
        AppendResult[] results = new AppendResult[batch.Count];
        for (int i = 0; i < results.Length; i++)
            results[i] = Append(session, batch[i], batch.Count < FewJobs || batch[i].Record.Bytes.Length > LargeRecord);
        if (_recentRow >= MostRecent)
            Place(session);
        return results;
    }

    /// <summary>What the store knows of a job, read where it is not remembered.</summary>
    public Known? Find(SqliteSession session, JobId job)
    {
        if (_known.TryGetValue(job, out Known found))
            return found;
        if (session.Rows(r => (Key: r.GetInt64(0), Epoch: r.GetInt64(1)), "SELECT key, epoch FROM jobs WHERE id = ?1", job.Value) is not [var (key, epoch)])
            return null;
        long next = session.Rows(r => (r.GetInt64(0) & uint.MaxValue) + r.GetInt64(1), LastRecord, Place(key, 0), Place(key + 1, 0)) is [var after] ? after : 1;
        return _known[job] = new Known(key, epoch, next);
    }

    public static long Place(long key, long number) => (key << SqliteSchema.NumberBits) + number;

    private void Place(SqliteSession session)
    {
        session.Run("INSERT INTO records (place, count, bytes) SELECT place, count, bytes FROM recent ORDER BY place");
        session.Run("DELETE FROM recent");
        _recentRow = 0;
    }

    private AppendResult Append(SqliteSession session, JobAppend append, bool direct)
    {
        JournalRecord record = append.Record;
        bool creates = append is { Epoch: 1, Record: { First: 1, Count: > 0 } };
        Known? known = Find(session, append.Job);
        if (known is not null && creates)
            return AppendResult.Conflict;
        if (known is null && !creates)
            return AppendResult.UnknownJob;
        if (known is { } job && append.Epoch < job.Epoch)
            return AppendResult.Fenced;
        if (known is { } mine && (append.Epoch != mine.Epoch || record.First != mine.Next))
            return AppendResult.Conflict;
        if (record.First + record.Count > uint.MaxValue)
            throw new JournalStorageException($"Job {append.Job} has {record.First - 1} entries; a journal in SQLite holds at most {uint.MaxValue} of one job. Start another job with what is left to do.");

        if (known is null)
        {
            session.Run(SqliteHeads.Insert, SqliteHeads.Values(append.Head!));
            known = new Known(session.Number("SELECT last_insert_rowid()")!.Value, 1, 1);
        }
        else if (append.Head is not null)
        {
            session.Run(SqliteHeads.Update, SqliteHeads.Values(append.Head));
        }
        if (record.Count > 0)
        {
            session.Run(direct ? "INSERT INTO records (place, count, bytes) VALUES (?1, ?2, ?3)" : "INSERT INTO recent (place, count, bytes) VALUES (?1, ?2, ?3)",
                Place(known.Value.Key, record.First), record.Count, SqliteSession.Blob(record.Bytes));
            // Rows are numbered from 1 again after each move, by every process.
            if (!direct)
                _recentRow = raw.sqlite3_last_insert_rowid(session.Connection.Handle);
        }
        foreach (JournalBlob blob in append.Blobs)
            session.Run("INSERT INTO blobs (job, hash, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", known.Value.Key, blob.Hash, SqliteSession.Blob(blob.Bytes));
        foreach (long number in append.Taken)
            session.Run("DELETE FROM inbox WHERE number = ?1 AND job = ?2", number, known.Value.Key);
        _known[append.Job] = known.Value with { Next = record.First + record.Count };
        return AppendResult.Appended;
    }

    public readonly record struct Known(long Key, long Epoch, long Next);
}
