namespace Millstream;

public sealed partial class SqliteJournalStorage
{
    // Steps from runner to runner through the index of open jobs, however many jobs each has.
    private const string RunnersOfOpenJobs = """
        WITH RECURSIVE step (runner) AS (
            SELECT min(runner) FROM jobs WHERE ended IS NULL
            UNION ALL SELECT (SELECT min(runner) FROM jobs WHERE ended IS NULL AND runner > step.runner) FROM step WHERE step.runner IS NOT NULL)
        SELECT runner FROM step WHERE runner IS NOT NULL
        """;

    private const string TakeOver = "UPDATE jobs SET runner = ?1, epoch = epoch + 1, restarts = restarts + (runner <> 0) WHERE ended IS NULL AND runner = ?2";

    /// <inheritdoc/>
    public async Task<long> OpenRunnerAsync(CancellationToken token = default)
    {
        long runner = 0;
        try
        {
            return await _writer.WriteAsync(session =>
            {
                session.Run("INSERT INTO runners (process, host, opened) VALUES (?1, ?2, ?3)", Environment.ProcessId, Environment.MachineName, DateTimeOffset.UtcNow.UtcTicks);
                runner = session.Number("SELECT last_insert_rowid()")!.Value;
                // Before the commit: nobody may see a runner that is not locked yet.
                _locks.Take(runner);
                ForgetDeadRunners(session);
                return (runner, true);
            }, token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (runner != 0)
                _locks.Release(runner);
            if (e is IOException and not JournalStorageException or UnauthorizedAccessException)
                throw SqliteFailures.Of(e, $"{Location} with its folder {Location}.runners");
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default)
    {
        if (!_locks.Owns(runner))
            throw JournalChecks.NotOurRunner(runner, Location);
        // Most often there is nothing to take, and that is found without the writer's lock.
        bool mayTake = job is { } one
            ? await FindAsync(one, token).ConfigureAwait(false) is { Ended: null } head && !_locks.Owns(head.Runner)
            : (await _readers.ReadAsync(s => s.Rows(r => r.GetInt64(0), RunnersOfOpenJobs), token).ConfigureAwait(false)).Any(r => !_locks.Owns(r));
        if (!mayTake)
            return [];
        return await _writer.WriteAsync(session =>
        {
            List<(long Key, JobHead Head)> claimed = [];
            foreach (long other in session.Rows(r => r.GetInt64(0), RunnersOfOpenJobs))
            {
                if (other != 0 && !_locks.IsDead(other))
                    continue;
                claimed.AddRange(job is { } asked
                    ? session.Rows(JobHeadRow.Read, $"{TakeOver} AND id = ?3 RETURNING {JobHeadRow.Columns}", runner, other, asked.Value)
                    : session.Rows(JobHeadRow.Read, $"{TakeOver} RETURNING {JobHeadRow.Columns}", runner, other));
            }
            foreach ((_, JobHead head) in claimed)
                _appender.Forget(head.Id);
            return ((IReadOnlyList<JobHead>)[.. claimed.OrderBy(c => c.Key).Select(c => c.Head)], claimed.Count > 0);
        }, token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) => _writer.WriteAsync(
        session => ((IReadOnlySet<long>)session.Rows(r => r.GetInt64(0), RunnersOfOpenJobs).Where(r => r != 0 && !_locks.IsDead(r)).ToHashSet(), false), token);

    private void ForgetDeadRunners(SqliteSession session)
    {
        foreach (long other in session.Rows(r => r.GetInt64(0), "SELECT number FROM runners WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE ended IS NULL AND runner = number)"))
        {
            if (!_locks.IsDead(other))
                continue;
            session.Run("DELETE FROM runners WHERE number = ?1", other);
            _locks.Forget(other);
        }
    }
}
