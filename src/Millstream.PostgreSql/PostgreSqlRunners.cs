using Npgsql;
using NpgsqlTypes;

namespace Millstream;

/// <summary>This object's runners: their rows say that they live, renewed three times in the time after which a runner is dead.</summary>
internal sealed class PostgreSqlRunners(PostgreSqlSessions sessions, string schema, TimeSpan ttl)
{
    private readonly Lock _gate = new();
    private readonly List<long> _own = [];
    private readonly SemaphoreSlim _line = new(1, 1);
    private Task _renewing = Task.CompletedTask;

    public bool Owns(long runner)
    {
        lock (_gate)
            return _own.Contains(runner);
    }

    public static NpgsqlParameter[] Parameters(TimeSpan ttl) =>
    [
        PostgreSqlWriter.Call.Of(NpgsqlDbType.Interval, (TimeSpan?)ttl), PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, LocalProcess.Current.Machine),
        PostgreSqlWriter.Call.Of(NpgsqlDbType.Integer, (int?)LocalProcess.Current.Id), PostgreSqlWriter.Call.Of(NpgsqlDbType.Bigint, (long?)LocalProcess.Current.Started),
        PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, Environment.MachineName),
    ];

    public void Add(long runner)
    {
        lock (_gate)
        {
            _own.Add(runner);
            if (_own.Count == 1)
                _renewing = Task.Run(RenewAsync);
        }
    }

    /// <summary>Says that the runners live. A row that somebody took away, since its runner seemed dead for long, comes back.</summary>
    public async Task RenewOnceAsync(CancellationToken token)
    {
        // Not beside the end, which it would undo.
        await _line.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (Own() is not { Length: > 0 } own)
                return;
            await RunAsync($"""
                INSERT INTO {schema}.runners (number, ttl, renewed, machine, process, started, host) SELECT n, $2, clock_timestamp(), $3, $4, $5, $6 FROM unnest($1) AS n
                ON CONFLICT (number) DO UPDATE SET renewed = clock_timestamp()
                """, token, [own, .. Parameters(ttl)]).ConfigureAwait(false);
        }
        finally
        {
            _line.Release();
        }
    }

    /// <summary>Ends the runners at once.</summary>
    /// <returns>Whether there were any.</returns>
    public async Task<bool> EndAsync(CancellationToken token)
    {
        await _line.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (Own() is not { Length: > 0 } own)
                return false;
            lock (_gate)
                _own.Clear();
            await RunAsync($"DELETE FROM {schema}.runners WHERE number = ANY ($1)", token, own).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _line.Release();
        }
    }

    /// <summary>The runners of open jobs, and which of them are dead: 0, those without a row, those whose row has expired or whose process is gone.</summary>
    public async Task<List<(long Number, bool IsDead)>> OfOpenJobsAsync(CancellationToken token)
    {
        // Steps from runner to runner through the index of open jobs, however many jobs each has.
        List<(long Number, bool HasExpired, LocalProcess? Process)> found = await sessions.RowsAsync(
            r => (r.GetInt64(0), r.GetBoolean(1), r.IsDBNull(3) ? null : new LocalProcess(r.IsDBNull(2) ? null : r.GetString(2), r.GetInt32(3), r.GetInt64(4))), $"""
            WITH RECURSIVE step (runner) AS (
                SELECT min(runner) FROM {schema}.jobs WHERE ended IS NULL
                UNION ALL SELECT (SELECT min(runner) FROM {schema}.jobs WHERE ended IS NULL AND runner > step.runner) FROM step WHERE step.runner IS NOT NULL)
            SELECT s.runner, coalesce({schema}.dead_at(r.renewed, r.ttl) < clock_timestamp(), true), r.machine, r.process, r.started
            FROM step s LEFT JOIN {schema}.runners r ON r.number = s.runner WHERE s.runner IS NOT NULL
            """, token).ConfigureAwait(false);
        return [.. found.Select(f => (f.Number, !Owns(f.Number) && (f.HasExpired || f.Process is { IsGone: true })))];
    }

    /// <summary>Waits until nothing is renewed any more; for the end, after disposing has begun.</summary>
    public Task StoppedAsync() => _renewing;

    private long[] Own()
    {
        lock (_gate)
            return [.. _own];
    }

    private Task RunAsync(string sql, CancellationToken token, params object?[] values) => sessions.OnceAsync(async (connection, t) =>
    {
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, sql, values);
        return await command.ExecuteNonQueryAsync(t).ConfigureAwait(false);
    }, token);

    private async Task RenewAsync()
    {
        CancellationToken token = sessions.Disposing;
        TimeSpan pause = ttl / 3, soon = ttl / 30;
        try
        {
            for (TimeSpan next = pause; ;)
            {
                await Task.Delay(next, token).ConfigureAwait(false);
                try
                {
                    await RenewOnceAsync(token).ConfigureAwait(false);
                    next = pause;
                }
                catch (Exception e) when (e is not OperationCanceledException and not ObjectDisposedException)
                {
                    // Whatever it was: the sooner it is tried again, the likelier the runner stays alive.
                    next = soon;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The store object is disposed.
        }
    }
}
