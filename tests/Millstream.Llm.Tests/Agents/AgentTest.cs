using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

/// <summary>An orchestrator with one scripted model, and what a job's stream said.</summary>
internal sealed class AgentTest : IAsyncDisposable
{
    public AgentTest(OrchestratorOptions? options = null, bool captureContent = false)
    {
        Resource = new LlmResource(new LlmEndpoint { Id = "test", Provider = LlmProvider.OpenAI, Model = "scripted", Price = new LlmPrice(1000, 1000) }, Model, captureContent: captureContent);
        Orchestrator = new AgentOrchestrator((options ?? new OrchestratorOptions()) with { PoolResources = [Resource] });
    }

    public ScriptedModel Model { get; } = new();

    public LlmResource Resource { get; }

    public AgentOrchestrator Orchestrator { get; }

    public static LlmAgentOptions Agent(params IReadOnlyList<LlmTool> tools) => new() { Id = "tester", Instructions = "be brief", Tools = tools };

    public async Task<Job<string, LlmEvent, LlmSignal>> StartAsync(LlmAgentOptions agent, string prompt = "go", JobOptions? options = null) =>
        await Orchestrator.CreateJobAsync(new LlmAgent(agent), prompt, options ?? new JobOptions { Verify = true });

    public async Task<string> RunAsync(LlmAgentOptions agent, string prompt = "go") => await (await StartAsync(agent, prompt)).Completion;

    /// <summary>The events that came until the first that fits, with it.</summary>
    public static async Task<T> UntilAsync<T>(Job<string, LlmEvent, LlmSignal> job) where T : LlmEvent
    {
        await foreach (LlmEvent e in job.StreamAsync())
        {
            if (e is T wanted)
                return wanted;
        }
        throw new InvalidOperationException($"the job ended without a {typeof(T).Name}");
    }

    public static async Task<List<LlmEvent>> EventsAsync(Job<string, LlmEvent, LlmSignal> job)
    {
        List<LlmEvent> events = [];
        await foreach (LlmEvent e in job.StreamAsync())
            events.Add(e);
        return events;
    }

    /// <summary>Each call that the model made in this conversation has one result, behind it.</summary>
    public static void IsConsistent(IEnumerable<ChatMessage> messages)
    {
        List<string> open = [], all = [];
        foreach (AIContent content in messages.SelectMany(m => m.Contents))
        {
            if (content is FunctionCallContent call)
            {
                Assert.DoesNotContain(call.CallId, all);
                open.Add(call.CallId);
                all.Add(call.CallId);
            }
            else if (content is FunctionResultContent result)
            {
                Assert.True(open.Remove(result.CallId), $"the result of {result.CallId} has no call before it, or there are two");
            }
        }
        Assert.Empty(open);
    }

    public async ValueTask DisposeAsync() => await Orchestrator.DisposeAsync();
}
