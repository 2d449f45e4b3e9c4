namespace Millstream.Tests;

/// <summary>A job that brings its process down again and again is not taken up for ever.</summary>
public sealed class RestartTests : StoredJobTests
{
    public RestartTests() => Options = Options with { Restarts = new RetryPolicy { Attempts = 3, Delay = TimeSpan.FromMilliseconds(1) } };

    [Fact]
    public async Task Job_AtWorkWheneverItsProcessEnds_IsSuspendedUntilItIsAskedFor()
    {
        int starts = 0;
        TaskCompletionSource started = new(), open = new();
        AgentTask<string, string> gate = AgentTask.Create<string, string>("gate", async (_, context) =>
        {
            starts++;
            started.TrySetResult();
            await open.Task.WaitAsync(context.CancellationToken);
            return "done";
        });
        TestAgent<string, string> agent = Agents.Make(async c => await c.RunAsync(gate, "") + await c.RunAsync(Agents.Echo, "!"));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await started.Task;
        for (int i = 1; i <= 3; i++)
        {
            started = new TaskCompletionSource();
            await RestartAsync(agent);
            await started.Task;
        }
        await RestartAsync(agent);
        Job suspended = (await Orchestrator.GetJobAsync(job.Id))!;
        Assert.Equal(JobStatus.Suspended, suspended.Status);
        Assert.Contains("ended 4 times while it was at work", Assert.Single(suspended.WaitsFor), StringComparison.Ordinal);
        await RestartAsync(agent);
        Assert.Equal(JobStatus.Suspended, (await Orchestrator.GetJobAsync(job.Id))!.Status);
        Assert.Equal(4, starts);
        started = new TaskCompletionSource();
        Job<string, string, string> asked = Assert.Single(await Orchestrator.ResumeAsync(job.Id)).As<string, string, string>();
        await started.Task;
        open.SetResult();
        Assert.Equal("done!", await asked.Completion);
    }

    [Fact]
    public async Task Job_ThatGetsFurtherEachTime_IsTakenUpEachTime()
    {
        TaskCompletionSource[] started = [.. Enumerable.Range(0, 8).Select(_ => new TaskCompletionSource())];
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            for (int i = 0; i < started.Length; i++)
            {
                TaskCompletionSource here = started[i];
                await c.StepAsync<bool>($"s{i}", async task =>
                {
                    if (here.TrySetResult())
                        await Task.Delay(Timeout.InfiniteTimeSpan, task.CancellationToken);
                    return true;
                });
            }
            return "ended";
        });
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        foreach (TaskCompletionSource step in started)
        {
            await step.Task;
            await RestartAsync(agent);
        }
        Assert.Equal("ended", await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Job_ThatWaited_IsNotCounted()
    {
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("?"))).ToString());
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        await UntilAsync(() => Storage.FindAsync(job.Id).Result!.IsIdle);
        for (int i = 0; i < 6; i++)
            await RestartAsync(agent);
        Assert.Equal(SignalResult.Accepted, await (await Orchestrator.GetJobAsync(job.Id))!.AnswerAsync("q1", true));
        Assert.Equal("True", await (await Orchestrator.GetJobAsync(agent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Job_OfAnUnknownAgent_IsGivenAwayWithTheReason()
    {
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(Agents.Forever, ""));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.TaskStarted);
        await RestartAsync();
        Job aside = (await Orchestrator.GetJobAsync(job.Id))!;
        Assert.Equal((JobStatus.Suspended, "agent test 1 is not registered here"), (aside.Status, Assert.Single(aside.WaitsFor)));
        Assert.Equal(0, (await Storage.FindAsync(job.Id))!.Runner);
        await RestartAsync(agent);
        Job again = (await Orchestrator.GetJobAsync(job.Id))!;
        await UntilAsync(() => again.Status == JobStatus.Running);
    }
}
