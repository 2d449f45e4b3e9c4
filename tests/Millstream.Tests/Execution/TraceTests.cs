using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>What a job in memory tells those who trace.</summary>
[Collection(Spans.Alone)]
public sealed class TraceTests
{
    [Fact]
    public async Task Job_ThatRuns_IsASpanWithItsTasksAndChildrenUnderIt()
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new();
        TestAgent<string, string> child = new(async (word, c) => await c.RunAsync(Agents.Echo, word), "inner");
        TestAgent<string, string> agent = new(async (word, c) => await c.RunAsync(Agents.Echo, word) + await c.RunAsync(child, word), "outer");
        Assert.Equal("aa", await (await orchestrator.StartAsync(agent, "a", new JobOptions { Id = JobId.Parse("tr-runs") })).Completion);
        Activity job = spans.One("tr-runs", "invoke_agent outer"), inner = spans.One("tr-runs", "invoke_agent inner");
        Activity[] tasks = [.. spans.Of("tr-runs").Where(a => a.DisplayName == "task echo")];
        Assert.Equal(["invoke_agent", "outer", "outer", "1", "tr-runs", "completed"],
            new[] { "gen_ai.operation.name", "gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.agent.version", "gen_ai.conversation.id", "millstream.job.status" }.Select(job.GetTagItem));
        Assert.Equal((ActivityStatusCode.Unset, default), (job.Status, job.ParentSpanId));
        Assert.Equal(job.SpanId, inner.ParentSpanId);
        Assert.Equal("tr-runs/2", inner.GetTagItem("gen_ai.conversation.id"));
        Assert.Equal([job.SpanId, inner.SpanId], tasks.Select(t => t.ParentSpanId));
        Assert.All(spans.Of("tr-runs"), a => Assert.Equal(job.TraceId, a.TraceId));
        Assert.All(tasks, t => Assert.Equal(("echo", 1, "completed", "local"), (t.GetTagItem("millstream.task.id"), t.GetTagItem("millstream.task.attempt"), t.GetTagItem("millstream.task.outcome"), t.GetTagItem("millstream.worker.id"))));
    }

    [Fact]
    public async Task Workflow_ThatRuns_IsInvoked()
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new();
        Workflow<string, string> workflow = Workflow.Define<string, string>("two-words", "3", w => w.Task("word", Agents.Echo, w.Input));
        await (await orchestrator.CreateJobAsync(workflow.Agent, "a", new JobOptions { Id = JobId.Parse("tr-flow") })).Completion;
        Activity job = spans.One("tr-flow", "invoke_workflow two-words");
        Assert.Equal(("invoke_workflow", "two-words"), (job.GetTagItem("gen_ai.operation.name"), job.GetTagItem("gen_ai.workflow.name")));
        Assert.Null(job.GetTagItem("gen_ai.agent.id"));
        Assert.Equal("word", spans.One("tr-flow", "task echo").GetTagItem("millstream.task.id"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TaskCode_ThatTraces_NestsUnderItsAttempt(bool isLeased)
    {
        using Spans spans = new();
        string id = $"tr-code-{isLeased}";
        Activity? inBody = null, after = null;
        AgentTask<string, string> task = AgentTask.Create<string, string>("work", async (_, _) =>
        {
            await Task.Yield();
            using Activity? own = Spans.Code.StartActivity("own work");
            return own!.ParentSpanId.ToString();
        }, requirements: isLeased ? [ResourceRequirement.Exclusive("page")] : []);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { PoolResources = [new PlainResource("page-1", "page")] });
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            inBody = Activity.Current;
            string parent = await c.RunAsync(task, "");
            after = Activity.Current;
            return parent;
        });
        string parent = await (await orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse(id) })).Completion;
        Activity attempt = spans.One(id, "task work");
        Assert.Equal(attempt.SpanId.ToString(), parent);
        Assert.Equal(isLeased ? ["page-1"] : null, attempt.GetTagItem("millstream.lease.resources") as string[]);
        Assert.Equal((null, null), (inBody, after));
    }

    [Fact]
    public async Task Task_ThatFailsOnce_TellsOfBothAttemptsAndKeepsWhatItSaidToItself()
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new();
        AgentTask<string, string> task = AgentTask.Create<string, string>("shaky", (_, context) => context.Attempt == 1 ? throw new TimeoutException("canary-7") : Task.FromResult("canary-8"),
            policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.FromMilliseconds(2), Jitter = false } });
        await (await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(task, "canary-9")), "canary-6", new JobOptions { Id = JobId.Parse("tr-shaky") })).Completion;
        Activity[] attempts = [.. spans.Of("tr-shaky").Where(a => a.DisplayName == "task shaky")];
        Assert.Equal([("retried", "TimeoutException", ActivityStatusCode.Error, 0.002), ("completed", null, ActivityStatusCode.Unset, null)],
            attempts.Select(a => ((string?)a.GetTagItem("millstream.task.outcome"), (string?)a.GetTagItem("error.type"), a.Status, (double?)a.GetTagItem("millstream.retry.delay"))));
        Assert.DoesNotContain(spans.Of("tr-shaky"), a => a.StatusDescription?.Contains("canary", StringComparison.Ordinal) == true || a.TagObjects.Any(t => $"{t.Value}".Contains("canary", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Task_ThatWaits_SaysHowLongAndForWhatItRuns()
    {
        using Spans spans = new();
        FakeTimeProvider clock = new(DateTimeOffset.Parse("2030-01-01T00:00:00Z", null));
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Time = clock, PoolResources = [new PlainResource("seat-1", "seat")] });
        TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously), begun = new();
        AgentTask<int, int> sit = AgentTask.Create<int, int>("sit", async (i, _) =>
        {
            begun.TrySetResult();
            await first.Task;
            return i;
        }, requirements: [ResourceRequirement.Exclusive("seat")]);
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c => $"{(await c.RunAllAsync(sit, [1, 2])).Length}"), "", new JobOptions { Id = JobId.Parse("tr-waits") });
        await begun.Task;
        clock.Advance(TimeSpan.FromSeconds(5));
        first.SetResult();
        await job.Completion;
        Activity[] attempts = [.. spans.Of("tr-waits").Where(a => a.DisplayName == "task sit")];
        Assert.Equal([("sit[0]", 0.0, 5.0), ("sit[1]", 5.0, 0.0)], attempts.Select(a => ((string)a.GetTagItem("millstream.task.id")!, (double)a.GetTagItem("millstream.queue.wait")!, Math.Round(a.Duration.TotalSeconds, 3))));
        Assert.Equal(new DateTime(2030, 1, 1, 0, 0, 5, DateTimeKind.Utc), attempts[1].StartTimeUtc);
        Assert.All(attempts, a => Assert.Equal(["seat-1"], (string[])a.GetTagItem("millstream.lease.resources")!));
    }

    [Theory]
    [InlineData(false, "failed", "InvalidDataException")]
    [InlineData(true, "cancelled", "Cancelled")]
    public async Task Job_ThatEndsBadly_SetsTheStatus(bool isCancelled, string status, string type)
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new();
        TestAgent<string, string> agent = Agents.Make(c => isCancelled ? c.RunAsync(Agents.Forever, "") : throw new InvalidDataException("canary-3"));
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse($"tr-{status}") });
        if (isCancelled)
            await job.CancelAsync("canary-3");
        await job.Ending;
        Activity span = spans.One($"tr-{status}", "invoke_agent test");
        Assert.Equal((status, type, ActivityStatusCode.Error, null), (span.GetTagItem("millstream.job.status"), span.GetTagItem("error.type"), span.Status, span.StatusDescription));
    }

    [Fact]
    public async Task Job_WithContentCaptured_ShowsWhyItFailed()
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { CaptureContent = true });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(_ => throw new InvalidDataException("the line 4")), "", new JobOptions { Id = JobId.Parse("tr-why") });
        await job.Ending;
        Assert.Equal("the line 4", spans.One("tr-why", "invoke_agent test").StatusDescription);
    }

    [Fact]
    public async Task Job_OfACallerWithASpan_GoesOnWithItsTrace()
    {
        using Spans spans = new();
        await using AgentOrchestrator orchestrator = new();
        using Activity caller = Spans.Code.StartActivity("request")!;
        await (await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "")), "", new JobOptions { Id = JobId.Parse("tr-caller") })).Completion;
        Assert.Equal(caller, Activity.Current);
        Assert.Equal((caller.TraceId, caller.SpanId), (spans.One("tr-caller", "invoke_agent test").TraceId, spans.One("tr-caller", "invoke_agent test").ParentSpanId));
    }

    [Fact]
    public async Task Job_ThatIsNotSampled_HidesWhatHappensInIt()
    {
        // As a sampler that follows parents and refuses what has none.
        using Spans own = new((ref o) => o.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None);
        ActivityTraceFlags? seen = null;
        await using AgentOrchestrator orchestrator = new();
        await (await orchestrator.StartAsync(Agents.Make(c => c.StepAsync("look", _ =>
        {
            seen = Activity.Current?.Context.TraceFlags;
            return Task.FromResult("");
        })), "", new JobOptions { Id = JobId.Parse("tr-hidden") })).Completion;
        Assert.Equal(ActivityTraceFlags.None, seen);
        Assert.Empty(own.Of("tr-hidden"));
    }
}
