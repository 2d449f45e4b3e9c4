namespace Millstream;

/// <summary>One way to lease a resource in a contract test.</summary>
internal sealed class ResourceRun : IAsyncDisposable
{
    private readonly ResourceContractOptions _options;
    private readonly SemaphoreSlim _inUse = new(0);
    private readonly int _before;

    public ResourceRun(Resource resource, ResourceContractOptions options)
    {
        (Resource, _options, _before) = (resource, options, options.CountOpen?.Invoke() ?? 0);
        // What tasks share belongs to all workers, as an endpoint does.
        Host = new TestHost(resource.Capacity > 1 ? new OrchestratorOptions { PoolResources = [resource] } : new OrchestratorOptions { Workers = [new Worker("worker", [resource])] }) { Patience = options.Patience };
    }

    public Resource Resource { get; }

    public TestHost Host { get; }

    public List<string> Faults { get; } = [];

    /// <summary>What the leases gave: sessions, or the resource.</summary>
    public List<object> Given { get; } = [];

    /// <summary>When tasks got it.</summary>
    public List<DateTimeOffset> Began { get; } = [];

    /// <summary>A task that uses it, then goes on.</summary>
    public AgentTask<string, string> Task(Func<TaskContext, Task>? then = null, TaskPolicy? policy = null) => AgentTask.Create<string, string>("use", async (_, context) =>
    {
        Given.Add(context.Lease.Get<object>());
        Began.Add(context.Time.GetUtcNow());
        if (_options.Use is { } use)
            await use(context);
        if (then is not null)
            await then(context);
        return "";
    }, requirements: [Resource.Capacity > 1 ? ResourceRequirement.Units(Resource.Type, 1) : ResourceRequirement.Exclusive(Resource.Type)], policy: policy);

    /// <summary>A task that holds it until it is told to stop.</summary>
    public AgentTask<string, string> Holding(TaskPolicy? policy = null) => Task(async context =>
    {
        _inUse.Release();
        await System.Threading.Tasks.Task.Delay(Timeout.InfiniteTimeSpan, context.Time, context.CancellationToken);
    }, policy);

    public async Task<Job> StartAsync(AgentTask<string, string> task) => await Host.StartAsync(new Holder(task), "");

    public async Task CompletesAsync(AgentTask<string, string> task)
    {
        if (await Host.UntilEndAsync(await StartAsync(task)) is JobEnding.Failed failed)
            Faults.Add(failed.Error.Message);
        CheckOpen();
    }

    public async Task FailsAsync(AgentTask<string, string> task) => await Host.UntilEndAsync(await StartAsync(task));

    /// <summary>Done when a task that holds it is at work.</summary>
    public async Task InUseAsync()
    {
        if (!await _inUse.WaitAsync(_options.Patience))
            throw new ContractException("the task", ["the task that uses it does not begin, or its use does not end"]);
    }

    /// <summary>Whether nothing is left of a session that was closed.</summary>
    public void CheckOpen()
    {
        if (_options.CountOpen?.Invoke() is { } now && now > _before)
            Faults.Add($"{now - _before} of what its session opened is still there after it was closed ({nameof(ResourceContractOptions)}.{nameof(ResourceContractOptions.CountOpen)})");
    }

    /// <summary>What must hold when all leases have ended.</summary>
    public async Task EndAsync()
    {
        CheckOpen();
        if (Faults.Count == 0 && Resource.Status != ResourceStatus.Available)
            Faults.Add($"it is {Resource.Status.ToString().ToLowerInvariant()} after all leases have ended{Why()}");
        try
        {
            await Host.DisposeAsync();
        }
        catch (ContractException e)
        {
            Faults.AddRange(e.Faults);
        }
        (Resource as IDisposable)?.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _inUse.Dispose();
        return default;
    }

    private string Why() => Host.Orchestrator.Engine.Fleet.Snapshot().Units.FirstOrDefault(u => u.Id == Resource.Id)?.Detail is { } detail ? $": {detail}" : "";

    private sealed class Holder(AgentTask<string, string> task) : Agent<string, string>
    {
        public override string Id => "holder";

        protected override Task<string> RunCoreAsync(string input, AgentContext context) => context.RunAsync(task, input);
    }
}
