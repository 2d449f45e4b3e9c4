namespace Millstream.Tests;

public sealed class JobTests
{
    [Fact]
    public async Task Job_TasksEventsAndOutput_StreamNumbersEveryEntry()
    {
        TestAgent<string, string> agent = new(async (input, context) =>
        {
            context.Emit("begin");
            string first = await context.RunAsync(Agents.Echo, input);
            string[] all = await context.RunAllAsync(Agents.Echo, ["a", "b", "c"]);
            context.Emit("end");
            return first + string.Concat(all);
        });
        await using AgentOrchestrator orchestrator = new();
        await using Job<string, string, string> job = await orchestrator.StartAsync(agent, "x");

        Assert.Equal("xabc", await job.Completion);
        List<JobEvent> events = await job.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Equal("job.started", events[0].Kind);
        Assert.Equal("job.completed", events[^1].Kind);
        Assert.Single(events, e => e.Kind is "job.completed" or "job.failed" or "job.cancelled");
        Assert.Equal(["echo", "echo[0]", "echo[1]", "echo[2]"], events.Where(e => e.Kind == "task.scheduled").Select(e => e.Task));
        Assert.Equal(4, events.Count(e => e.Kind == "task.started"));
        List<string> typed = [];
        await foreach (string e in job.StreamAsync())
            typed.Add(e);
        Assert.Equal(["begin", "end"], typed);
        Assert.Contains("\"output\":\"xabc\"", events[^1].ToJson(), StringComparison.Ordinal);
        Assert.Equal(JobStatus.Completed, job.Status);
    }

    [Fact]
    public async Task Stream_ManyReadersFromAnyOffset_SeeTheSame()
    {
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<string, string> gate = AgentTask.Create<string, string>("gate", async (_, _) => { await go.Task; return ""; });
        TestAgent<string, string> agent = Agents.Make(async context =>
        {
            for (int i = 0; i < 1000; i++)
                context.Emit($"{i}");
            await context.RunAsync(gate, "");
            for (int i = 1000; i < 2000; i++)
                context.Emit($"{i}");
            return "";
        });
        await using AgentOrchestrator orchestrator = new();
        Job job = await orchestrator.StartAsync(agent, "");
        await job.UntilAsync("task.started");
        Task<List<JobEvent>>[] readers = [.. Enumerable.Range(1, 50).Select(i => Task.Run(() => job.AllAsync(i * 20)))];
        go.SetResult();
        List<JobEvent> whole = await job.AllAsync();
        for (int i = 0; i < readers.Length; i++)
            Assert.Equal(whole.Skip((i + 1) * 20 - 1).Select(e => e.ToJson()), (await readers[i]).Select(e => e.ToJson()));
    }

