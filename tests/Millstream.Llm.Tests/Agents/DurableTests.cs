using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

/// <summary>Jobs whose process goes away: what a model has answered is never asked again.</summary>
public sealed class DurableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-llm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1)]
    public async Task Resume_AfterEachTurn_AsksTheModelOnceForEachTurn(long minCheckpoint)
    {
        const int turns = 6;
        int asked = 0, ran = 0;
        List<string> gates = [];
        JobId id = JobId.Parse("talker");
        for (int process = 0; process < turns; process++)
        {
            TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
            int here = process;
            LlmTool tool = LlmTool.Of(async (int n, CancellationToken token) =>
            {
                ran++;
                if (n != here)
                    return n;
                // This process goes away while the tool of its turn runs.
                stopped.SetResult();
                await Task.Delay(Timeout.Infinite, token);
                return n;
            }, "count", "Counts.");
            LlmAgent agent = new(new LlmAgentOptions { Id = "talker", Tools = [tool] });
            ScriptedModel model = new();
            model.Always(request =>
            {
                asked++;
                AgentTest.IsConsistent(request.Messages);
                int answered = request.Messages.Count(m => m.Role == ChatRole.Tool);
                return answered < turns - 1 ? new ScriptedTurn().Say($"turn {answered}").Call("count", new { n = answered }, $"c{answered}") : new ScriptedTurn().Say("the end");
            });
            await using SqliteJournalStorage journal = new(Path.Combine(_folder, "journal.db"));
            await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
            {
                Journal = journal, Agents = new AgentRegistry().Add(agent), GracePeriod = TimeSpan.FromSeconds(1), MinCheckpoint = minCheckpoint,
                PoolResources = [new LlmResource(new LlmEndpoint { Id = "test", Provider = LlmProvider.OpenAI, Model = "scripted" }, model)],
            });
            await orchestrator.StartAsync();
            Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, "count", new JobOptions { Id = id });
            if (process < turns - 1)
            {
                await stopped.Task;
                continue;
            }
            Assert.Equal("the end", await job.Completion);
            List<LlmEvent> events = await AgentTest.EventsAsync(job);
            Assert.Equal(Enumerable.Range(1, turns), events.OfType<LlmEvent.TurnCompleted>().Select(t => t.Turn));
            Assert.Equal(Enumerable.Range(0, turns - 1).Select(n => $"c{n}"), events.OfType<LlmEvent.ToolCallCompleted>().Select(t => t.Result.CallId));
        }
        Assert.Equal(turns, asked);
        // Each tool but the last ran twice: it was at work when its process went.
        Assert.Equal(2 * (turns - 1), ran);
    }

    [Fact]
    public async Task Resume_WhileItWaitsForApproval_TheCallStillWaits()
    {
        int ran = 0;
        LlmTool tool = LlmTool.Of(() => ++ran, "act", "Acts.", new LlmToolOptions { Approval = ToolApproval.Always });
        LlmAgent agent = new(new LlmAgentOptions { Id = "asker", Tools = [tool] });
        ScriptedModel model = new ScriptedModel().Call("act", callId: "c1").Say("done");
        for (int process = 0; process < 2; process++)
        {
            await using SqliteJournalStorage journal = new(Path.Combine(_folder, "journal.db"));
            await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
            {
                Journal = journal, Agents = new AgentRegistry().Add(agent), PoolResources = [new LlmResource(new LlmEndpoint { Id = "test", Provider = LlmProvider.OpenAI, Model = "scripted" }, model)],
            });
            await orchestrator.StartAsync();
            Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, "act", new JobOptions { Id = JobId.Parse("asker") });
            await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
            if (process == 0)
                continue;
            await job.SignalAsync(new LlmSignal.ApproveToolCall("c1"));
            Assert.Equal("done", await job.Completion);
        }
        Assert.Equal((1, 2), (ran, model.Requests.Count));
    }

    [Fact]
    public async Task Journal_OfManyTurns_GrowsWithTheTurnsAndNotWithTheirSquare()
    {
        long few = await BytesOfAsync(20), many = await BytesOfAsync(80);
        Assert.InRange((double)many / few, 3, 5);
    }

    private async Task<long> BytesOfAsync(int turns)
    {
        LlmTool tool = LlmTool.Of(() => new string('x', 2000), "read", "Reads.");
        LlmAgent agent = new(new LlmAgentOptions { Id = "reader", Tools = [tool], Limits = new LlmLimits { Turns = 1000, ToolCalls = 1000 } });
        ScriptedModel model = new ScriptedModel().Always(request => request.Messages.Count(m => m.Role == ChatRole.Tool) < turns ? new ScriptedTurn().Call("read") : new ScriptedTurn().Say("the end"));
        string file = Path.Combine(_folder, $"{turns}.db");
        await using SqliteJournalStorage journal = new(file);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
        {
            Journal = journal, Agents = new AgentRegistry().Add(agent), PoolResources = [new LlmResource(new LlmEndpoint { Id = "test", Provider = LlmProvider.OpenAI, Model = "scripted" }, model)],
        });
        await orchestrator.StartAsync();
        Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, "read");
        await job.Completion;
        long bytes = 0;
        await foreach (JobEvent e in job.EventsAsync())
            bytes += e.ToJson().Length;
        return bytes;
    }
}
