namespace Millstream.Tests;

/// <summary>Jobs in a store in memory, and processes that go and come.</summary>
public abstract class StoredJobTests : IAsyncLifetime
{
    private protected MemoryJournalStorage Storage { get; private set; } = new();

    private protected AgentOrchestrator Orchestrator { get; private set; } = null!;

    private protected OrchestratorOptions Options { get; set; } = new() { GracePeriod = TimeSpan.FromMilliseconds(100) };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Orchestrator is not null)
            await Orchestrator.DisposeAsync();
        await Storage.DisposeAsync();
    }

    private protected async Task StartAsync(params Agent[] agents)
    {
        AgentRegistry registry = new();
        foreach (Agent agent in agents)
            registry.Add(agent);
        Orchestrator = new AgentOrchestrator(Options with { Journal = Storage, Agents = registry });
        await Orchestrator.StartAsync();
    }

    /// <summary>The process goes and another one comes.</summary>
    private protected async Task RestartAsync(params Agent[] agents)
    {
        await Orchestrator.DisposeAsync();
        await Storage.DisposeAsync();
        Storage = Storage.Reopen();
        await StartAsync(agents);
    }

    private protected static async Task UntilAsync(Func<bool> fits)
    {
        while (!fits())
            await Task.Delay(1);
    }
}
