using System.Diagnostics;
using Npgsql;

namespace Millstream;

/// <summary>The connections of a store object. What fails because the server is away for a while is tried again until the patience is over.</summary>
internal sealed class PostgreSqlSessions(PostgreSqlAddress at, TimeSpan patience) : IDisposable
{
    /// <summary>How many calls work at a time; more wait in line.</summary>
    public const int Most = 12;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(at.ConnectionString);
    private readonly SemaphoreSlim _line = new(Most, Most);
    private readonly CancellationTokenSource _disposing = new();

    public PostgreSqlAddress At => at;

    public bool IsDisposed => _disposing.IsCancellationRequested;

    /// <summary>Fires when the store object is disposed.</summary>
    public CancellationToken Disposing => _disposing.Token;

    /// <summary>One connection, now. Blocks.</summary>
    public NpgsqlConnection Open() => _source.OpenConnection();

    /// <summary>Does work that does no harm when it is done twice.</summary>
    /// <exception cref="JournalStorageException">It fails for good, or for longer than the patience.</exception>
    public Task<T> RepeatAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken token) => UntilDoneAsync(async () => await OnceAsync(work, token).ConfigureAwait(false), token);

    /// <summary>Tries until it is done; only what <see cref="PostgreSqlFailures.Passes"/> is tried again.</summary>
    public async Task<T> UntilDoneAsync<T>(Func<Task<T>> attempt, CancellationToken token)
    {
        long start = 0;
        for (TimeSpan pause = FirstPause; ; pause = pause < LongestPause ? pause * 2 : LongestPause)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, typeof(PostgreSqlJournalStorage));
            token.ThrowIfCancellationRequested();
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (Exception e) when (e is not (JournalStorageException or OperationCanceledException or ArgumentException))
            {
                ObjectDisposedException.ThrowIf(IsDisposed, typeof(PostgreSqlJournalStorage));
                start = start == 0 ? Stopwatch.GetTimestamp() : start;
                if (!PostgreSqlFailures.Passes(e))
                    throw PostgreSqlFailures.Of(e, at);
                if (Stopwatch.GetElapsedTime(start) + pause > patience)
                    throw PostgreSqlFailures.Of(e, at, patience);
                // Idle connections are as dead as the one that has failed.
                if (!PostgreSqlFailures.IsUndone(e))
                    _source.Clear();
            }
            await PauseAsync(pause, token).ConfigureAwait(false);
        }
    }

    /// <summary>Does work once, and gives the error as it is.</summary>
    public async Task<T> OnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken token)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(PostgreSqlJournalStorage));
        await _line.WaitAsync(token).ConfigureAwait(false);
        try
        {
            await using NpgsqlConnection connection = await _source.OpenConnectionAsync(token).ConfigureAwait(false);
            return await work(connection, token).ConfigureAwait(false);
        }
        finally
        {
            _line.Release();
        }
    }

    /// <summary>The rows of a statement with parameters $1, $2 and so on.</summary>
    public Task<List<T>> RowsAsync<T>(Func<NpgsqlDataReader, T> read, string sql, CancellationToken token, params object?[] values) => RepeatAsync(async (connection, t) =>
    {
        List<T> rows = [];
        await using NpgsqlCommand command = Command(connection, sql, values);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(t).ConfigureAwait(false);
        while (await reader.ReadAsync(t).ConfigureAwait(false))
            rows.Add(read(reader));
        return rows;
    }, token);

    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> values)
    {
        NpgsqlCommand command = new(sql, connection);
        foreach (object? value in values)
            // A parameter belongs to one command, and what fails is asked again.
            command.Parameters.Add((value as NpgsqlParameter)?.Clone() ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    /// <summary>From here on every call throws.</summary>
    public void StartDisposing() => _disposing.Cancel();

    public void Dispose()
    {
        StartDisposing();
        _source.Dispose();
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken token)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(token, _disposing.Token);
        try
        {
            await Task.Delay(pause, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
        }
    }
}
