using Npgsql;

namespace Millstream;

/// <summary>
/// Tells other processes that something has changed, and hears it from them, by NOTIFY and LISTEN. Both only make it faster: a notice that is lost, with its connection or
/// before it was sent, is made up for by looking after the longest wait.
/// </summary>
internal sealed class PostgreSqlChanges(PostgreSqlSessions sessions, string schema, TimeSpan longestWait)
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(10), FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly string _own = Guid.NewGuid().ToString("N");
    private TaskCompletionSource _changed = NewChange();
    private Task? _hearing;
    private Task _telling = Task.CompletedTask;
    private bool _hasChange = true; // what happened before the first call
    private bool _isTelling, _hasMore;

    /// <summary>How often a connection that listens was opened.</summary>
    public int Connections { get; private set; }

    public async Task WaitAsync(CancellationToken token)
    {
        Task changed;
        lock (_gate)
        {
            _hearing ??= Task.Run(HearAsync, CancellationToken.None);
            if (_hasChange)
            {
                _hasChange = false;
                return;
            }
            changed = _changed.Task;
        }
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(token, sessions.Disposing);
        await Task.WhenAny(changed, Task.Delay(longestWait, either.Token)).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        token.ThrowIfCancellationRequested();
        lock (_gate)
            _hasChange = false;
    }

    /// <summary>Says to others that something has changed, soon: at once, or with what comes within some milliseconds. Outside of the transaction that changed it, since
    /// commits with a NOTIFY wait for each other in all of the server.</summary>
    public void Tell()
    {
        lock (_gate)
        {
            _hasMore = true;
            if (_isTelling)
                return;
            _isTelling = true;
            _telling = Task.Run(TellAsync);
        }
    }

    /// <summary>Waits until what was to be told is told and nothing is heard any more; for the end, after disposing has begun.</summary>
    public async Task StoppedAsync()
    {
        Task telling, hearing;
        lock (_gate)
            (telling, hearing) = (_telling, _hearing ?? Task.CompletedTask);
        await Task.WhenAll(telling, hearing).ConfigureAwait(false);
    }

    public Task TellOnceAsync(CancellationToken token) => sessions.OnceAsync(async (connection, t) =>
    {
        // A NOTIFY is a commit, and this one need not wait for the disk.
        await using NpgsqlCommand command = PostgreSqlSessions.Command(connection, "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", schema, _own);
        return await command.ExecuteNonQueryAsync(t).ConfigureAwait(false);
    }, token);

    private async Task TellAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (!_hasMore || sessions.IsDisposed)
                {
                    _isTelling = false;
                    return;
                }
                _hasMore = false;
            }
            try
            {
                await TellOnceAsync(sessions.Disposing).ConfigureAwait(false);
                await Task.Delay(Gap, sessions.Disposing).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or OperationCanceledException or InvalidOperationException)
            {
                // They will look by themselves.
            }
        }
    }

    private async Task HearAsync()
    {
        CancellationToken token = sessions.Disposing;
        for (TimeSpan pause = FirstPause; !token.IsCancellationRequested;)
        {
            try
            {
                NpgsqlConnectionStringBuilder own = new(sessions.At.ConnectionString) { Pooling = false };
                await using NpgsqlConnection connection = new(own.ConnectionString);
                connection.Notification += (_, e) =>
                {
                    if (e.Payload != _own)
                        Changed();
                };
                await connection.OpenAsync(token).ConfigureAwait(false);
                await using (NpgsqlCommand listen = new($"LISTEN {schema}", connection))
                    await listen.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                Connections++;
                pause = FirstPause;
                // What happened while nobody listened.
                Changed();
                while (true)
                    await connection.WaitAsync(token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException or OperationCanceledException)
            {
                // Lost, or not there yet. Who waits looks by himself meanwhile.
                Changed();
            }
            try
            {
                await Task.Delay(pause, token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private void Changed()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _hasChange = true;
            (changed, _changed) = (_changed, NewChange());
        }
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
