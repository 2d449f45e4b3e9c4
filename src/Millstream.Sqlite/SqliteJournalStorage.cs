using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>
/// Journals in a SQLite file, on a local disk: the store of one machine. Several processes may open one file; each is kept out of the others' jobs.
/// What was acknowledged survives the end of the process and of the machine.
/// </summary>
/// <remarks>
/// Beside <c>journal.db</c> stand its <c>-wal</c> and <c>-shm</c> files while it is open, and a folder <c>journal.db.runners</c> with a locked file for each
/// living runner. After a write that failed this object stores nothing more: each call that writes throws until the journal is opened again.
/// </remarks>
public sealed partial class SqliteJournalStorage : IJournalStorage
{
    private const int PageRecords = 256, PageBytes = 1 << 20, PageHeads = 1_000;

    // A runner that dies changes nothing in the file: now and then who waits has to look for one.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), LongestWait = TimeSpan.FromSeconds(1), LongestLock = TimeSpan.FromSeconds(30);

    private readonly SqliteReaders _readers;
    private readonly SqliteWriter _writer;
    private readonly SqliteAppender _appender = new();
    private readonly RunnerLocks _locks;
    private long _seenChanges;

    /// <summary>Opens a journal, or makes it with its folder, for the owner alone. Blocks while it does.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="JournalStorageException">The file cannot be used; the message says why and what to do.</exception>
    public SqliteJournalStorage(string path) : this(path, LongestLock)
    {
    }

    internal SqliteJournalStorage(string path, TimeSpan longestLock)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Location = Path.GetFullPath(path);
        SqliteSchema.CheckLibrary();
        MakeFile(Location);
        SqliteSession? session = null;
        try
        {
            session = new SqliteSession(Location, longestLock);
            SqliteSchema.Prepare(session, Location);
            _writer = new SqliteWriter(session, Location, longestLock) { Forget = _appender.Forget };
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            throw SqliteFailures.Of(e, Location, longestLock);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
        _readers = new SqliteReaders(Location, longestLock);
        _locks = new RunnerLocks(Location + ".runners");
    }

    /// <inheritdoc/>
    public string Location { get; }

    internal SqliteSession WriterSession => _writer.Session;

