using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Definitions.Tests;

/// <summary>The order of the tasks of workflow files where it is known how long they take.</summary>
public sealed class ExpectedTimeTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<string> _order = [];
    private readonly FileWorkflowAgent _agent;

    public ExpectedTimeTests() => _agent = new FileWorkflowAgent([new TaskKind("sandbox.run", use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, (with, _) =>
    {
        _order.Add(use.TaskId);
        _time.Advance(TimeSpan.FromSeconds(double.Parse(with.GetProperty("command")[0].GetString()!, System.Globalization.CultureInfo.InvariantCulture)));
        return Task.FromResult(JsonSerializer.SerializeToElement(new { stdout = "", lines = Array.Empty<string>(), stderr = "", exitCode = 0, files = Array.Empty<string>() }));
    }))]);

    private static string Uneven(string name, string expected = "") => $$"""
        name: {{name}}
        tasks:
          many: { uses: sandbox.run, with: { command: ["1"] }{{expected}} }
          deep: { uses: sandbox.run, with: { command: ["1"] }{{expected}} }
          slow: { uses: sandbox.run, with: { command: ["60"] }, needs: deep{{(expected == "" ? "" : ", expected_time: 1m")}} }
          s1: { uses: sandbox.run, with: { command: ["1"] }, needs: many{{expected}} }
          s2: { uses: sandbox.run, with: { command: ["1"] }, needs: many{{expected}} }
          s3: { uses: sandbox.run, with: { command: ["1"] }, needs: many{{expected}} }
        output: null
        """;

    private async Task<AgentOrchestrator> OpenAsync(MemoryJournalStorage storage)
    {
        AgentRegistry agents = new();
        agents.Add(_agent);
        AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = agents, Time = _time, Workers = [new Worker("w", slots: 1)] });
        await orchestrator.StartAsync();
        return orchestrator;
    }

    private async Task<string> FirstAsync(AgentOrchestrator orchestrator, string text)
    {
        _order.Clear();
        WorkflowDefinition definition = WorkflowFile.Parse(text);
        // Called as the command line calls it, and not after the workflow alone.
        await (await orchestrator.CreateJobAsync(_agent, FileWorkflowInput.Of(definition, Json.Null), new JobOptions { Name = $"{definition.Name} {definition.Version}" })).Completion;
        Assert.Equal(6, _order.Count);
        return _order[0];
    }

    [Fact]
    public async Task ExpectedTime_TheLongestChainGoesFirst()
    {
        await using MemoryJournalStorage storage = new();
        await using AgentOrchestrator orchestrator = await OpenAsync(storage);
        Assert.Equal("many", await FirstAsync(orchestrator, Uneven("plain")));
        Assert.Equal("deep", await FirstAsync(orchestrator, Uneven("told", ", expected_time: 1s")));
    }

    [Fact]
    public async Task Journal_OfAnotherProcess_TellsOneWorkflowFromAnother()
    {
        await using MemoryJournalStorage storage = new();
        await using (AgentOrchestrator first = await OpenAsync(storage))
            Assert.Equal("many", await FirstAsync(first, Uneven("one")));
        await using MemoryJournalStorage again = storage.Reopen();
        await using AgentOrchestrator second = await OpenAsync(again);
        Assert.Equal("many", await FirstAsync(second, Uneven("other")));
        Assert.Equal("deep", await FirstAsync(second, Uneven("one")));
    }

    [Fact]
    public void ExpectedTime_IsRead() =>
        Assert.Equal(TimeSpan.FromMinutes(1), WorkflowFile.Parse(Uneven("read", ", expected_time: 1s")).Tasks.Single(t => t.Id == "slow").ExpectedTime);
}
