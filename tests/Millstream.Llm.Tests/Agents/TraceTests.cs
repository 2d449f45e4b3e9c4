using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millstream.Llm.Tests;

/// <summary>What an LLM agent tells those who trace, by OpenTelemetry's conventions for GenAI. Other tests run beside it, so its jobs have ids of their own.</summary>
public sealed class TraceTests : IDisposable
{
    private const string Prompt = "canary-prompt", Instructions = "canary-instructions", Argument = "canary-argument", Result = "canary-result", Answer = "canary-answer", Fault = "canary-fault";

    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is AgentOrchestrator.TelemetryName or LlmResource.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Agent_ThatCallsATool_IsATreeOfSpans()
    {
        await using AgentTest test = new();
        Activity? here = null;
        LlmTool tool = LlmTool.Of((string text) =>
        {
            here = Activity.Current;
            return Result;
        }, "look", "Looks.");
        List<Activity> spans = await RunAsync(test, "ltr-tree", tool);
        Activity agent = spans.Single(s => s.DisplayName == "invoke_agent Tess"), look = spans.Single(s => s.DisplayName == "execute_tool look");
        Activity[] models = [.. spans.Where(s => s.DisplayName == "task model")], chats = [.. spans.Where(s => s.DisplayName == "chat scripted")];
        Assert.Equal(6, spans.Count);
        Assert.Equal(here, look);
        Assert.All([look, .. models], s => Assert.Equal(agent.SpanId, s.ParentSpanId));
        Assert.Equal(models.Select(m => m.SpanId), chats.Select(c => c.ParentSpanId));
        Assert.All(models, m => Assert.Equal(["test"], (string[])m.GetTagItem("millstream.lease.resources")!));
        Assert.Equal(("invoke_agent", "tester", "Tess", "ltr-tree", "scripted"), (Tag(agent, "gen_ai.operation.name"), Tag(agent, "gen_ai.agent.id"), Tag(agent, "gen_ai.agent.name"), Tag(agent, "gen_ai.conversation.id"), Tag(agent, "gen_ai.request.model")));
        Assert.Equal((20L, 10L), (agent.GetTagItem("gen_ai.usage.input_tokens"), agent.GetTagItem("gen_ai.usage.output_tokens")));
        Assert.Equal(chats.Sum(c => Convert.ToInt64(c.GetTagItem("gen_ai.usage.input_tokens"))), agent.GetTagItem("gen_ai.usage.input_tokens"));
        Assert.Equal(("execute_tool", "look", "c1", "function", "Looks."), (Tag(look, "gen_ai.operation.name"), Tag(look, "gen_ai.tool.name"), Tag(look, "gen_ai.tool.call.id"), Tag(look, "gen_ai.tool.type"), Tag(look, "gen_ai.tool.description")));
        Assert.Equal(("look[c1]", "completed"), (Tag(look, "millstream.task.id"), Tag(look, "millstream.task.outcome")));
    }

