namespace Millstream;

/// <summary>The jobs that this process runs for a store: takes them up, lets those leave memory that wait, and brings them back.</summary>
internal sealed partial class DurableJobs(Engine engine, IJournalStorage storage)
{
    private readonly SemaphoreSlim _claiming = new(1);
    private bool _isClaimInDoubt;

    /// <summary>Takes up open jobs that no living process has.</summary>
    /// <param name="id">Only this one, whatever its past; null for all.</param>
    /// <param name="token">Stops looking for more.</param>
    public async Task<IReadOnlyList<IJobSource>> ClaimAsync(JobId? id, CancellationToken token)
    {
        await _claiming.WaitAsync(token);
        try
        {
            IReadOnlyList<IJobSource> jobs = await TakeUpAsync(await ClaimHeadsAsync(id, token), id, token);
            _isClaimInDoubt = false;
            return jobs;
        }
        finally
        {
            _claiming.Release();
        }
    }

    // What was claimed before the store failed is this runner's and nobody runs it, so the next one that claims looks for it.
    private async Task<Dictionary<JobId, JobHead>> ClaimHeadsAsync(JobId? id, CancellationToken token)
    {
        bool isInDoubt = _isClaimInDoubt;
        _isClaimInDoubt = true;
        Dictionary<JobId, JobHead> claimed = (await storage.ClaimAsync(engine.RunnerEpoch, id, token)).ToDictionary(h => h.Id);
        if (!isInDoubt)
            return claimed;
        await foreach (JobHead head in storage.ListAsync(new JobHeadFilter { Ended = false, Children = true }, token))
        {
            if (head.Runner == engine.RunnerEpoch && (id is null || head.Id == id) && !IsDormant(head.Id) && engine.Jobs.Find(head.Id) is null or { IsStopped: true })
                claimed.TryAdd(head.Id, head);
        }
        return claimed;
    }

    private async Task<IReadOnlyList<IJobSource>> TakeUpAsync(Dictionary<JobId, JobHead> claimed, JobId? id, CancellationToken token)
    {
        List<IJobSource> jobs = [];
        List<Task> recoveries = [];
        // A child goes on with its parent, which asks for it. Those that were at work come first.
        foreach (JobHead head in claimed.Values.Where(h => !h.Id.IsChild).OrderBy(h => h.IsIdle))
        {
            // Who waited has not brought the process down, and who is asked for by name gets all its restarts again.
            int restarts = id is not null || head.IsIdle ? 0 : head.Restarts;
            if (restarts > engine.Options.Restarts.Attempts)
            {
                jobs.Add(await SetAsideAsync(head, $"its process ended {restarts} times while it was at work and before it got any further; look at what it does, then resume it by its id (OrchestratorOptions.Restarts.Attempts is {engine.Options.Restarts.Attempts})", token));
            }
            else if (id is null && (head.IsIdle || restarts > 1))
            {
                AddDormant(head, restarts);
                jobs.Add(new LiveJob(this, head, Stored(head).Contract));
            }
            else
            {
                IJobSource job = await BringAsync(head with { Restarts = restarts }, claimed, null, token);
                jobs.Add(job is JobRunner runner ? new LiveJob(this, runner) : job);
                recoveries.Add((job as JobRunner)?.Recovered ?? Task.CompletedTask);
            }
        }
        // One that nobody here asks for is its parent's, who may run elsewhere and has to find it.
        foreach (JobHead head in claimed.Values.Where(h => h.Id.IsChild && !claimed.ContainsKey(h.Id.Root) && engine.Jobs.Find(h.Id.Root) is null && !IsDormant(h.Id)))
            await AppendHeadAsync(head with { Runner = 0 }, await LastAsync(head, token), token);
        // Their children are known then, too.
        foreach (Task recovered in recoveries)
            await recovered;
        Hear();
        return jobs;
    }

