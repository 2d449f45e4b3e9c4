using System.Runtime.CompilerServices;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Millstream;

/// <summary>
/// Journals in a PostgreSQL database: the store of several machines. What was acknowledged survives the end of the process, of the connection and of the server.
/// </summary>
/// <remarks>
/// The journal has a schema of its own, made and brought up to date when it is opened. A server that goes away for a while is waited for
/// (<see cref="PostgreSqlJournalOptions.Patience"/>); a write whose answer got lost is looked up then, and is not done twice.
/// </remarks>
public sealed partial class PostgreSqlJournalStorage : IJournalStorage
{
    private const int PageRecords = 256, PageBytes = 1 << 20, PageHeads = 1_000;
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);

    private readonly PostgreSqlSessions _sessions;
    private readonly PostgreSqlWriter _writer;
    private readonly PostgreSqlRunners _runners;
    private readonly PostgreSqlChanges _changes;
    private readonly string _schema;
    private readonly TimeSpan _ttl;

    /// <summary>Opens a journal, or makes it. Blocks while it does.</summary>
    /// <param name="connection">A URL, <c>postgres://user:password@host:5432/database?schema=millstream</c>, or a connection string of Npgsql. The password may come from
    /// <c>PGPASSWORD</c> or a password file instead.</param>
    /// <param name="options">How it behaves; what is left out has its default.</param>
    /// <exception cref="ArgumentException">The connection or an option cannot be understood.</exception>
    /// <exception cref="JournalStorageException">The server cannot be used; the message says why and what to do.</exception>
    public PostgreSqlJournalStorage(string connection, PostgreSqlJournalOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connection);
        PostgreSqlAddress at = PostgreSqlAddress.Parse(connection);
        options ??= new PostgreSqlJournalOptions();
        options = (at.Schema is { } named ? options with { Schema = named } : options).Checked();
        (_schema, _ttl) = (options.Schema, options.RunnerTtl);
        _sessions = new PostgreSqlSessions(at, options.Patience);
        _writer = new PostgreSqlWriter(_sessions, _schema);
        _runners = new PostgreSqlRunners(_sessions, _schema, _ttl);
        _changes = new PostgreSqlChanges(_sessions, _schema, options.LongestWait);
        try
        {
            using NpgsqlConnection first = _sessions.Open();
            PostgreSqlSchema.Prepare(first, at, options);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            _sessions.Dispose();
            throw PostgreSqlFailures.Of(e, at);
        }
    }

    /// <inheritdoc/>
    public string Location => _sessions.At.Location;

    internal PostgreSqlChanges Changes => _changes;

    internal PostgreSqlSessions Sessions => _sessions;

    /// <inheritdoc/>
    public async Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        JournalChecks.Batch(batch);
        if (batch.Count == 0)
            return [];
        JobAppend[] all = [.. batch];
        PostgreSqlWriter.Call[] calls = [.. PostgreSqlAppends.Parts(all).Select(part => PostgreSqlAppends.Of(part))];
        AppendResult[] results = [.. (await _writer.WriteAsync(token, calls).ConfigureAwait(false)).Select(Result)];
        if (results.Contains(AppendResult.Appended))
            _changes.Tell();
        return results;

        static AppendResult Result(long code) => code switch { 0 => AppendResult.Appended, 1 => AppendResult.Fenced, 2 => AppendResult.Conflict, _ => AppendResult.UnknownJob };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, [EnumeratorCancellation] CancellationToken token = default)
    {
        // The record that holds the number begins at or before it. Pages end after some bytes, since nobody knows how slow this reader is.
        string page = $"""
            JOIN LATERAL (
                SELECT r.first, r.count, r.bytes, sum(octet_length(r.bytes)) OVER (ORDER BY r.first) - octet_length(r.bytes) AS before FROM {_schema}.records r
                WHERE r.job = j.key AND r.first >= coalesce((SELECT max(f.first) FROM {_schema}.records f WHERE f.job = j.key AND f.first <= $2), $2)
                ORDER BY r.first LIMIT {PageRecords}) p ON p.before < {PageBytes} AND p.first + p.count > $2
            """;
        string first = $"SELECT j.key, p.first, p.count, p.bytes FROM {_schema}.jobs j {page} WHERE j.id = $1 ORDER BY p.first";
        string next = $"SELECT j.key, p.first, p.count, p.bytes FROM {_schema}.jobs j {page} WHERE j.key = $1 ORDER BY p.first";
        from = Math.Max(from, 1);
        for (long key = 0; ;)
        {
            var rows = await _sessions.RowsAsync(r => (Key: r.GetInt64(0), Record: new JournalRecord(r.GetInt64(1), r.GetInt32(2), r.GetFieldValue<byte[]>(3))),
                key == 0 ? first : next, token, key == 0 ? job.Value : key, from).ConfigureAwait(false);
            if (rows.Count == 0)
                yield break;
            foreach ((_, JournalRecord record) in rows)
                yield return record;
            key = rows[0].Key;
            from = rows[^1].Record.First + rows[^1].Record.Count;
        }
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) =>
        await _sessions.RowsAsync(r => r.GetFieldValue<byte[]>(0), $"SELECT b.bytes FROM {_schema}.blobs b JOIN {_schema}.jobs j ON j.key = b.job WHERE j.id = $1 AND b.hash = $2", token, job.Value, hash)
            .ConfigureAwait(false) is [var bytes] ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null;

    /// <inheritdoc/>
    public async Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) =>
        await _sessions.RowsAsync(JobHeadRow.Read, $"SELECT {JobHeadRow.Columns} FROM {_schema}.jobs WHERE id = $1", token, job.Value).ConfigureAwait(false) is [var (_, head)] ? head : null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, [EnumeratorCancellation] CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        string sql = $"SELECT {JobHeadRow.Columns} FROM {_schema}.jobs WHERE key > $1 AND ($2 IS NULL OR status = $2) AND ($3 IS NULL OR agent = $3) AND ($4 IS NULL OR created >= $4)"
            + filter.Ended switch { null => "", true => " AND ended IS NOT NULL", false => " AND ended IS NULL" }
            + (filter.Children ? "" : " AND strpos(id, '/') = 0") + $" ORDER BY key LIMIT {PageHeads}";
        for (long after = 0; ;)
        {
            var page = await _sessions.RowsAsync(JobHeadRow.Read, sql, token, after, PostgreSqlWriter.Call.Of(NpgsqlDbType.Integer, (int?)filter.Status),
                PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, PostgreSqlText.Of(filter.AgentId)), PostgreSqlWriter.Call.Of(NpgsqlDbType.Bigint, filter.Since?.UtcTicks)).ConfigureAwait(false);
            foreach ((_, JobHead head) in page)
                yield return head;
            if (page.Count < PageHeads)
                yield break;
            after = page[^1].Key;
        }
    }

    /// <inheritdoc/>
    public async Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default)
    {
        JournalChecks.Offer(item);
        long[] result = await _writer.WriteAsync(token, new PostgreSqlWriter.Call("offer", PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, job.Value), PostgreSqlWriter.Call.Of(NpgsqlDbType.Smallint, (short?)item.Kind),
            PostgreSqlWriter.Call.Of(NpgsqlDbType.Bytea, item.SenderId is { } sender ? Encoding.UTF8.GetBytes(sender) : null), PostgreSqlWriter.Call.Of(NpgsqlDbType.Bytea, item.Payload.ToArray()))).ConfigureAwait(false);
        if (result[0] == 0)
            _changes.Tell();
        return result[0] switch { 0 => OfferResult.Accepted, 1 => OfferResult.Duplicate, 2 => OfferResult.JobEnded, _ => OfferResult.UnknownJob };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => await _sessions.RowsAsync(
        r => new InboxEntry(JobId.Parse(r.GetString(0)), r.GetInt64(1), new InboxItem((byte)r.GetInt16(2), r.IsDBNull(3) ? null : Encoding.UTF8.GetString(r.GetFieldValue<byte[]>(3)), r.GetFieldValue<byte[]>(4))),
        // From the inbox, which is short, to the jobs, which are many: OFFSET keeps the planner from the other way.
        $"SELECT j.id, i.number, i.kind, i.sender, i.payload FROM {_schema}.inbox i CROSS JOIN LATERAL (SELECT id FROM {_schema}.jobs WHERE key = i.job AND runner = $1 OFFSET 0) j ORDER BY i.number",
        token, runner).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<bool> RemoveAsync(JobId job, CancellationToken token = default)
    {
        bool isRemoved = (await _writer.WriteAsync(token, new PostgreSqlWriter.Call("remove", PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, job.Value))).ConfigureAwait(false))[0] == 1;
        if (isRemoved)
            _changes.Tell();
        return isRemoved;
    }

    /// <inheritdoc/>
    public Task WaitForChangeAsync(CancellationToken token = default)
    {
        token.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_sessions.IsDisposed, this);
        return _changes.WaitAsync(token);
    }

    /// <summary>Ends this object's runners and closes its connections. Where the server does not answer, the runners end when their time is over.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_sessions.IsDisposed)
            return;
        using CancellationTokenSource limit = new(LongestGoodbye);
        try
        {
            bool hadRunners = await _runners.EndAsync(limit.Token).ConfigureAwait(false);
            await _writer.EndAsync(limit.Token).ConfigureAwait(false);
            if (hadRunners)
                await _changes.TellOnceAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The server is away.
        }
        _sessions.StartDisposing();
        await _runners.StoppedAsync().ConfigureAwait(false);
        await _changes.StoppedAsync().ConfigureAwait(false);
        _sessions.Dispose();
    }
}
