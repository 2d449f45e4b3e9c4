namespace Millstream.Definitions;

/// <summary>Forks of stored jobs, without a process that runs them.</summary>
internal static class StoredForks
{
    /// <summary>Makes a suspended job of the entries 1 to <paramref name="at"/> of another one; whoever resumes it goes on from there.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="from">The other job.</param>
    /// <param name="at">The last entry that is kept.</param>
    /// <param name="id">The new job's id; null for one that is made.</param>
    /// <exception cref="ArgumentException">No fork can begin there; the message names the nearest numbers.</exception>
    /// <exception cref="InvalidOperationException">There is a job with that id already.</exception>
    public static async Task<JobHead> CreateAsync(IJournalStorage storage, JobHead from, long at, JobId? id)
    {
        await JobFork.CheckAsync(storage, from, at);
        return await JobFork.CopyAsync(storage, from, at, new JobHead
        {
            Id = id ?? JobId.Made(Random.Shared), AgentId = from.AgentId, AgentVersion = from.AgentVersion, Name = from.Name,
            Status = JobStatus.Suspended, Detail = $"forked from {from.Id} at {at}", Tenant = from.Tenant, Priority = from.Priority, Weight = from.Weight,
            Created = DateTimeOffset.UtcNow,
        });
    }
}
