using System.Diagnostics;

namespace Millstream.Tests;

/// <summary>What a job in a store tells those who trace, in each process that runs it.</summary>
[Collection(Spans.Alone)]
public sealed class StoredTraceTests : StoredJobTests
{
    [Fact]
    public async Task Job_ThatGoesOnInAnotherProcess_StaysInItsTraceAndTellsNothingTwice()
    {
        using Spans spans = new();
        int runs = 0;
        TaskCompletionSource begun = new(), open = new();
        AgentTask<string, string> gate = AgentTask.Create<string, string>("gate", async (_, context) =>
        {
            runs++;
            begun.TrySetResult();
            await open.Task.WaitAsync(context.CancellationToken);
            return "!";
        });
        TestAgent<string, string> child = new(async (word, c) => word + await c.RunAsync(gate, ""), "inner");
        TestAgent<string, string> agent = new(async (word, c) => await c.RunAsync(child, await c.RunAsync(Agents.Echo, word)), "outer");
        await StartAsync(agent, child);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "a", new JobOptions { Id = JobId.Parse("st-resumed") });
        await begun.Task;
        // The begin of the attempt is on record.
        await (await Orchestrator.GetJobAsync(JobId.Parse("st-resumed/2")))!.UntilAsync(JobEventKinds.TaskStarted);
        begun = new TaskCompletionSource();
        await RestartAsync(agent, child);
        await begun.Task;
        open.SetResult();
        Assert.Equal("a!", await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
        Activity[] outer = [.. spans.Of("st-resumed").Where(a => a.DisplayName == "invoke_agent outer")], inner = [.. spans.Of("st-resumed").Where(a => a.DisplayName == "invoke_agent inner")];
        Assert.Equal([("suspended", null), ("completed", true)], outer.Select(a => ((string)a.GetTagItem("millstream.job.status")!, a.GetTagItem("millstream.job.resumed"))));
        Assert.Equal(outer.Select(a => a.SpanId), inner.Select(a => a.ParentSpanId));
        Assert.All(outer, a => Assert.Equal((default, ActivityStatusCode.Unset), (a.ParentSpanId, a.Status)));
        Assert.Single(spans.Of("st-resumed").Select(a => a.TraceId).Distinct());
        Activity echo = spans.One("st-resumed", "task echo");
        Assert.Equal(outer[0].SpanId, echo.ParentSpanId);
        Assert.Equal([(1, "detached"), (2, "completed")], spans.Of("st-resumed").Where(a => a.DisplayName == "task gate").Select(a => ((int)a.GetTagItem("millstream.task.attempt")!, (string)a.GetTagItem("millstream.task.outcome")!)));
        Assert.Equal((2, 7), (runs, spans.Of("st-resumed").Count));
    }

    [Fact]
    public async Task Job_OfACallerWithASpan_LinksToIt()
    {
        using Spans spans = new();
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(Agents.Echo, ""));
        await StartAsync(agent);
        using Activity caller = Spans.Code.StartActivity("request")!;
        await (await Orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse("st-caller") })).Completion;
        Activity span = spans.One("st-caller", "invoke_agent test");
        Assert.NotEqual(caller.TraceId, span.TraceId);
        Assert.Equal(caller.Context, Assert.Single(span.Links).Context);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Job_WithASamplerThatFollowsParents_IsSeenWhereAFirstSpanWouldBe(bool takesFirst)
    {
        // As OpenTelemetry's: what has a parent does as the parent, what has none is asked for, and what is refused keeps an empty span to say so.
        using Spans spans = new((ref o) => o.Parent.TraceId == default
            ? takesFirst ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData
            : o.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None);
        bool? seen = null;
        TestAgent<string, string> agent = Agents.Make(c => c.StepAsync("look", _ =>
        {
            seen = Activity.Current?.Recorded;
            return Task.FromResult("");
        }));
        await StartAsync(agent);
        await (await Orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse($"st-sampled-{takesFirst}") })).Completion;
        Assert.Equal((takesFirst, takesFirst ? 2 : 0), (seen, spans.Of($"st-sampled-{takesFirst}").Count));
    }

    [Fact]
    public async Task Job_ThatLeavesMemory_EndsItsSpanAndBeginsAnotherWhenItGoesOn()
    {
        using Spans spans = new();
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("?"))).ToString());
        Options = Options with { Limits = new OrchestratorLimits { WaitingJobs = 0 } };
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse("st-leaves") });
        await UntilAsync(() => spans.Of("st-leaves").Count == 1);
        await job.AnswerAsync("q1", true);
        await job.Completion;
        Assert.Equal(["waiting", "completed"], spans.Of("st-leaves").Select(a => a.GetTagItem("millstream.job.status")));
    }

    [Fact]
    public async Task Job_WhoseCodeIsAnother_IsASpanThatSaysSo()
    {
        using Spans spans = new();
        TaskCompletionSource begun = new();
        string task = "one";
        TestAgent<string, string> agent = Agents.Make(c => c.StepAsync(task, async context =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
            return "";
        }));
        await StartAsync(agent);
        await Orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse("st-other") });
        await begun.Task;
        task = "two";
        await RestartAsync(agent);
        await UntilAsync(() => spans.Of("st-other").Count == 3);
        Activity span = spans.Of("st-other")[^1];
        Assert.Equal(("suspended", "JobSuspendedException", ActivityStatusCode.Error), (span.GetTagItem("millstream.job.status"), span.GetTagItem("error.type"), span.Status));
    }
}
