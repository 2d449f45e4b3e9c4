using System.Text.Json;

namespace Millstream.Tests;

/// <summary>What signals do beyond the tasks of the workflow that gets them.</summary>
public sealed class WorkflowSignalTests
{
    private static readonly AgentTask<int, int> Double = AgentTask.Create<int, int>("double", (n, _) => Task.FromResult(n * 2));

    private static readonly AgentTask<int, int> Endless = AgentTask.Create<int, int>("endless", async (n, context) => { await Task.Delay(Timeout.Infinite, context.CancellationToken); return n; });

    private static AgentTask<int, int> Waits(TaskCompletionSource gate) => AgentTask.Create<int, int>("waits", async (n, _) => { await gate.Task; return n; });

    private static TaskCompletionSource Gate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Pause_ReachesSubWorkflowsOfSubWorkflows()
    {
        TaskCompletionSource gate = Gate();
        Workflow<int, int> inner = Workflow.Define<int, int>("inner", "1", w => w.Task("i2", Double, w.Task("i1", Waits(gate), w.Input)));
        Workflow<int, int> middle = Workflow.Define<int, int>("middle", "1", w => w.SubWorkflow("in", inner, w.Input));
        Workflow<int, int> outer = Workflow.Define<int, int>("outer", "1", w => w.SubWorkflow("sub", middle, w.Input));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(outer.Agent, 4);
        JobId innermost = (await job.UntilAsync(e => e.Kind == "task.started" && e.Task == "i1")).Job;
        await job.SignalAsync(new WorkflowSignal.Pause());
        await job.UntilAsync(e => e.Job == innermost && e.Value is WorkflowEvent.Paused);
        Assert.Equal(JobStatus.Paused, (await orchestrator.GetJobAsync(innermost))!.Status);
        gate.SetResult();
        await job.UntilAsync(e => e.Value is WorkflowEvent.TaskEnded { Task: "i1" });
        // Delivered in a later turn than the end of i1, so i2 would have been asked for by then.
        await job.SignalAsync(new WorkflowSignal.SkipTask("sub/in/nobody"));
        await job.UntilAsync(e => e.Job == innermost && e.Value is WorkflowEvent.SignalIgnored { Reason: "there is no task 'nobody'" });
        Assert.Empty((await orchestrator.GetJobAsync(innermost))!.Tasks);
        await job.SignalAsync(new WorkflowSignal.Resume());
        Assert.Equal(8, await job.Completion);
        List<JobEvent> events = await job.AllAsync();
        Assert.True(events.FindIndex(e => e.Job == innermost && e.Value is WorkflowEvent.Resumed) < events.FindIndex(e => e.Kind == "task.scheduled" && e.Task == "i2"));
        JobEvent passedOn = events.First(e => e.Kind == JobEventKinds.ChildSignalled);
        Assert.Contains($"\"child\":\"{job.Id}/1\",\"type\":\"Pause\",\"data\":{{\"type\":\"pause\"}}", passedOn.ToJson(), StringComparison.Ordinal);
        Assert.Equal(4, events.Count(e => e.Kind == JobEventKinds.ChildSignalled && e.Value is WorkflowSignal.Pause or WorkflowSignal.Resume && e.Child is not null));
    }

