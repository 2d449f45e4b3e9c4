namespace Millstream.Tests;

/// <summary>Tasks whose ends wait for a slow store: small ones make room for others meanwhile, large ones are not gathered without bound.</summary>
public sealed class AheadTests : StoredJobTests
{
    // With one slot no end finds its job at work with another.
    private const int Slots = 1, Runs = 20;

    [Theory]
    [InlineData(10, Runs)]
    [InlineData(64 * 1024, Slots)]
    public async Task Tasks_WhileTheStoreIsBusy_RunAsFarAsTheirEndsAreSmall(int size, int ran)
    {
        await using HeldStorage held = new(Storage);
        SemaphoreSlim gate = new(0), begun = new(0);
        AgentTask<int, string> task = AgentTask.Create<int, string>("task", async (_, _) =>
        {
            begun.Release();
            await gate.WaitAsync();
            return new string('x', size);
        });
        TestAgent<string, string> agent = Agents.Make(async c => $"{(await c.RunAllAsync(task, [.. Enumerable.Range(0, Runs)])).Length}");
        AgentRegistry agents = new();
        agents.Add(agent);
        await using AgentOrchestrator orchestrator = new(Options with { Journal = held, Agents = agents, Workers = [new Worker("w", slots: Slots)] });
        await orchestrator.StartAsync();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        for (int i = 0; i < Slots; i++)
            await begun.WaitAsync();
        held.Hold();
        gate.Release(Runs);
        await held.ArrivedAsync();
        for (int i = Slots; i < ran; i++)
            await begun.WaitAsync();
        Assert.False(begun.Wait(0), "more tasks began than may");
        held.LetGo();
        Assert.Equal($"{Runs}", await job.Completion);
    }
}