    [Fact]
    public async Task Ask_AnsweredOnce_SecondAnswerIsRefused()
    {
        TestAgent<string, string> agent = Agents.Make(async context => await context.AskAsync(new Proceed("go?")) ? "yes" : "no");
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        await job.UntilAsync("question.asked");
        Assert.Equal(JobStatus.Waiting, await StatusWhenIdleAsync(job));
        Assert.Equal(["an answer to question q1 (Proceed)"], job.WaitsFor);
        Assert.Equal(SignalResult.UnknownQuestion, await job.AnswerAsync("q2", true));
        Assert.Equal([new OpenQuestion("q1", new Proceed("go?"))], job.Questions);
        Assert.Equal("q1", (await job.UntilAsync(JobEventKinds.QuestionAsked)).Question);
        Assert.Throws<ArgumentException>(() => { _ = job.AnswerAsync("q1", "perhaps"); });
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("q1", true));
        Assert.Equal("yes", await job.Completion);
        Assert.Equal(SignalResult.JobEnded, await job.AnswerAsync("q1", false));
    }

    [Fact]
    public async Task Signals_RaceWithTask_LosingWaitSwallowsNothing()
    {
        TestAgent<string, string> agent = Agents.Make(async context =>
        {
            List<string> got = [];
            Task<string> work = context.RunAsync(Agents.Forever, "");
            while (got.Count < 3)
            {
                await Task.WhenAny(work, context.Signals.WaitToReadAsync());
                while (context.Signals.TryRead(out string? signal))
                    got.Add(signal);
            }
            return string.Join(',', got);
        });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("a", "1"));
        Assert.Equal(SignalResult.Duplicate, await job.SignalAsync("a", "1"));
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("b"));
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("c"));
        Assert.Equal("a,b,c", await job.Completion);
        Assert.Equal(SignalResult.JobEnded, await job.SignalAsync("d"));
        List<string> kinds = await job.KindsAsync();
        Assert.Equal(3, kinds.Count(k => k == "signal"));
        // What the body left behind was stopped before the last entry.
        Assert.True(kinds.IndexOf("task.cancelled") > kinds.IndexOf("job.returned"));
        Assert.Equal("job.completed", kinds[^1]);
    }

    [Fact]
    public async Task Cancel_DuringTask_StopsItFirstAndEndsOnce()
    {
        TestAgent<string, string> agent = Agents.Make(async context =>
        {
            try
            {
                return await context.RunAsync(Agents.Forever, "");
            }
            finally
            {
                await context.CleanUpAsync(TimeSpan.FromMinutes(1), () => context.RunAsync(Agents.Echo, "clean"));
            }
        });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        await job.UntilAsync("task.started");
        Assert.Equal(SignalResult.Accepted, await job.CancelAsync("enough"));
        _ = job.CancelAsync();
        JobCancelledException e = await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        Assert.Equal("enough", e.Reason);
        Assert.Equal(SignalResult.JobEnded, await job.CancelAsync());
        List<string> kinds = await job.KindsAsync();
        Assert.Equal("job.cancelled", kinds[^1]);
        Assert.Single(kinds, k => k == "job.cancelling");
        Assert.True(kinds.IndexOf("task.cancelled") > kinds.IndexOf("job.cancelling"));
        Assert.Contains("task.completed", kinds);
    }

    [Fact]
    public async Task Cancel_DuringCleanUp_LeavesItAloneUntilItsLimit()
    {
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<string, string> slow = AgentTask.Create<string, string>("slow", async (_, _) => { await release.Task; return "cleaned"; });
        string? cleaned = null;
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async context =>
        {
            await context.CleanUpAsync(TimeSpan.FromMinutes(1), async () => cleaned = await context.RunAsync(slow, ""));
            return "";
        }), "");
        await job.UntilAsync("task.started");
        await job.CancelAsync();
        release.SetResult();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
        Assert.Equal("cleaned", cleaned);
        Assert.DoesNotContain("task.stopping", await job.KindsAsync());
    }

    [Fact]
    public async Task Flush_NotAwaited_IsRecordedOnce()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(context => { _ = context.FlushAsync(); return Task.FromResult(""); }), "");
        await job.Completion;
        Assert.Equal(["job.started", "flush", "job.returned", "flushed", "job.completed"], await job.KindsAsync());
    }

    [Fact]
    public async Task Cancel_BeforeStart_RunsNoTask()
    {
        int ran = 0;
        AgentTask<string, string> count = AgentTask.Create<string, string>("count", (_, _) => { ran++; return Task.FromResult(""); });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(context => context.RunAsync(count, "")), "");
        await job.CancelAsync();
        await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        Assert.Equal(0, ran);
    }

    [Fact]
    public async Task Cancel_BodyThatCatchesEverything_EndsCancelled()
    {
        TestAgent<string, string> agent = Agents.Make(async context =>
        {
            try
            {
                await context.DelayAsync(TimeSpan.FromDays(1));
            }
            catch (OperationCanceledException)
            {
                // Swallowed, as users do.
            }
            Assert.Throws<OperationCanceledException>(() => { _ = context.RunAsync(Agents.Echo, ""); });
            return "done all the same";
        });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        await job.UntilAsync("timer.set");
        await job.CancelAsync();
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
    }

    [Fact]
    public async Task Child_EventsShowInParentUnderItsId()
    {
        TestAgent<string, int> child = new(async (input, context) =>
        {
            context.Emit($"child {input}");
            return (await context.RunAsync(Agents.Echo, input)).Length;
        }, "child");
        TestAgent<string, string> parent = Agents.Make(async context => $"{await context.RunAsync(child, "abc")}");
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(parent, "", new JobOptions { Id = JobId.Parse("p") });
        Assert.Equal("3", await job.Completion);
        List<JobEvent> events = await job.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        JobEvent emitted = Assert.Single(events, e => e.Kind == "event");
        Assert.Equal("p/1", emitted.Job.Value);
        Assert.Equal(["child.started", "child.completed"], events.Where(e => e.Kind.StartsWith("child.", StringComparison.Ordinal)).Select(e => e.Kind));
        Assert.NotNull(await orchestrator.GetJobAsync(JobId.Parse("p/1")));
        List<JobSummary> listed = [];
        await foreach (JobSummary summary in orchestrator.ListJobsAsync())
            listed.Add(summary);
        Assert.Equal("p", Assert.Single(listed).Id.Value);
    }

    [Fact]
    public async Task Delay_WhenAnyWithCancelAfter_FiresInsideATurn()
    {
        TestAgent<string, string> agent = Agents.Make(async context =>
        {
            using CancellationTokenSource limit = context.CancelAfter(TimeSpan.FromMilliseconds(5));
            try
            {
                await context.RunAsync(Agents.Forever, "", limit.Token);
                return "ran";
            }
            catch (OperationCanceledException)
            {
                context.Emit("over");
                await context.DelayAsync(TimeSpan.FromMilliseconds(1));
                return "limited";
            }
        });
        Assert.Equal("limited", await agent.RunAsync(""));
    }

    [Fact]
    public async Task Start_WithKnownId_GivesTheSameJob()
    {
        await using AgentOrchestrator orchestrator = new();
        JobOptions options = new() { Id = JobId.Parse("once") };
        Job<string, string, string> first = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "1")), "", options);
        Job<string, string, string> second = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "2")), "", options);
        Assert.Equal("1", await second.Completion);
        Assert.Equal(first.Id, second.Id);
        await Assert.ThrowsAsync<InvalidOperationException>(() => orchestrator.StartAsync(new TestAgent<string, string>((_, _) => Task.FromResult(""), "other"), "", options));
    }

    [Fact]
    public async Task Deadline_Passed_FailsWithThatReason()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Forever, "")), "", new JobOptions { Deadline = DateTimeOffset.UtcNow.AddMilliseconds(5) });
        JobEnding.Failed failed = Assert.IsType<JobEnding.Failed>(await job.Ending);
        Assert.Equal(ErrorTypes.DeadlineExceeded, failed.Error.Type);
    }

    [Fact]
    public async Task Dispose_RunningJob_DetachesAndCancelsNothing()
    {
        AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Forever, "")), "");
        await job.UntilAsync("task.started");
        Task<List<string>> reader = job.KindsAsync();
        await orchestrator.DisposeAsync();
        await Assert.ThrowsAsync<JobDetachedException>(() => job.Completion);
        Assert.DoesNotContain("job.cancelling", await reader);
        Assert.Equal(JobStatus.Suspended, job.Status);
    }

    private static async Task<JobStatus> StatusWhenIdleAsync(Job job)
    {
        while (job.Status == JobStatus.Running)
            await Task.Yield();
        return job.Status;
    }

    [Fact]
    public async Task Cancel_BodyThatBreaksARuleAfterwards_EndsCancelled()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            try
            {
                await c.RunAsync(Agents.Forever, "");
            }
            catch (OperationCanceledException)
            {
                await Task.Delay(1);
            }
            return "";
        }), "");
        await job.UntilAsync(JobEventKinds.TaskStarted);
        await job.CancelAsync("enough");
        Assert.Equal(new JobEnding.Cancelled("enough"), await job.Ending);
    }

    [Fact]
    public async Task Cancel_ByATokenOfTheBody_ThrowsWithThatToken()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            List<bool> same = [];
            foreach (Func<CancellationToken, Task> wait in (Func<CancellationToken, Task>[])[t => c.RunAsync(Agents.Forever, "", t), t => c.AskAsync(new Proceed("?"), t), t => c.DelayAsync(TimeSpan.FromHours(1), t)])
            {
                using CancellationTokenSource limit = c.CancelAfter(TimeSpan.FromMilliseconds(5));
                try
                {
                    await wait(limit.Token);
                }
                catch (OperationCanceledException e)
                {
                    same.Add(e.CancellationToken == limit.Token);
                }
            }
            return string.Join(' ', same);
        }), "");
        Assert.Equal("True True True", await job.Completion);
    }
}