    [Fact]
    public async Task Pause_BeforeAnotherAttemptOfAChild_HoldsItBack()
    {
        TaskCompletionSource gate = Gate();
        int calls = 0;
        TestAgent<int, int> flaky = new(async (n, context) =>
        {
            await context.RunAsync(Waits(gate), n);
            return ++calls == 1 ? throw new InvalidDataException("not yet") : n;
        }, "flaky");
        NodeOptions twice = new() { Policy = new TaskPolicy { Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.FromMilliseconds(1) } } };
        Workflow<int, int> workflow = Workflow.Define<int, int>("attempts", "1", w => w.Agent("a", flaky, w.Input, twice));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 4);
        await job.UntilAsync("task.started");
        await job.SignalAsync(new WorkflowSignal.Pause());
        gate.SetResult();
        await job.UntilAsync("timer.fired");
        Assert.Single((await ReadToAsync(job, "timer.fired")), e => e.Kind == JobEventKinds.ChildStarted);
        await job.SignalAsync(new WorkflowSignal.Pause());
        List<JobEvent> before = await ReadToAsync(job, e => e.Value is WorkflowEvent.SignalIgnored { Reason: "the workflow is paused already" });
        Assert.Single(before, e => e.Kind == JobEventKinds.ChildStarted);
        await job.SignalAsync(new WorkflowSignal.Resume());
        Assert.Equal(4, await job.Completion);
    }

    [Fact]
    public async Task RetrySkipCancel_OfTasksInSubWorkflows_ReachThem()
    {
        int bad = 1;
        AgentTask<int, int> fixable = AgentTask.Create<int, int>("fixable", (n, _) => n == Volatile.Read(ref bad) ? throw new InvalidDataException("bad") : Task.FromResult(n));
        Workflow<int, int> waits = Workflow.Define<int, int>("waits", "1", w => w.Task("i", fixable, w.Input), new WorkflowOptions { OnFailure = FailureMode.Wait });
        Workflow<int, int> ends = Workflow.Define<int, int>("ends", "1", w => w.Try("stopped", Endless, w.Task("first", Double, w.Input)).Select(o => o.Ok ? 0 : 100));
        Workflow<int, int> skips = Workflow.Define<int, int>("skips", "1", w =>
        {
            _ = w.Task("skipped", Endless, w.Input);
            return w.Task("done", Double, w.Input);
        });
        Workflow<int, int> outer = Workflow.Define<int, int>("outer", "1", w =>
        {
            Node<int[]> each = w.ForEach("each", waits, w.Input.Select(n => new[] { 0, n }));
            return w.Join(each, w.SubWorkflow("ends", ends, w.Input), w.SubWorkflow("skips", skips, w.Input), (a, b, c) => a.Sum() + b + c);
        });
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(outer.Agent, 1);
        await job.UntilAsync(e => e.Value is WorkflowEvent.DecisionNeeded { Task: "i" });
        Volatile.Write(ref bad, -1);
        await job.SignalAsync(JsonSerializer.SerializeToElement(new { type = "retry", task = "each[1]/i" }));
        await job.UntilAsync(e => e.Kind == "task.started" && e.Task == "stopped");
        await job.SignalAsync(new WorkflowSignal.CancelTask("ends/stopped"));
        await job.UntilAsync(e => e.Kind == "task.started" && e.Task == "skipped");
        await job.SignalAsync(new WorkflowSignal.SkipTask("skips/skipped"));
        Assert.Equal(1 + 100 + 2, await job.Completion);
        Assert.DoesNotContain(await job.AllAsync(), e => e.Value is WorkflowEvent.SignalIgnored);
    }

    [Theory]
    [InlineData("""{"type":"retry"}""", "RetryTask", "it names no task; give the task's id as task")]
    [InlineData("""{"type":"skip","task":""}""", "SkipTask", "it names no task; give the task's id as task")]
    [InlineData("null", "null", "there is no signal in it")]
    [InlineData("""{"type":"cancel","task":"nobody"}""", "CancelTask", "there is no task 'nobody'")]
    [InlineData("""{"type":"cancel","task":"nobody/a"}""", "CancelTask", "there is no task 'nobody'")]
    [InlineData("""{"type":"cancel","task":"plain/a"}""", "CancelTask", "task plain is no sub-workflow")]
    [InlineData("""{"type":"cancel","task":"later/a"}""", "CancelTask", "task later is not under way")]
    [InlineData("""{"type":"cancel","task":"each/a"}""", "CancelTask", "task each is a fan-out; name the run, as in each[0]/a")]
    [InlineData("""{"type":"cancel","task":"each[7]/a"}""", "CancelTask", "no sub-workflow is under way as each[7]")]
    [InlineData("""{"type":"cancel","task":"agent/a"}""", "CancelTask", "no sub-workflow is under way as agent")]
    [InlineData("""{"type":"cancel","task":"each[0]/"}""", "CancelTask", "it names no task; give the task's id as task")]
    public async Task Signal_ThatFitsNothing_IsAnsweredWithTheReason(string signal, string name, string reason)
    {
        Workflow<int, int> inner = Workflow.Define<int, int>("inner", "1", w => w.Task("a", Endless, w.Input));
        TestAgent<int, int> agent = new((n, context) => context.RunAsync(Endless, n), "agent");
        Workflow<int, int> workflow = Workflow.Define<int, int>("fits", "1", w =>
        {
            Node<int[]> each = w.ForEach("each", inner, w.Input.Select(n => new[] { n }));
            Node<int> plain = w.Task("plain", Endless, w.Input);
            return w.Join(w.SubWorkflow("later", inner, each.Select(e => e[0])), w.Agent("agent", agent, w.Input), plain, (a, b, c) => a + b + c);
        });
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        await job.SignalAsync(JsonDocument.Parse(signal).RootElement);
        JobEvent ignored = await job.UntilAsync(e => e.Value is WorkflowEvent.SignalIgnored);
        Assert.Equal(new WorkflowEvent.SignalIgnored(name, reason), ignored.Value);
        await job.CancelAsync();
        await job.Ending;
    }

    private static Task<List<JobEvent>> ReadToAsync(Job job, string kind) => ReadToAsync(job, e => e.Kind == kind);

    private static async Task<List<JobEvent>> ReadToAsync(Job job, Func<JobEvent, bool> last)
    {
        List<JobEvent> events = [];
        await foreach (JobEvent e in job.EventsAsync())
        {
            events.Add(e);
            if (last(e))
                break;
        }
        return events;
    }
}
