namespace Millstream.Tests;

/// <summary>Jobs whose process, or store, fails on the way: what the simulation found.</summary>
public sealed class LostJobTests : IAsyncLifetime
{
    private MemoryJournalStorage _storage = new();
    private readonly List<AgentOrchestrator> _orchestrators = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (AgentOrchestrator orchestrator in _orchestrators)
            await orchestrator.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task Reader_ThatBeginsBehindTheEndOfAJobOfAStore_Ends()
    {
        TestAgent<string, string> agent = Agents.Make(_ => Task.FromResult(""));
        AgentOrchestrator one = await StartAsync(_storage, agent);
        Job<string, string, string> job = await one.StartAsync(agent, "");
        await job.Completion;
        AgentOrchestrator other = await StartAsync(_storage.Reopen(), agent);
        Assert.Empty(await (await other.GetJobAsync(job.Id))!.AllAsync(from: 100));
    }

    [Fact]
    public async Task Lease_OfALaterProcess_HasAHigherEpoch()
    {
        List<LeaseEpoch> epochs = [];
        AgentTask<string, string> task = AgentTask.Create<string, string>("leases", (_, context) =>
        {
            epochs.Add(context.Lease.Epoch);
            return Task.FromResult("");
        }, [ResourceRequirement.Exclusive("thing")]);
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(task, ""));
        for (int life = 0; life < 2; life++)
        {
            AgentOrchestrator orchestrator = await StartAsync(_storage, agent);
            orchestrator.AddWorker(new Worker("w", [new PlainResource("t", "thing")]));
            await (await orchestrator.StartAsync(agent, "")).Completion;
            await RestartAsync(orchestrator);
        }
        Assert.True(epochs[0] < epochs[1], $"{epochs[0]} and then {epochs[1]}");
    }

    [Fact]
    public async Task Task_ThatFailedBeforeACrash_GetsNoMoreAttemptsThanItsPolicy()
    {
        int attempts = 0;
        AgentTask<string, string> task = AgentTask.Create<string, string>("fails", (_, context) =>
        {
            attempts = context.Attempt;
            throw new InvalidDataException("again");
        }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.FromDays(1) } });
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(task, ""));
        AgentOrchestrator orchestrator = await StartAsync(_storage, agent);
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.TaskRetried);
        await RestartAsync(orchestrator);
        orchestrator = await StartAsync(_storage, agent);
        Assert.IsType<JobEnding.Failed>(await (await orchestrator.GetJobAsync(job.Id))!.Ending);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task Resume_WhoseStoreFailedOnTheWay_TakesTheJobsUpTheNextTime()
    {
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("on?"))).ToString());
        AgentOrchestrator dead = await StartAsync(_storage, agent);
        Job<string, string, string> job = await dead.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        UnreadableStorage storage = new(_storage.Reopen());
        AgentOrchestrator orchestrator = await StartAsync(storage, agent);
        await RestartAsync(dead);
        storage.IsUnreadable = true;
        await Assert.ThrowsAsync<JournalStorageException>(() => orchestrator.ResumeAsync(job.Id));
        storage.IsUnreadable = false;
        Job again = Assert.Single(await orchestrator.ResumeAsync(job.Id));
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("q1", true));
        Assert.IsType<JobEnding.Completed>(await again.Ending);
        Assert.Empty(await orchestrator.ResumeAsync());
    }

    [Fact]
    public async Task Job_ThatCannotBeReadWhenItComesBack_KeepsWhoWaitsForItsEnd()
    {
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("on?"))).ToString());
        UnreadableStorage storage = new(_storage);
        AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(agent), Limits = new OrchestratorLimits { WaitingJobs = 0 } });
        await orchestrator.StartAsync();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        Task<string> completion = job.Completion;
        while (orchestrator.Engine.Durable!.DormantCount == 0)
            await Task.Delay(1);
        storage.IsUnreadable = true;
        await Assert.ThrowsAsync<JournalStorageException>(() => job.AnswerAsync("q1", true));
        storage.IsUnreadable = false;
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("q1", true));
        Assert.Equal("True", await completion);
        await orchestrator.DisposeAsync();
    }

    [Fact]
    public async Task Job_ThatAnotherProcessTook_LeavesItsPlaceToOthers()
    {
        TestAgent<string, string> holds = new((_, c) => c.RunAsync(Agents.Forever, ""), "holds"), short_ = new((_, c) => c.RunAsync(Agents.Echo, "x"), "short");
        AgentOrchestrator one = await StartAsync(_storage, 1, holds, short_);
        Job<string, string, string> lost = await one.StartAsync(holds, "");
        await lost.UntilAsync(JobEventKinds.TaskStarted);
        // As one that took this process for dead does: the job has its epoch and its runner.
        JobHead head = (await _storage.FindAsync(lost.Id))!;
        long entries = 0;
        await foreach (JournalRecord record in _storage.ReadAsync(lost.Id, 1))
            entries += record.Count;
        await _storage.AppendAsync([new JobAppend { Job = lost.Id, Epoch = head.Epoch, Record = new JournalRecord(entries + 1, 0, default), Head = head with { Runner = 0 } }]);
        MemoryJournalStorage other = _storage.Reopen();
        Assert.Single(await other.ClaimAsync(await other.OpenRunnerAsync(), lost.Id));
        await Assert.ThrowsAnyAsync<Exception>(() => lost.SignalAsync("so that it hears of it"));
        Assert.Equal("x", await (await one.StartAsync(short_, "")).Completion);
    }

    private Task<AgentOrchestrator> StartAsync(IJournalStorage storage, params Agent[] agents) => StartAsync(storage, 64, agents);

    private async Task<AgentOrchestrator> StartAsync(IJournalStorage storage, int slots, params Agent[] agents)
    {
        AgentRegistry registry = new();
        foreach (Agent agent in agents)
            registry.Add(agent);
        AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = registry, Workers = [new Worker("local", [], slots)], GracePeriod = TimeSpan.FromMilliseconds(100) });
        _orchestrators.Add(orchestrator);
        await orchestrator.StartAsync();
        return orchestrator;
    }

    private async Task RestartAsync(AgentOrchestrator orchestrator)
    {
        await orchestrator.DisposeAsync();
        await _storage.DisposeAsync();
        _storage = _storage.Reopen();
    }

    /// <summary>A store that cannot be read for a while.</summary>
    private sealed class UnreadableStorage(IJournalStorage inner) : IJournalStorage
    {
        public bool IsUnreadable { get; set; }

        public string Location => inner.Location;

        public Task<long> OpenRunnerAsync(CancellationToken token = default) => inner.OpenRunnerAsync(token);

        public Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default) => inner.AppendAsync(batch, token);

        public IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, CancellationToken token = default) =>
            IsUnreadable ? throw new JournalStorageException("it cannot be read") : inner.ReadAsync(job, from, token);

        public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => inner.ReadBlobAsync(job, hash, token);

        public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => inner.FindAsync(job, token);

        public IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, CancellationToken token = default) => inner.ListAsync(filter, token);

        public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => inner.ClaimAsync(runner, job, token);

        public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) => inner.ReadLivingRunnersAsync(token);

        public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default) => inner.OfferAsync(job, item, token);

        public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => inner.ReadInboxAsync(runner, token);

        public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => inner.RemoveAsync(job, token);

        public Task WaitForChangeAsync(CancellationToken token = default) => inner.WaitForChangeAsync(token);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
