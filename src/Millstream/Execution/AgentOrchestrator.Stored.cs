using System.Text.Json;

namespace Millstream;

/// <content>Jobs in a store: becoming a runner, taking up what dead runners left, hearing other processes.</content>
public sealed partial class AgentOrchestrator
{
    private static readonly TimeSpan InboxPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task? _start;
    private Task _inbox = Task.CompletedTask;
    private readonly SemaphoreSlim _claiming = new(1);
    private TaskCompletionSource _offered = new();
    private bool _isClaimInDoubt;

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
        IJournalStorage storage = Storage();
        return Outside.Run(() => ClaimAsync(storage, id, token));
    }

    private IJournalStorage Storage()
    {
        IJournalStorage storage = _engine.Writer?.Storage ?? throw new InvalidOperationException($"{nameof(OrchestratorOptions)}.{nameof(OrchestratorOptions.Journal)} is not set, so there is nothing to take up.");
        return _start is { IsCompletedSuccessfully: true } ? storage : throw new InvalidOperationException($"Call {nameof(StartAsync)} first, and await it: it makes this process a runner of {storage.Location}.");
    }

    private async Task BecomeRunnerAsync(CancellationToken token)
    {
        IJournalStorage storage = _engine.Writer!.Storage;
        _engine.RunnerEpoch = await storage.OpenRunnerAsync(token);
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.LeaseRunnerForgotten))
#endif
        _engine.Fleet.SetRunner(_engine.RunnerEpoch);
        if (_engine.Options.Claim)
            await ClaimAsync(storage, null, token);
        _inbox = HearAsync(storage);
    }

    private async Task<IReadOnlyList<Job>> ClaimAsync(IJournalStorage storage, JobId? id, CancellationToken token)
    {
        await _claiming.WaitAsync(token);
        try
        {
            Dictionary<JobId, JobHead> claimed = await ClaimHeadsAsync(storage, id, token);
            IReadOnlyList<Job> jobs = await RecoverAsync(storage, claimed, token);
            _isClaimInDoubt = false;
            return jobs;
        }
        finally
        {
            _claiming.Release();
        }
    }

    // What was claimed before the store failed is this runner's and nobody runs it, so the next one that claims looks for it.
    private async Task<Dictionary<JobId, JobHead>> ClaimHeadsAsync(IJournalStorage storage, JobId? id, CancellationToken token)
    {
        bool isInDoubt = _isClaimInDoubt;
#if MILLSTREAM_PLANTED_BUGS
        isInDoubt &= !PlantedBugs.Is(Bug.BrokenClaimForgotten);
#endif
        _isClaimInDoubt = true;
        Dictionary<JobId, JobHead> claimed = (await storage.ClaimAsync(_engine.RunnerEpoch, id, token)).ToDictionary(h => h.Id);
        if (!isInDoubt)
            return claimed;
        await foreach (JobHead head in storage.ListAsync(new JobHeadFilter { Ended = false, Children = true }, token))
        {
            if (head.Runner == _engine.RunnerEpoch && (id is null || head.Id == id) && _engine.Jobs.Find(head.Id) is null or { IsStopped: true })
                claimed.TryAdd(head.Id, head);
        }
        return claimed;
    }

    private async Task<IReadOnlyList<Job>> RecoverAsync(IJournalStorage storage, Dictionary<JobId, JobHead> claimed, CancellationToken token)
    {
        Recovery recovery = new();
        List<Job> jobs = [];
        List<Task> recoveries = [];
        // A child goes on with its parent, which asks for it.
        foreach (JobHead head in claimed.Values.Where(h => !h.Id.IsChild))
        {
            try
            {
                RecoveredJob job = await Recovery.ReadAsync(storage, head, token);
                await recovery.ReadChildrenAsync(storage, _engine.RunnerEpoch, job, claimed, token);
                (Job goesOn, Task whenDone) = Recover(job, recovery);
                jobs.Add(goesOn);
                recoveries.Add(whenDone);
            }
            catch (JournalDamagedException e)
            {
                // One damaged job keeps no other from going on.
                _engine.Log.JobSuspended(head.Id, e.Message);
                jobs.Add(new Job(new StoredJob(storage, head, null, Hear)));
            }
        }
        // Their children are known then, too.
        foreach (Task recovered in recoveries)
            await recovered;
        return jobs;
    }

    private (Job Job, Task WhenDone) Recover(RecoveredJob job, Recovery recovery)
    {
        JobHead head = job.State.Head;
        Agent? agent = Agents.Find(head.AgentId, head.AgentVersion, _engine.Options.Services);
        if (agent is null)
        {
            _engine.Log.JobSuspended(head.Id, $"agent {head.AgentId} {head.AgentVersion} is not registered here");
            return (new Job(new StoredJob(_engine.Writer!.Storage, head, null, Hear)), Task.CompletedTask);
        }
        JobRunner runner = new(_engine, head.Id, agent, Recovery.OptionsOf(head), null, job.State) { WhenEnded = _engine.Jobs.Ended, Recovery = recovery };
        if (!_engine.Jobs.TryAdd(runner, out JobRunner? known) && !known.IsStopped)
            return (new Job(known), Task.CompletedTask);
        // One that this process had before and lost is another.
        _engine.Jobs.Put(runner);
        runner.Enqueue(new JobRunner.RecoverDelivery(job.Entries, 0));
        return (new Job(runner), runner.Recovered);
    }

    /// <summary>Delivers what other processes have put into the inboxes of the jobs of this one.</summary>
    private async Task HearAsync(IJournalStorage storage)
    {
        try
        {
            while (true)
            {
                Task offered = Volatile.Read(ref _offered).Task;
                if (!await TakeInboxesAsync(storage, offered))
                    await Task.Delay(InboxPause, _engine.Time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process is going.
        }
    }

    /// <summary>Delivers what lies there, and waits for more; false when the store failed.</summary>
    private async Task<bool> TakeInboxesAsync(IJournalStorage storage, Task offered)
    {
        try
        {
            foreach (InboxEntry entry in await storage.ReadInboxAsync(_engine.RunnerEpoch, _stopping.Token))
            {
                if (_engine.Jobs.Find(entry.Job) is { } runner && runner.IsNewInInbox(entry.Number))
                    Deliver(runner, entry);
            }
            await await Task.WhenAny(storage.WaitForChangeAsync(_stopping.Token), offered);
            return true;
        }
        catch (JournalStorageException e)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.DeafAfterFailure)) await new TaskCompletionSource().Task;
#endif
            _engine.Log.InboxFailed(e);
            return false;
        }
    }

    // Whoever offered must not run on with what follows from it.
    private void Hear() => _engine.Executor.Schedule(new Offered(this));

    private static void Deliver(JobRunner runner, InboxEntry entry)
    {
        InboxItem item = entry.Item;
        try
        {
            switch (item.Kind)
            {
                case InboxKind.Signal:
                    runner.Enqueue(new SignalDelivery(runner.Contract.Signal.Read(item.Payload.Span), item.SenderId) { InboxNumber = entry.Number });
                    return;
                case InboxKind.Cancel:
                    runner.Enqueue(new CancelDelivery(JsonSerializer.Deserialize<string>(item.Payload.Span)) { InboxNumber = entry.Number });
                    return;
                case InboxKind.Answer:
#if MILLSTREAM_PLANTED_BUGS
                    if (PlantedBugs.Is(Bug.AnswerBeforeReplay) && runner.Question(JsonSerializer.Deserialize<JsonElement>(item.Payload.Span).GetProperty("question").GetString()!) is null) return;
#endif
                    // A job that is being brought back does not know its questions yet; its mailbox has them when this is taken out of it.
                    runner.Enqueue(new InboxAnswerDelivery(JsonSerializer.Deserialize<JsonElement>(item.Payload.Span), entry.Number));
                    return;
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or NotSupportedException or KeyNotFoundException)
        {
            runner.Engine.Log.InboxItemRefused(runner.Id, e.Message);
        }
        runner.Enqueue(new RefusedDelivery(entry.Number));
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
        IJournalStorage storage = Storage();
        if (Agents.Find(agent.Id, agent.Version, _engine.Options.Services) is null)
            throw new ArgumentException($"Agent {agent.Id} {agent.Version} is not registered, so after a crash nobody could find its code; add it to {nameof(OrchestratorOptions)}.{nameof(OrchestratorOptions.Agents)}, or use services.AddAgent<{agent.GetType().Name}>().", nameof(agent));
        if (options.Id is { } id && await FindStoredAsync(id) is { } known)
            return Same(known, agent);
        JobRunner runner = Start(agent, _engine.Copy(agent.Contract.Input, input), options);
        if (await WhenStoredAsync(runner) is { } stored)
            return stored;
        return await FindStoredAsync(runner.Id) is { } other ? Same(other, agent) : throw new JournalStorageException($"Job {runner.Id} was there and is gone; start it again.");
    }

    private async Task<IJobSource?> FindStoredAsync(JobId id)
    {
        if (_engine.Jobs.Find(id) is { } runner)
            return runner;
        if (_engine.Writer is not { Storage: { } storage } || await storage.FindAsync(id) is not { } head)
            return null;
        return new StoredJob(storage, head, Agents.Find(head.AgentId, head.AgentVersion, _engine.Options.Services)?.Contract, Hear);
    }

    private static IJobSource Same(IJobSource known, Agent agent) => known.AgentId == agent.Id ? known
        : throw new InvalidOperationException($"Job {known.Id} belongs to agent {known.AgentId}, not {agent.Id}; use another id.");

    private sealed class Offered(AgentOrchestrator orchestrator) : IThreadPoolWorkItem
    {
        public void Execute() => Interlocked.Exchange(ref orchestrator._offered, new TaskCompletionSource()).TrySetResult();
    }

    private sealed class InboxAnswerDelivery(JsonElement answer, long number) : Delivery
    {
        public override void Deliver(JobRunner runner)
        {
            Task<SignalResult>? answered = null;
            try
            {
                answered = runner.Question(answer.GetProperty("question").GetString()!)?.AnswerAsync(answer.GetProperty("reply"), number);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException or KeyNotFoundException)
            {
                runner.Engine.Log.InboxItemRefused(runner.Id, e.Message);
            }
            if (answered is null)
                runner.TakeFromInbox(number);
            else if (answered is { IsCompletedSuccessfully: true, Result: SignalResult.UnknownQuestion })
                // Another answer is on its way: this one stays in the inbox until that one is recorded.
                runner.Enqueue(new RefusedDelivery(number));
        }
    }

    private sealed class RefusedDelivery(long number) : Delivery
    {
        public override void Deliver(JobRunner runner) => runner.TakeFromInbox(number);
    }
}
