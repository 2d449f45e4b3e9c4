namespace Millstream;

/// <summary>Creates, finds, lists and cancels jobs; owns their lifecycle, never their work. Disposing it stops jobs and cancels nothing.</summary>
public sealed partial class AgentOrchestrator : IAsyncDisposable
{
    /// <summary>The name of the source of spans and of the meter of everything that the library runs.</summary>
    public const string TelemetryName = "Millstream";

    private readonly Engine _engine;
    private readonly Lock _gate = new();
    private Task? _disposal;

    /// <summary>Makes an orchestrator.</summary>
    /// <exception cref="ArgumentException">An option has a value that it cannot have; the message names both.</exception>
    public AgentOrchestrator(OrchestratorOptions? options = null)
    {
        options ??= new OrchestratorOptions();
        options.Check();
        _engine = new Engine(options);
        foreach (Resource resource in _engine.Options.PoolResources)
            _engine.Fleet.AddToPool(resource);
        foreach (Worker worker in _engine.Options.Workers ?? [new Worker("local")])
            _engine.Fleet.Add(worker);
    }

    /// <summary>The agents that jobs may name by id.</summary>
    public AgentRegistry Agents => _engine.Options.Agents;

    /// <summary>The workers there are.</summary>
    public IReadOnlyList<Worker> Workers => _engine.Fleet.Workers();

    /// <summary>The resources there are, those of workers and pool-wide ones.</summary>
    public IReadOnlyList<Resource> Resources => _engine.Fleet.Resources();

    internal Engine Engine => _engine;

    /// <summary>Starts a job. With an id that is known already it gives that job: starting is idempotent.</summary>
    /// <exception cref="AgentContractException">Some type of the agent does not survive as JSON.</exception>
    /// <exception cref="InvalidOperationException">The id belongs to a job of another agent.</exception>
    public Task<Job<TOutput, TEvent, TSignal>> CreateJobAsync<TInput, TOutput, TEvent, TSignal>(
        Agent<TInput, TOutput, TEvent, TSignal> agent, TInput input, JobOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        options ??= new JobOptions();
        return _engine.IsDurable
            ? Outside.Run(async () => new Job<TOutput, TEvent, TSignal>(await StartStoredAsync(agent, input, options)))
            : Task.FromResult(new Job<TOutput, TEvent, TSignal>(Start(agent, input, options)));
    }

    /// <summary>Starts a job of a registered agent, with its input as JSON.</summary>
    /// <param name="agentId">The agent's id.</param>
    /// <param name="input">Its input.</param>
    /// <param name="options">How the job is started.</param>
    /// <param name="version">The agent's version, or one that it can run; null for the newest that was registered.</param>
    /// <exception cref="ArgumentException">No such agent is registered, or the input does not fit it.</exception>
    public Task<Job> CreateJobAsync(string agentId, System.Text.Json.JsonElement input, JobOptions? options = null, string? version = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(agentId);
        Agent agent = Agents.Find(agentId, version, _engine.Options.Services)
            ?? throw new ArgumentException($"There is no agent {agentId}{(version is null ? "" : $" of version {version}")}; registered are {string.Join(", ", Agents.List().Select(a => $"{a.Id} {a.Version}").DefaultIfEmpty("none"))}.", nameof(agentId));
        object? value = agent.ReadInput(input);
        options ??= new JobOptions();
        return _engine.IsDurable ? Outside.Run(async () => new Job(await StartStoredAsync(agent, value, options))) : Task.FromResult(new Job(Start(agent, value, options)));
    }

    /// <summary>The job of that id, or null where it is unknown.</summary>
    public Task<Job?> GetJobAsync(JobId id) => Outside.Run(async () => await FindAsync(id) is { } source ? new Job(source) : null);

    /// <summary>The job of that id with its types, or null where it is unknown.</summary>
    /// <exception cref="InvalidOperationException">The job belongs to an agent with other types.</exception>
    public Task<Job<TOutput, TEvent, TSignal>?> GetJobAsync<TInput, TOutput, TEvent, TSignal>(Agent<TInput, TOutput, TEvent, TSignal> agent, JobId id)
    {
        ArgumentNullException.ThrowIfNull(agent);
        return Outside.Run(async () => await FindAsync(id) is { } source ? new Job(source).As<TOutput, TEvent, TSignal>() : null);
    }

    /// <summary>The jobs that fit, oldest first.</summary>
    public async IAsyncEnumerable<JobSummary> ListJobsAsync(JobFilter? filter = null)
    {
        JobFilter wanted = filter ?? new JobFilter();
        HashSet<JobId> listed = [];
        if (_engine.Writer is { Storage: { } storage })
        {
            await foreach (JobHead head in storage.ListAsync(new JobHeadFilter { AgentId = wanted.AgentId, Since = wanted.Since, Children = wanted.Children }))
            {
                // What runs here is known better than what was written of it.
                JobSummary job = _engine.Jobs.Find(head.Id) is { } live ? Summary(live) : new JobSummary(head.Id, head.AgentId, head.AgentVersion, head.Status, head.Created, head.Ended, head.Tenant, head.Priority, head.Name);
                listed.Add(head.Id);
                if ((wanted.Status ?? job.Status) == job.Status)
                    yield return job;
            }
        }
        foreach (JobRunner runner in _engine.Jobs.All())
        {
            JobSummary job = Summary(runner);
            if (!listed.Contains(job.Id) && (wanted.Children || !job.Id.IsChild) && (wanted.Status ?? job.Status) == job.Status && (wanted.AgentId ?? job.AgentId) == job.AgentId && (wanted.Since is null || job.Created >= wanted.Since))
                yield return job;
        }
    }

