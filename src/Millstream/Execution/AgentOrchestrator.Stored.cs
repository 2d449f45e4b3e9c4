namespace Millstream;

/// <content>Jobs in a store: becoming a runner, taking up what dead runners left.</content>
public sealed partial class AgentOrchestrator
{
    // A job is not kept waiting for what only makes it faster.
    private static readonly TimeSpan MostLoading = TimeSpan.FromMilliseconds(250);

    private Task? _start;
    private Task _inbox = Task.CompletedTask;

    /// <summary>
    /// Makes this process a runner of its journal and takes up the open jobs that no living process has (unless <see cref="OrchestratorOptions.Claim"/> is false). To be
    /// called once before the first job; without a journal it does nothing.
    /// </summary>
    /// <exception cref="JournalStorageException">The store cannot be used.</exception>
    public Task StartAsync(CancellationToken token = default)
    {
        lock (_gate)
            return _start ??= _engine.Writer is null ? Task.CompletedTask : Outside.Run(() => BecomeRunnerAsync(token));
    }

    /// <summary>Takes up open jobs that no living process has.</summary>
    /// <param name="id">Only this one; null for all.</param>
    /// <param name="token">Stops looking for more.</param>
    /// <returns>The jobs that go on here, or are suspended with their reason.</returns>
    public Task<IReadOnlyList<Job>> ResumeAsync(JobId? id = null, CancellationToken token = default)
    {
        DurableJobs jobs = Durable();
        return Outside.Run(async () => (IReadOnlyList<Job>)[.. (await jobs.ClaimAsync(id, token)).Select(j => new Job(j))]);
    }

    /// <summary>
    /// Starts a new job that begins with the entries 1 to <paramref name="at"/> of another one, open or ended, and goes on from there: what is in them is not done again, and
    /// the other job is left as it is. The body gets the same ids and random numbers as in the other job; children that had not ended by then start anew.
    /// </summary>
    /// <param name="id">The other job.</param>
    /// <param name="at">The number of the last entry that is kept: one that ends a turn, or a note between two.</param>
    /// <param name="options">How the new job is started; null for tenant, priority, weight and name of the other one, without a deadline.</param>
    /// <returns>The new job; suspended with the reason where the code there is asks for something else than those entries hold.</returns>
    /// <exception cref="ArgumentException">There is no such job, or no fork can begin behind that entry; the message names the nearest numbers.</exception>
    /// <exception cref="InvalidOperationException">There is a job with the id of the options already.</exception>
    public Task<Job> ForkJobAsync(JobId id, long at, JobOptions? options = null)
    {
        DurableJobs jobs = Durable();
        if (options?.Id is { } own)
            CheckNew(own);
        return Outside.Run(async () => new Job(await jobs.ForkAsync(id, at, options)));
    }

    private DurableJobs Durable()
    {
        DurableJobs jobs = _engine.Durable ?? throw new InvalidOperationException($"{nameof(OrchestratorOptions)}.{nameof(OrchestratorOptions.Journal)} is not set, so there is nothing to take up.");
        return _start is { IsCompletedSuccessfully: true } ? jobs : throw new InvalidOperationException($"Call {nameof(StartAsync)} first, and await it: it makes this process a runner of {_engine.Writer!.Storage.Location}.");
    }

    private async Task BecomeRunnerAsync(CancellationToken token)
    {
        _engine.RunnerEpoch = await _engine.Writer!.Storage.OpenRunnerAsync(token);
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.LeaseRunnerForgotten))
#endif
        _engine.Fleet.SetRunner(_engine.RunnerEpoch);
        if (_engine.Options.Claim)
            await _engine.Durable!.ClaimAsync(null, token);
        _inbox = _engine.Durable!.HearAsync();
    }

    /// <summary>Waits until a job's first record is stored.</summary>
    private async Task<JobRunner?> WhenStoredAsync(JobRunner runner)
    {
        AppendResult result = await runner.Stored;
        if (result == AppendResult.Appended)
            return runner;
        _engine.Jobs.Remove(runner);
        if (result == AppendResult.Conflict)
            return null;
        throw new JournalStorageException(runner.Suspended ?? $"Job {runner.Id} could not be stored in {_engine.Writer!.Storage.Location}.");
    }

    /// <summary>Starts a job in the store, or gives the one that has the id.</summary>
    private async Task<IJobSource> StartStoredAsync(Agent agent, object? input, JobOptions options)
    {
        DurableJobs jobs = Durable();
        if (Agents.Find(agent.Id, agent.Version, _engine.Options.Services) is null)
            throw new ArgumentException($"Agent {agent.Id} {agent.Version} is not registered, so after a crash nobody could find its code; add it to {nameof(OrchestratorOptions)}.{nameof(OrchestratorOptions.Agents)}, or use services.AddAgent<{agent.GetType().Name}>().", nameof(agent));
        if (options.Id is { } id && await jobs.FindAsync(id) is { } known)
            return Same(known, agent);
        if (agent.Operation == Agent.WorkflowOperation && _engine.Durations.LoadAsync(_engine.Writer!.Storage, agent, agent.NameFor(input)) is { IsCompleted: false } loading)
            await Task.WhenAny(loading, Task.Delay(MostLoading, _engine.Time));
        JobRunner runner = Start(agent, input, options);
        if (await WhenStoredAsync(runner) is { } stored)
            return new LiveJob(jobs, stored);
        return await jobs.FindAsync(runner.Id) is { } other ? Same(other, agent) : throw new JournalStorageException($"Job {runner.Id} was there and is gone; start it again.");
    }

    private async Task<IJobSource?> FindAsync(JobId id) => _engine.Durable is { } jobs ? await jobs.FindAsync(id) : _engine.Jobs.Find(id);

    private static IJobSource Same(IJobSource known, Agent agent) => known.AgentId == agent.Id ? known
        : throw new InvalidOperationException($"Job {known.Id} belongs to agent {known.AgentId}, not {agent.Id}; use another id.");
}