    [Fact]
    public async Task Content_WithoutTheOptIn_IsInNoSpan()
    {
        await using AgentTest test = new();
        LlmTool tool = LlmTool.Of((string text) => text == Argument ? throw new InvalidDataException(Fault) : Result, "look", "Looks.");
        test.Model.Call("look", new { text = Argument }, "c0");
        List<Activity> spans = await RunAsync(test, "ltr-silent", tool, text: "other");
        Assert.Equal(2, spans.Count(s => s.DisplayName == "execute_tool look"));
        Assert.Contains(spans, s => s.DisplayName == "execute_tool look" && Tag(s, "error.type") == "InvalidDataException");
        Assert.DoesNotContain("canary", string.Join('\n', spans.Select(Everything)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_WithTheOptIn_IsInTheSpans()
    {
        await using AgentTest test = new(new OrchestratorOptions { CaptureContent = true }, captureContent: true);
        List<Activity> spans = await RunAsync(test, "ltr-open", LlmTool.Of((string text) => Result, "look", "Looks."));
        Activity look = spans.Single(s => s.DisplayName == "execute_tool look");
        Assert.Equal(($$"""{"text":"{{Argument}}"}""", $"\"{Result}\""), (Tag(look, "gen_ai.tool.call.arguments"), Tag(look, "gen_ai.tool.call.result")));
        string chat = Everything(spans.Last(s => s.DisplayName == "chat scripted"));
        Assert.All([Prompt, Instructions, Argument, Result, Answer], word => Assert.Contains(word, chat, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agent_AsATool_StandsUnderItsCall()
    {
        await using AgentTest test = new(new OrchestratorOptions { CaptureContent = true });
        LlmAgent helper = new(new LlmAgentOptions { Id = "helper" });
        test.Model.Call("helper", new { input = Argument }, "c1").Say(Result).Say(Answer);
        LlmAgent agent = new(new LlmAgentOptions { Id = "asker", Tools = [LlmTool.Of(helper, "Helps.")] });
        await (await test.Orchestrator.CreateJobAsync(agent, Prompt, new JobOptions { Id = JobId.Parse("ltr-nested") })).Completion;
        Activity outer = One("invoke_agent asker", "ltr-nested"), inner = _ended.Single(s => s.DisplayName == "invoke_agent helper" && s.TraceId == outer.TraceId);
        Activity call = _ended.Single(s => s.DisplayName == "execute_tool helper" && s.TraceId == outer.TraceId);
        Assert.Equal((outer.SpanId, call.SpanId), (call.ParentSpanId, inner.ParentSpanId));
        Assert.Equal(("c1", $$"""{"input":"{{Argument}}"}""", $"\"{Result}\""), (Tag(call, "gen_ai.tool.call.id"), Tag(call, "gen_ai.tool.call.arguments"), Tag(call, "gen_ai.tool.call.result")));
        Assert.Equal((20L, 10L), (outer.GetTagItem("gen_ai.usage.input_tokens"), inner.GetTagItem("gen_ai.usage.input_tokens")));
    }

    [Fact]
    public async Task Agent_ThatGoesOnInAnotherProcess_CountsEachCallOnce()
    {
        MemoryJournalStorage storage = new();
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isSecond = false;
        LlmTool tool = LlmTool.Of(async (CancellationToken token) =>
        {
            if (isSecond)
                return;
            stopped.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        }, "wait", "");
        LlmAgent agent = new(new LlmAgentOptions { Id = "goer", Tools = [tool] });
        ScriptedModel model = new ScriptedModel().Call("wait").Say("done");
        for (int process = 0; process < 2; process++)
        {
            await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
            {
                Journal = storage, Agents = new AgentRegistry().Add(agent), GracePeriod = TimeSpan.FromSeconds(1),
                PoolResources = [new LlmResource(new LlmEndpoint { Id = "test", Provider = LlmProvider.OpenAI, Model = "scripted" }, model)],
            });
            await orchestrator.StartAsync();
            Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, "go", new JobOptions { Id = JobId.Parse("ltr-goes") });
            if (isSecond)
                await job.Completion;
            else
                await stopped.Task;
            isSecond = true;
            await orchestrator.DisposeAsync();
            await storage.DisposeAsync();
            storage = storage.Reopen();
        }
        Activity[] runs = [.. _ended.Where(s => s.DisplayName == "invoke_agent goer")];
        Assert.Equal([("suspended", 10L), ("completed", 10L)], runs.Select(s => (Tag(s, "millstream.job.status"), (long)s.GetTagItem("gen_ai.usage.input_tokens")!)));
        Assert.Equal(2, _ended.Count(s => s.DisplayName == "chat scripted" && s.TraceId == runs[0].TraceId));
        Assert.Equal(["detached", "completed"], _ended.Where(s => s.DisplayName == "execute_tool wait" && s.TraceId == runs[0].TraceId).Select(s => Tag(s, "millstream.task.outcome")));
        await storage.DisposeAsync();
    }

    /// <summary>Runs an agent whose prompt, arguments, results and answer are canaries.</summary>
    private async Task<List<Activity>> RunAsync(AgentTest test, string id, LlmTool tool, string text = Argument)
    {
        test.Model.Call("look", new { text }, "c1").Say(Answer);
        await (await test.StartAsync(AgentTest.Agent(tool) with { Name = "Tess", Instructions = Instructions }, Prompt, new JobOptions { Id = JobId.Parse(id), Verify = true })).Completion;
        ActivityTraceId trace = One("invoke_agent Tess", id).TraceId;
        return [.. _ended.Where(s => s.TraceId == trace)];
    }

    private Activity One(string name, string id) => _ended.Single(s => s.DisplayName == name && Tag(s, "gen_ai.conversation.id") == id);

    private static string? Tag(Activity span, string name) => span.GetTagItem(name) as string;

    private static string Everything(Activity span) =>
        $"{span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects.Select(t => $"{t.Key}={t.Value}"))} {string.Join(' ', span.Events.Select(e => $"{e.Name} {string.Join(' ', e.Tags)}"))}";
}
