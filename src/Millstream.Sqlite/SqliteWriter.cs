using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millstream;

/// <summary>The one connection of a store object that writes. Whoever finds it free writes on his own thread; others wait in line.</summary>
internal sealed class SqliteWriter(SqliteSession session, string path, TimeSpan busy) : IDisposable
{
    // SQLite's lock is not fair, and who waits for it looks each millisecond. A writer that never rests leaves it alone for that long this often,
    // or another process might never get in.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(2), RestEvery = TimeSpan.FromMilliseconds(100), Short = TimeSpan.FromMilliseconds(1), Long = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim _line = new(1, 1);
    private long _dataVersion = session.Number("PRAGMA data_version")!.Value;
    private long _foreignChanges;
    private long _released, _rested;
    private JournalStorageException? _broken;
    private bool _isDisposed;

    public SqliteSession Session => session;

    /// <summary>Called when what was read or written in earlier transactions may not be so: another process has written, or a transaction has failed.</summary>
    public Action? Forget { get; init; }

    /// <summary>Does work in one transaction, which is durable when this is done.</summary>
    /// <param name="work">Gives its result and whether there is anything to commit.</param>
    /// <param name="token">Stops waiting for the lock; a transaction that has begun is ended.</param>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, (T Result, bool Commit)> work, CancellationToken token)
    {
        await EnterAsync(token).ConfigureAwait(false);
        try
        {
            if (_broken is not null)
                throw Again(_broken);
            await RestAsync(token).ConfigureAwait(false);
            await BeginAsync(token).ConfigureAwait(false);
            return InTransaction(work);
        }
        finally
        {
            _released = Stopwatch.GetTimestamp();
            _line.Release();
        }
    }

    /// <summary>How often other processes were found to have written.</summary>
    public async Task<long> ForeignChangesAsync(CancellationToken token)
    {
        await EnterAsync(token).ConfigureAwait(false);
        try
        {
            LookForForeignChange();
            return _foreignChanges;
        }
        catch (SqliteException e)
        {
            throw SqliteFailures.Of(e, path, busy);
        }
        finally
        {
            _line.Release();
        }
    }

    public void Dispose()
    {
        _line.Wait();
        _isDisposed = true;
        session.Dispose();
        _line.Release();
    }

    private async Task EnterAsync(CancellationToken token)
    {
        await _line.WaitAsync(token).ConfigureAwait(false);
        if (!_isDisposed)
            return;
        _line.Release();
        throw new ObjectDisposedException(nameof(SqliteJournalStorage));
    }

    private T InTransaction<T>(Func<SqliteSession, (T Result, bool Commit)> work)
    {
        try
        {
            LookForForeignChange();
            (T result, bool commit) = work(session);
            session.Run(commit ? "COMMIT" : "ROLLBACK");
            return result;
        }
        catch (SqliteException e)
        {
            RollBack();
            // After a failed write or sync nobody knows what the disk holds, and a second sync may succeed without having written.
            throw _broken = SqliteFailures.Of(e, path, busy);
        }
        catch (Exception e) when (SqliteFailures.IsDamage(e))
        {
            RollBack();
            throw SqliteFailures.Damaged(e, path);
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    private void LookForForeignChange()
    {
        // Changes for the commits of other connections only.
        long version = session.Number("PRAGMA data_version")!.Value;
        if (version == _dataVersion)
            return;
        (_dataVersion, _foreignChanges) = (version, _foreignChanges + 1);
        Forget?.Invoke();
    }

    private void RollBack()
    {
        // SQLite itself has rolled back after some errors.
        if (raw.sqlite3_get_autocommit(session.Connection.Handle) == 0)
            raw.sqlite3_exec(session.Connection.Handle, "ROLLBACK");
        Forget?.Invoke();
    }

    private async Task RestAsync(CancellationToken token)
    {
        if (Stopwatch.GetElapsedTime(_released) < Rest && Stopwatch.GetElapsedTime(_rested) < RestEvery)
            return;
        if (Stopwatch.GetElapsedTime(_released) < Rest)
            await Task.Delay(Rest, token).ConfigureAwait(false);
        _rested = Stopwatch.GetTimestamp();
    }

    private async Task BeginAsync(CancellationToken token)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            int code = raw.sqlite3_exec(session.Connection.Handle, "BEGIN IMMEDIATE");
            if (code == raw.SQLITE_OK)
                return;
            try
            {
                SqliteException.ThrowExceptionForRC(code, session.Connection.Handle);
            }
            catch (SqliteException e) when (e.SqliteErrorCode is not (SqliteFailures.Busy or SqliteFailures.Locked) || Stopwatch.GetElapsedTime(start) > busy)
            {
                throw SqliteFailures.Of(e, path, busy);
            }
            catch (SqliteException)
            {
            }
            await Task.Delay(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1) ? Short : Long, token).ConfigureAwait(false);
        }
    }

    private static JournalStorageException Again(JournalStorageException first) =>
        new($"Nothing is stored here any more since a write failed: {first.Message} Then dispose this store object and open the journal again.", first);
}