    /// <summary>Cancels a job; <see cref="SignalResult.JobEnded"/> where it has ended or is unknown.</summary>
    public Task<SignalResult> CancelJobAsync(JobId id, string? reason = null) =>
        Outside.Run(async () => await FindAsync(id) is { } source ? await source.CancelAsync(reason) : SignalResult.JobEnded);

    /// <summary>Adds a worker; tasks that wait for what it offers start at once.</summary>
    /// <exception cref="ArgumentException">Its id, or that of a resource of it, is there already.</exception>
    public void AddWorker(Worker worker)
    {
        ArgumentNullException.ThrowIfNull(worker);
        _engine.Fleet.Add(worker);
    }

    /// <summary>Removes a worker: its tasks are told to stop and wait again, with their old place in line. False where there is no such worker.</summary>
    public bool RemoveWorker(string workerId) => _engine.Fleet.Remove(workerId);

    /// <summary>Takes a resource out of use: whoever leases it is told to stop and waits again.</summary>
    public void SetOffline(string resourceId, string reason) => _engine.Fleet.SetOffline(resourceId, reason);

    /// <summary>Takes a resource into use again.</summary>
    public void SetOnline(string resourceId) => _engine.Fleet.SetOnline(resourceId);

    /// <summary>Gives a resource to nobody new until then; who has it keeps it.</summary>
    /// <param name="resourceId">The resource's id.</param>
    /// <param name="until">When it may be given again.</param>
    /// <param name="reason">Why, for who waits.</param>
    public void CoolDown(string resourceId, DateTimeOffset until, string? reason = null) => _engine.Fleet.CoolDown(resourceId, until, reason);

    /// <summary>Stops all jobs where they are and what runs for them; cancels nothing.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            return new ValueTask(_disposal ??= Outside.Run(StopAsync));
    }

    private async Task StopAsync()
    {
        _engine.IsStopping = true;
        _engine.Durable?.StopHearing();
        await (_engine.Durable?.StopAsync() ?? Task.CompletedTask);
        List<(JobRunner Job, Task Turn)> stopping = [.. _engine.Jobs.All().Where(j => j.Ended is null).Select(j => (j, j.DetachAsync()))];
        _engine.Fleet.Dispose();
        foreach ((JobRunner job, Task turn) in stopping)
        {
            try
            {
                await turn.WaitAsync(turn.IsCompleted ? TimeSpan.Zero : _engine.Options.GracePeriod, _engine.Time);
            }
            catch (TimeoutException)
            {
                _engine.Log.TurnDoesNotEnd(job.Id, job.Agent.Id);
            }
        }
        await _engine.WhenQuietAsync();
        await _inbox;
        _engine.Writer?.Dispose();
    }

    private static JobSummary Summary(JobRunner runner) => new(
        runner.Id, runner.Agent.Id, runner.Agent.Version, runner.Status, new DateTimeOffset(runner.Created, TimeSpan.Zero),
        runner.Ended is null ? null : new DateTimeOffset(runner.EndedAt, TimeSpan.Zero), runner.Options.Tenant, runner.Options.Priority, runner.Options.Name);

    private JobRunner Start(Agent agent, object? input, JobOptions options)
    {
        ObjectDisposedException.ThrowIf(_engine.IsStopping, this);
        _ = agent.Contract;
        if (options.Id is { } id)
            CheckNew(id);
        JobRunner runner = new(_engine, options.Id ?? _engine.NewJobId(), agent, options) { WhenEnded = _engine.Jobs.Ended };
        object? copy = runner.Copy(agent.Contract.Input, input);
        if (!_engine.Jobs.TryAdd(runner, out JobRunner? known))
            return known.Agent.Id == agent.Id ? known : throw new InvalidOperationException($"Job {known.Id} belongs to agent {known.Agent.Id}, not {agent.Id}; use another id.");
        if (_engine.IsStopping)
            _ = runner.DetachAsync();
        runner.Enqueue(new StartDelivery(copy));
        return runner;
    }

    private static void CheckNew(JobId id)
    {
        if (id.IsChild || id == default)
            throw new ArgumentException($"'{id}' cannot be the id of a new job: {(id.IsChild ? "that of a child is given by its parent" : "it is empty")}; use {nameof(JobId)}.{nameof(JobId.Parse)}, or leave {nameof(JobOptions)}.{nameof(JobOptions.Id)} out.", "options");
    }
}
