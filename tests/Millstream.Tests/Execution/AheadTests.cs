using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Tasks whose ends wait for a slow store: small ones make room for others meanwhile, large ones are not gathered without bound.</summary>
public sealed class AheadTests : StoredJobTests
{
    // With one slot no end finds its job at work with another.
    private const int Slots = 1, Runs = 20;

    [Theory]
    [InlineData(10, false, 0, Runs)]
    [InlineData(10, false, 1000, Runs)]
    [InlineData(64 * 1024, false, 0, Slots)]
    [InlineData(10, true, 0, Runs)]
    [InlineData(10, true, 1000, Slots)]
    public async Task Tasks_WhileTheStoreIsBusy_RunAsFarAsTheirEndsAreSmallAndTheyHadResourcesForShort(int size, bool needsUnit, int milliseconds, int ran)
    {
        FakeTimeProvider time = new();
        await using HeldStorage held = new(Storage);
        SemaphoreSlim gate = new(0), begun = new(0);
        AgentTask<int, string> task = AgentTask.Create<int, string>("task", async (_, _) =>
        {
            begun.Release();
            await gate.WaitAsync();
            return new string('x', size);
        }, needsUnit ? [ResourceRequirement.Exclusive("unit")] : null);
        TestAgent<string, string> agent = Agents.Make(async c => $"{(await c.RunAllAsync(task, [.. Enumerable.Range(0, Runs)])).Length}");
        AgentRegistry agents = new();
        agents.Add(agent);
        await using AgentOrchestrator orchestrator = new(Options with { Journal = held, Agents = agents, Time = time, Workers = [new Worker("w", [new PlainResource("u", "unit")], Slots)] });
        await orchestrator.StartAsync();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        for (int i = 0; i < Slots; i++)
            await begun.WaitAsync();
        held.Hold();
        time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        gate.Release(Runs);
        await held.ArrivedAsync();
        for (int i = Slots; i < ran; i++)
            await begun.WaitAsync();
        await UntilAsync(() => job.Tasks.All(t => t.Status != AgentTaskStatus.Running));
        // Whoever was given what an ended one had is in the pool's queue by now, before these.
        for (int i = 0; i < 100; i++)
            await Task.Run(() => { });
        Assert.False(begun.Wait(0), "more tasks began than may");
        held.LetGo();
        Assert.Equal($"{Runs}", await job.Completion);
    }
}
