using Npgsql;
using NpgsqlTypes;

namespace Millstream;

/// <summary>
/// What a store object writes, one after the other, each exactly once. A write whose answer got lost is looked up when the server is there again: its row in
/// <c>writers</c> says whether it was done and with what results.
/// </summary>
internal sealed class PostgreSqlWriter(PostgreSqlSessions sessions, string schema) : IDisposable
{
    private readonly Guid _id = Guid.NewGuid();
    private readonly SemaphoreSlim _line = new(1, 1);
    private long _attempt;
    private bool _hasRow;

    /// <summary>One write; the parts are calls of functions that take the writer and its attempt before the parameters, in one transaction.</summary>
    /// <returns>The results of the parts, one after the other. They are durable.</returns>
    public async Task<long[]> WriteAsync(CancellationToken token, params IReadOnlyList<Call> parts)
    {
        await _line.WaitAsync(token).ConfigureAwait(false);
        try
        {
            bool isUnknown = false;
            return await sessions.UntilDoneAsync(async () =>
            {
                if (!_hasRow)
                    await sessions.OnceAsync(MakeRowAsync, token).ConfigureAwait(false);
                if (isUnknown && await sessions.OnceAsync(FindOutAsync, CancellationToken.None).ConfigureAwait(false) is { } done)
                    return done;
                isUnknown = false;
                _attempt++;
                try
                {
                    return await sessions.OnceAsync((connection, _) =>
                    {
                        // From here on the server may have it. The token ends the waiting before and never this.
                        isUnknown = true;
                        return DoAsync(connection, parts);
                    }, token).ConfigureAwait(false);
                }
                catch (PostgresException e) when (PostgreSqlFailures.IsUndone(e))
                {
                    isUnknown = false;
                    if (e.SqlState != PostgreSqlFailures.NoWriter)
                        throw;
                    // Somebody has removed it, as is done with those of processes that are long gone.
                    _hasRow = false;
                    throw new TimeoutException("the writer's row was removed", e);
                }
            }, token).ConfigureAwait(false);
        }
        finally
        {
            _line.Release();
        }
    }

    /// <summary>Waits for the write that is under way, and takes the row away.</summary>
    public async Task EndAsync(CancellationToken token)
    {
        await _line.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (_hasRow)
                await sessions.OnceAsync(RemoveRowAsync, token).ConfigureAwait(false);
        }
        finally
        {
            _line.Release();
        }
    }

    public void Dispose() => _line.Dispose();

    private async Task<long[]> DoAsync(NpgsqlConnection connection, IReadOnlyList<Call> parts)
    {
        if (parts.Count == 1)
            return await DoAsync(connection, parts[0]).ConfigureAwait(false);
        List<long> results = [];
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (Call part in parts)
            results.AddRange(await DoAsync(connection, part).ConfigureAwait(false));
        // The row has the last part's results only.
        await using (NpgsqlCommand end = PostgreSqlSessions.Command(connection, $"SELECT {schema}.end_write($1, $2, $3)", _id, _attempt, results.ToArray()))
            await end.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        return [.. results];
    }

    private async Task<long[]> DoAsync(NpgsqlConnection connection, Call call)
    {
        string numbers = string.Join(", ", Enumerable.Range(1, call.Parameters.Length + 2).Select(i => $"${i}"));
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, $"SELECT {schema}.{call.Function}({numbers})", _id, _attempt);
        foreach (NpgsqlParameter parameter in call.Parameters)
            command.Parameters.Add(parameter.Clone());
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        long[] results = reader.GetFieldValue<long[]>(0);
        // The row comes before the commit; the end of the results after it.
        while (await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false))
        {
        }
        return results;
    }

    /// <summary>What became of the last attempt; null where it was not done, and then it never will be.</summary>
    private async Task<long[]?> FindOutAsync(NpgsqlConnection connection, CancellationToken token)
    {
        // Waits for the attempt where it is still at work.
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, $"UPDATE {schema}.writers SET fence = $2 WHERE id = $1 RETURNING attempt, results", _id, _attempt);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
        return await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetInt64(0) == _attempt ? reader.GetFieldValue<long[]>(1) : null;
    }

    private async Task<bool> MakeRowAsync(NpgsqlConnection connection, CancellationToken token)
    {
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, $"INSERT INTO {schema}.writers (id, fence, attempt, written) VALUES ($1, 0, 0, now()) ON CONFLICT DO NOTHING", _id);
        await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        return _hasRow = true;
    }

    private async Task<bool> RemoveRowAsync(NpgsqlConnection connection, CancellationToken token)
    {
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, $"DELETE FROM {schema}.writers WHERE id = $1", _id);
        return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1;
    }

    /// <summary>A call of one of the schema's functions.</summary>
    public sealed record Call(string Function, params NpgsqlParameter[] Parameters)
    {
        public static NpgsqlParameter Of<T>(NpgsqlDbType type, T? value) => new() { NpgsqlDbType = type, Value = (object?)value ?? DBNull.Value };
    }
}