    /// <inheritdoc/>
    public Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        JournalChecks.Batch(batch);
        return _writer.WriteAsync(session =>
        {
            AppendResult[] results = _appender.Append(session, batch);
            return (results, results.Contains(AppendResult.Appended));
        }, token);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, [EnumeratorCancellation] CancellationToken token = default)
    {
        from = Math.Clamp(from, 1, uint.MaxValue);
        if (await _readers.ReadAsync(s => KeyOf(s, job), token).ConfigureAwait(false) is not { } key)
            yield break;
        while (true)
        {
            // A page and not the whole: an open read keeps the WAL from being emptied, and nobody knows how slow this reader is.
            List<JournalRecord> page = await _readers.ReadAsync(s => Page(s, key, from), token).ConfigureAwait(false);
            if (page.Count == 0)
                yield break;
            foreach (JournalRecord record in page)
                yield return record;
            from = page[^1].First + page[^1].Count;
        }
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => _readers.ReadAsync<ReadOnlyMemory<byte>?>(
        s => s.Rows(r => r.GetFieldValue<byte[]>(0), "SELECT bytes FROM blobs WHERE job = (SELECT key FROM jobs WHERE id = ?1) AND hash = ?2", job.Value, hash) is [var bytes] ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null, token);

    /// <inheritdoc/>
    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => _readers.ReadAsync(
        s => s.Rows(JobHeadRow.Read, $"SELECT {JobHeadRow.Columns} FROM jobs WHERE id = ?1", job.Value) is [var (_, head)] ? head : null, token);

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, [EnumeratorCancellation] CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        // Each condition is there or not in the text, so that one without filters pays for none; there are few texts, and each stays prepared.
        string sql = $"SELECT {JobHeadRow.Columns} FROM jobs WHERE key > ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR agent = ?3) AND (?4 IS NULL OR created >= ?4)"
            + filter.Ended switch { null => "", true => " AND ended IS NOT NULL", false => " AND ended IS NULL" }
            + (filter.Children ? "" : " AND instr(id, '/') = 0") + $" ORDER BY key LIMIT {PageHeads}";
        for (long after = 0; ;)
        {
            var page = await _readers.ReadAsync(s => s.Rows(JobHeadRow.Read, sql, after, (int?)filter.Status, filter.AgentId, filter.Since?.UtcTicks), token).ConfigureAwait(false);
            foreach ((_, JobHead head) in page)
                yield return head;
            if (page.Count < PageHeads)
                yield break;
            after = page[^1].Key;
        }
    }

    /// <inheritdoc/>
    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default)
    {
        JournalChecks.Offer(item);
        return _writer.WriteAsync(session => Offer(session, job, item) is var result && result == OfferResult.Accepted ? (result, true) : (result, false), token);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => _readers.ReadAsync<IReadOnlyList<InboxEntry>>(s => s.Rows(
        r => new InboxEntry(JobId.Parse(r.GetString(0)), r.GetInt64(1), new InboxItem(r.GetByte(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetFieldValue<byte[]>(4))),
        "SELECT jobs.id, number, kind, sender, payload FROM inbox CROSS JOIN jobs ON jobs.key = inbox.job WHERE jobs.runner = ?1 ORDER BY number", runner), token);

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => _writer.WriteAsync(session =>
    {
        if (session.Number("SELECT key FROM jobs WHERE id = ?1 AND ended IS NOT NULL", job.Value) is not { } key)
            return (false, false);
        foreach (string table in (string[])["records", "recent"])
            session.Run($"DELETE FROM {table} WHERE place >= ?1 AND place < ?2", SqliteAppender.Place(key, 0), SqliteAppender.Place(key + 1, 0));
        session.Run("DELETE FROM blobs WHERE job = ?1", key);
        session.Run("DELETE FROM inbox WHERE job = ?1", key);
        session.Run("DELETE FROM jobs WHERE key = ?1", key);
        _appender.Forget(job);
        return (true, true);
    }, token);

    /// <inheritdoc/>
    public async Task WaitForChangeAsync(CancellationToken token = default)
    {
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            long changes = await _writer.ForeignChangesAsync(token).ConfigureAwait(false);
            if (Interlocked.Exchange(ref _seenChanges, changes) != changes || Stopwatch.GetElapsedTime(start) >= LongestWait)
                return;
            await Task.Delay(Poll, token).ConfigureAwait(false);
        }
    }

    /// <summary>Ends this object's runners and closes the file.</summary>
    public ValueTask DisposeAsync()
    {
        _readers.Dispose();
        _writer.Dispose();
        _locks.Dispose();
        return ValueTask.CompletedTask;
    }

    private static OfferResult Offer(SqliteSession session, JobId job, InboxItem item)
    {
        if (session.Rows(r => (Key: r.GetInt64(0), HasEnded: !r.IsDBNull(1)), "SELECT key, ended FROM jobs WHERE id = ?1", job.Value) is not [var (key, hasEnded)])
            return OfferResult.UnknownJob;
        if (hasEnded)
            return OfferResult.JobEnded;
        int rows = session.Run("INSERT INTO inbox (job, kind, sender, payload) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", key, (int)item.Kind, item.SenderId, SqliteSession.Blob(item.Payload));
        return rows == 1 ? OfferResult.Accepted : OfferResult.Duplicate;
    }

    private static long? KeyOf(SqliteSession session, JobId job) => session.Number("SELECT key FROM jobs WHERE id = ?1", job.Value);

    private static List<JournalRecord> Page(SqliteSession session, long key, long from)
    {
        // The record that holds the number begins at or before it; a job's last record in either table may be that one.
        using SqliteDataReader reader = session.With("""
            SELECT place, count, bytes FROM records WHERE place >= max(?1, coalesce((SELECT max(place) FROM records WHERE place >= ?1 AND place <= ?2), ?2)) AND place < ?3
            UNION ALL
            SELECT place, count, bytes FROM recent WHERE place >= max(?1, coalesce((SELECT max(place) FROM recent WHERE place >= ?1 AND place <= ?2), ?2)) AND place < ?3
            ORDER BY place
            """, SqliteAppender.Place(key, 0), SqliteAppender.Place(key, from), SqliteAppender.Place(key + 1, 0)).ExecuteReader();
        List<JournalRecord> page = [];
        int bytes = 0;
        while (page.Count < PageRecords && bytes < PageBytes && reader.Read())
        {
            JournalRecord record = new(reader.GetInt64(0) & uint.MaxValue, reader.GetInt32(1), reader.GetFieldValue<byte[]>(2));
            if (record.First + record.Count <= from)
                continue;
            page.Add(record);
            bytes += record.Bytes.Length;
        }
        return page;
    }

    private static void MakeFile(string path)
    {
        try
        {
            if (Directory.Exists(path))
                throw new JournalStorageException($"The journal {path} is a folder. Give the path of a file, as {Path.Combine(path, "journal.db")}.");
            string folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder);
            else
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // Also one that another process has made and not filled yet: it may have been killed in between.
            if (new FileInfo(path) is { Exists: true, Length: > 0 })
                return;
            Touch(path);
            FolderSync.WithParents(folder);
        }
        catch (Exception e) when (e is not JournalStorageException and (UnauthorizedAccessException or IOException))
        {
            throw SqliteFailures.Of(e, path);
        }
    }

    private static void Touch(string path)
    {
        try
        {
            // SQLite gives its -wal and -shm files the permissions of this one.
            if (!File.Exists(path))
                new FileStream(path, RunnerLocks.OwnerOnly(FileMode.CreateNew)).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process made it in between.
        }
    }
}
