using NpgsqlTypes;

namespace Millstream;

public sealed partial class PostgreSqlJournalStorage
{
    /// <inheritdoc/>
    public async Task<long> OpenRunnerAsync(CancellationToken token = default)
    {
        long runner = (await _writer.WriteAsync(token, new PostgreSqlWriter.Call("open_runner", PostgreSqlRunners.Parameters(_ttl))).ConfigureAwait(false))[0];
        _runners.Add(runner);
        return runner;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default)
    {
        if (!_runners.Owns(runner))
            throw JournalChecks.NotOurRunner(runner, Location);
        // Most often there is nothing to take, and that is found without a write.
        if (job is { } one && (await FindAsync(one, token).ConfigureAwait(false) is not { Ended: null } head || _runners.Owns(head.Runner)))
            return [];
        long[] dead = [.. (await _runners.OfOpenJobsAsync(token).ConfigureAwait(false)).Where(r => r.IsDead).Select(r => r.Number)];
        if (dead.Length == 0)
            return [];
        long[] keys = await _writer.WriteAsync(token, new PostgreSqlWriter.Call("claim", PostgreSqlWriter.Call.Of(NpgsqlDbType.Bigint, (long?)runner),
            PostgreSqlWriter.Call.Of(NpgsqlDbType.Array | NpgsqlDbType.Bigint, dead), PostgreSqlWriter.Call.Of(NpgsqlDbType.Text, job?.Value))).ConfigureAwait(false);
        if (keys.Length == 0)
            return [];
        _changes.Tell();
        return [.. (await _sessions.RowsAsync(JobHeadRow.Read, $"SELECT {JobHeadRow.Columns} FROM {_schema}.jobs WHERE key = ANY ($1) AND runner = $2 ORDER BY key", token, keys, runner)
            .ConfigureAwait(false)).Select(r => r.Head)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) =>
        (await _runners.OfOpenJobsAsync(token).ConfigureAwait(false)).Where(r => !r.IsDead && r.Number != 0).Select(r => r.Number).ToHashSet();
}
