namespace Millstream;

/// <content>New jobs that begin with what another one has done.</content>
internal sealed partial class DurableJobs
{
    /// <summary>Makes a new job of the first entries of another one, and takes it up.</summary>
    public async Task<IJobSource> ForkAsync(JobId id, long at, JobOptions? options)
    {
        ObjectDisposedException.ThrowIf(engine.IsStopping, typeof(AgentOrchestrator));
        JobHead from = await storage.FindAsync(id) ?? throw new ArgumentException($"There is no job {id} in {storage.Location}.", nameof(id));
        await JobFork.CheckAsync(storage, from, at, _stopping.Token);
        options ??= Recovery.OptionsOf(from) with { Id = null, Deadline = null };
        JobHead fork = new()
        {
            Id = options.Id ?? engine.NewJobId(), AgentId = from.AgentId, AgentVersion = from.AgentVersion, Name = options.Name, Status = JobStatus.Running,
            Tenant = options.Tenant, Priority = options.Priority, Weight = options.Weight, Deadline = options.Deadline,
            Created = new DateTimeOffset(engine.UtcTicks, TimeSpan.Zero), Runner = engine.RunnerEpoch,
        };
        fork = await JobFork.CopyAsync(storage, from, at, fork, _stopping.Token);
        IJobSource job = await BringAsync(fork, new Dictionary<JobId, JobHead>(), null, _stopping.Token);
        if (job is not JobRunner runner)
            return job;
        await runner.Recovered;
        Hear();
        return new LiveJob(this, runner);
    }
}