    /// <summary>A job's source for outsiders, or null where the store does not know it.</summary>
    public async Task<IJobSource?> FindAsync(JobId id)
    {
        if (engine.Jobs.Find(id) is { HasLeft: false } runner)
            return new LiveJob(this, runner);
        if (await storage.FindAsync(id) is not { } head)
            return null;
        StoredJob stored = Stored(head);
        return IsDormant(id) ? new LiveJob(this, head, stored.Contract) : stored;
    }

    private StoredJob Stored(JobHead head) => new(engine, storage, head, engine.Options.Agents.Find(head.AgentId, head.AgentVersion, engine.Options.Services)?.Contract, Hear);

    /// <summary>Reads a job and starts its replay; where that cannot be, it is set aside with the reason.</summary>
    private async Task<IJobSource> BringAsync(JobHead head, IReadOnlyDictionary<JobId, JobHead> claimed, DormantJob? dormant, CancellationToken token)
    {
        if (engine.Options.Agents.Find(head.AgentId, head.AgentVersion, engine.Options.Services) is not { } agent)
            return await SetAsideAsync(head, $"agent {head.AgentId} {head.AgentVersion} is not registered here", token);
        Recovery recovery = new(dormant is null ? 0 : TimeOf(dormant));
        RecoveredJob job;
        try
        {
            job = recovery.NotBefore(await Recovery.ReadAsync(storage, head, 0, token));
            // It ended here while the heads of a claim that the store had broken off were looked through.
            if (job.Ending is not null)
                return Stored(await storage.FindAsync(head.Id, token) ?? head);
            await recovery.ReadChildrenAsync(storage, engine.RunnerEpoch, job, claimed, dormant, token);
        }
        catch (JournalDamagedException e)
        {
            // One damaged job keeps no other from going on.
            return await SetAsideAsync(head, e.Message, token);
        }
        // If it now brings the process down, the next one must know that it was at work.
        if (head.IsIdle && await AppendHeadAsync(head with { Status = JobStatus.Running, IsIdle = false, Detail = null }, job.State.Last, token) != AppendResult.Appended)
            return Stored(head);
        JobRunner runner = new(engine, head.Id, agent, Recovery.OptionsOf(head), null, job.State) { WhenEnded = engine.Jobs.Ended, Recovery = recovery, Ties = dormant?.TiesOf(head.Id) ?? new JobTies() };
        // Before anybody can find it, so that nothing is delivered first.
        runner.TryEnqueueInline(new JobRunner.RecoverDelivery(job.Entries, 0));
        if (!engine.Jobs.TryAdd(runner, out JobRunner? known) && !known.IsStopped)
            return known;
        // One that this process had before and lost is another.
        engine.Jobs.Put(runner);
        if (engine.IsStopping)
            _ = runner.DetachAsync();
        engine.Executor.Schedule(runner);
        return runner;
    }

    /// <summary>Gives a claimed job away: it waits, with the reason, until somebody resumes it.</summary>
    private async Task<StoredJob> SetAsideAsync(JobHead head, string reason, CancellationToken token)
    {
        engine.Log.JobSuspended(head.Id, reason);
        JobHead aside = head with { Status = JobStatus.Suspended, Detail = reason, Runner = 0, IsIdle = false };
        await AppendHeadAsync(aside, await LastAsync(head, token), token);
        return Stored(aside);
    }

    private async Task<long> LastAsync(JobHead head, CancellationToken token)
    {
        long last = 0;
        await foreach (JournalRecord record in storage.ReadAsync(head.Id, Math.Max(1, head.Checkpoint), token))
            last = record.First + record.Count - 1;
        return last;
    }

    private async Task<AppendResult> AppendHeadAsync(JobHead head, long last, CancellationToken token) =>
        (await storage.AppendAsync([new JobAppend { Job = head.Id, Epoch = head.Epoch, Record = new JournalRecord(last + 1, 0, default), Head = head }], token))[0];
}
