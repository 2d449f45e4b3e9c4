using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>Connections that read. They keep their statements, and no transaction is open on one that nobody uses, so the WAL can be emptied.</summary>
internal sealed class SqliteReaders(string path, TimeSpan busy) : IDisposable
{
    private const int MostIdle = 8;

    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private volatile bool _isDisposed;

    public Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken token)
    {
        if (token.IsCancellationRequested)
            return Task.FromCanceled<T>(token);
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqliteJournalStorage));
        SqliteSession? session = null;
        try
        {
            if (!_idle.TryTake(out session))
                session = Open();
            T result = read(session);
            Return(session);
            return Task.FromResult(result);
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            return Task.FromException<T>(SqliteFailures.Of(e, path, busy));
        }
        catch (Exception e) when (SqliteFailures.IsDamage(e))
        {
            session?.Dispose();
            return Task.FromException<T>(SqliteFailures.Damaged(e, path));
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out SqliteSession? session))
            session.Dispose();
    }

    private SqliteSession Open()
    {
        SqliteSession session = new(path, busy);
        session.Run("PRAGMA query_only = ON");
        session.Run("PRAGMA trusted_schema = OFF");
        session.Run("PRAGMA cell_size_check = ON");
        return session;
    }

    private void Return(SqliteSession session)
    {
        if (_isDisposed || _idle.Count >= MostIdle)
            session.Dispose();
        else
            _idle.Add(session);
        if (_isDisposed)
            Dispose();
    }
}
