using System.Text.Json;

namespace Millstream;

/// <content>Jobs in a store: becoming a runner, taking up what dead runners left, hearing other processes.</content>
public sealed partial class AgentOrchestrator
{
    private static readonly TimeSpan InboxPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task? _start;
    private Task _inbox = Task.CompletedTask;
    private TaskCompletionSource _offered = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
        if (_engine.Options.Claim)
            await ClaimAsync(storage, null, token);
        _inbox = HearAsync(storage);
    }

    private async Task<IReadOnlyList<Job>> ClaimAsync(IJournalStorage storage, JobId? id, CancellationToken token)
    {
        Recovery recovery = new();
        _engine.Recovery = recovery;
        Dictionary<JobId, JobHead> claimed = (await storage.ClaimAsync(_engine.RunnerEpoch, id, token)).ToDictionary(h => h.Id);
        List<Job> jobs = [];
        List<Task> recoveries = [];
        // A child goes on with its parent, which asks for it.
        foreach (JobHead head in claimed.Values.Where(h => !h.Id.IsChild))
        {
            try
            {
                RecoveredJob job = await Recovery.ReadAsync(storage, head, token);
                await recovery.ReadChildrenAsync(storage, _engine.RunnerEpoch, job, claimed, token);
                (Job recovered, Task whenDone) = Recover(job);
                jobs.Add(recovered);
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
        await Task.WhenAll(recoveries);
        // What lies in their inboxes was accepted: the store tells nobody of changes that this process made.
        Hear();
        return jobs;
    }

    private (Job Job, Task WhenDone) Recover(RecoveredJob job)
    {
        JobHead head = job.State.Head;
        Agent? agent = Agents.Find(head.AgentId, head.AgentVersion, _engine.Options.Services);
        if (agent is null)
        {
            _engine.Log.JobSuspended(head.Id, $"agent {head.AgentId} {head.AgentVersion} is not registered here");
            return (new Job(new StoredJob(_engine.Writer!.Storage, head, null, Hear)), Task.CompletedTask);
        }
        JobRunner runner = new(_engine, head.Id, agent, Recovery.OptionsOf(head), null, job.State) { WhenEnded = _engine.Jobs.Ended };
        if (!_engine.Jobs.TryAdd(runner, out JobRunner? known))
            return (new Job(known), Task.CompletedTask);
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
                await (await TakeInboxesAsync(storage)
                    ? await Task.WhenAny(storage.WaitForChangeAsync(_stopping.Token), offered)
                    : Task.Delay(InboxPause, _engine.Time, _stopping.Token));
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process is going.
        }
    }

    private async Task<bool> TakeInboxesAsync(IJournalStorage storage)
    {
        try
        {
            foreach (InboxEntry entry in await storage.ReadInboxAsync(_engine.RunnerEpoch, _stopping.Token))
            {
                if (_engine.Jobs.Find(entry.Job) is { } runner && runner.IsNewInInbox(entry.Number))
                    Deliver(runner, entry);
            }
            return true;
        }
        catch (JournalStorageException e)
        {
            _engine.Log.InboxFailed(e);
            return false;
        }
    }

    private void Hear() => Interlocked.Exchange(ref _offered, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

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
                    JsonElement answer = JsonSerializer.Deserialize<JsonElement>(item.Payload.Span);
                    if (runner.Question(answer.GetProperty("question").GetString()!)?.AnswerAsync(answer.GetProperty("reply"), entry.Number) is not { IsCompletedSuccessfully: true } refused || refused.Result != SignalResult.UnknownQuestion)
                        return;
                    break;
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

    private sealed class RefusedDelivery(long number) : Delivery
    {
        public override void Deliver(JobRunner runner) => runner.TakeFromInbox(number);
    }
}
