using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

public sealed class TaskTests
{
    [Fact]
    public async Task Task_ThrowsTwice_IsRetriedAndKeepsItsKey()
    {
        List<string> keys = [];
        AgentTask<string, string> flaky = AgentTask.Create<string, string>("flaky", (_, context) =>
        {
            keys.Add(context.IdempotencyKey);
            return context.Attempt < 3 ? throw new InvalidDataException($"no {context.Attempt}") : Task.FromResult("ok");
        }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.FromMilliseconds(1) } });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(flaky, "")), "");
        Assert.Equal("ok", await job.Completion);
        Assert.Single(keys.Distinct());
        List<JobEvent> events = await job.AllAsync();
        Assert.Equal([1, 2], events.Where(e => e.Kind == "task.retried").Select(e => e.Attempt!.Value));
        Assert.Equal(3, events.Single(e => e.Kind == "task.completed").Attempt);
    }

    [Fact]
    public async Task Task_Terminal_IsNotRetried()
    {
        AgentTask<string, string> terminal = AgentTask.Create<string, string>("t", (_, _) => throw new TerminalTaskException("never"),
            policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 5 } });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(terminal, "")), "");
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(("t", "never"), (e.Error.Task, e.Error.Message));
    }

    [Fact]
    public async Task Task_RetryAfter_WaitsThatLongOnTheGivenClock()
    {
        FakeTimeProvider time = new();
        AgentTask<string, string> limited = AgentTask.Create<string, string>("limited", (_, context) =>
            context.Attempt == 1 ? throw new RetryableTaskException("429", TimeSpan.FromMinutes(2)) : Task.FromResult("ok"),
            policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2 } });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Time = time });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(limited, "")), "");
        JobEvent retried = await job.UntilAsync("task.retried");
        Assert.Contains("\"delayMs\":120000", retried.ToJson(), StringComparison.Ordinal);
        while (job.Tasks is not [{ Status: AgentTaskStatus.Retrying }])
            await Task.Yield();
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("ok", await job.Completion);
    }

    [Fact]
    public async Task Task_TimesOut_TokenFiresAndErrorNamesTheSetting()
    {
        AgentTask<string, string> slow = AgentTask.Create<string, string>("slow", async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return "";
        }, policy: new TaskPolicy { Timeout = TimeSpan.FromMilliseconds(5) });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(slow, "")), "");
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(ErrorTypes.TimedOut, e.Error.Type);
        Assert.Contains("timeout of 5 ms", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_IgnoresItsToken_IsLeftBehindAndItsResourceIsNotGivenAway()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thing thing = new("t1");
        AgentTask<string, string> stubborn = AgentTask.Create<string, string>("stubborn", async (_, _) => { entered.SetResult(); await release.Task; return ""; }, [ResourceRequirement.Exclusive("thing")]);
        AgentTask<string, string> next = AgentTask.Create<string, string>("next", (_, _) => Task.FromResult("ran"), [ResourceRequirement.Exclusive("thing")]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [thing])], GracePeriod = TimeSpan.FromMilliseconds(5) });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(stubborn, "")), "");
        // An attempt that is told to stop before its body has begun just stops.
        await entered.Task;
        await job.CancelAsync();
        await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        Job<string, string, string> waiting = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(next, "")), "");
        await waiting.UntilAsync("task.scheduled");
        Assert.Equal(ResourceStatus.Offline, thing.Status);
        Assert.Contains("does not stop", (await WaitsForAsync(waiting))[0], StringComparison.Ordinal);
        release.SetResult();
        Assert.Equal("ran", await waiting.Completion);
        Assert.Equal(ResourceStatus.Available, thing.Status);
    }

    [Fact]
    public async Task Gang_LosesOneUnit_OtherIsGivenToNobodyUntilTheTaskHasStopped()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thing first = new("t1"), second = new("t2");
        AgentTask<string, string> both = AgentTask.Create<string, string>("both", async (_, _) => { entered.TrySetResult(); await release.Task; return "both"; }, [ResourceRequirement.Exclusive("thing", amount: 2)]);
        AgentTask<string, string> one = AgentTask.Create<string, string>("one", (_, _) => Task.FromResult($"after {release.Task.IsCompleted}"), [ResourceRequirement.Exclusive("thing")]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [first, second])] });
        Job<string, string, string> holder = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(both, "")), "");
        await entered.Task;
        orchestrator.SetOffline("t1", "broken");
        Job<string, string, string> waiting = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(one, "")), "");
        await waiting.UntilAsync("task.scheduled");
        Assert.Contains("is still stopping", (await WaitsForAsync(waiting))[0], StringComparison.Ordinal);
        release.SetResult();
        Assert.Equal("both", await holder.Completion);
        Assert.Equal("after True", await waiting.Completion);
        Assert.Equal((ResourceStatus.Offline, ResourceStatus.Available), (first.Status, second.Status));
    }

    [Fact]
    public async Task Quarantine_Ends_DoesNotUndoWhatAnOperatorSaid()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), release = new(TaskCreationOptions.RunContinuationsAsynchronously), ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thing thing = new("t1");
        AgentTask<string, string> stubborn = AgentTask.Create<string, string>("stubborn", async (_, _) => { entered.SetResult(); await release.Task; ended.SetResult(); return ""; }, [ResourceRequirement.Exclusive("thing")]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [thing])], GracePeriod = TimeSpan.FromMilliseconds(5) });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(stubborn, "")), "");
        await entered.Task;
        await job.CancelAsync();
        await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        orchestrator.SetOffline("t1", "for repair");
        release.SetResult();
        await ended.Task;
        AgentTask<string, string> next = AgentTask.Create<string, string>("next", (_, _) => Task.FromResult("ran"), [ResourceRequirement.Exclusive("thing")]);
        Job<string, string, string> waiting = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(next, "")), "");
        await waiting.UntilAsync("task.scheduled");
        while (!(await WaitsForAsync(waiting))[0].Contains("for repair", StringComparison.Ordinal))
            await Task.Yield();
        Assert.Equal(ResourceStatus.Offline, thing.Status);
        orchestrator.SetOnline("t1");
        Assert.Equal("ran", await waiting.Completion);
    }

    [Fact]
    public async Task Task_ThatNoWorkerCanServe_FailsAtOnceNamingTheClause()
    {
        AgentTask<string, string> needs = AgentTask.Create<string, string>("needs", (_, _) => Task.FromResult(""), [ResourceRequirement.Exclusive("thing", LabelSelector.Parse("color = red"))]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [new Thing("t1", ("color", "blue"))])] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(needs, "")), "");
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(ErrorTypes.NeverFeasible, e.Error.Type);
        Assert.Contains("no worker offers a thing with color = red (1 thing has color = blue)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_None_TaskWaitsAndSaysSoUntilOneComes()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "x")), "");
        await job.UntilAsync("task.scheduled");
        Assert.Equal("task echo, which waits for a worker: there is none", (await WaitsForAsync(job))[0]);
        orchestrator.AddWorker(new Worker("late"));
        Assert.Equal("x", await job.Completion);
    }

    [Fact]
    public async Task Worker_RemovedWhileItWorks_TaskStopsAndRunsElsewhere()
    {
        AgentTask<string, string> where = AgentTask.Create<string, string>("where", async (_, context) =>
        {
            if (context.Lease.WorkerId == "first")
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return context.Lease.WorkerId;
        });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("first")] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(where, "")), "");
        await job.UntilAsync("task.started");
        Assert.True(orchestrator.RemoveWorker("first"));
        orchestrator.AddWorker(new Worker("second"));
        Assert.Equal("second", await job.Completion);
        Assert.Contains(await job.AllAsync(), e => e.Kind == "task.retried" && e.Error!.Type == ErrorTypes.LeaseLost);
    }

    [Fact]
    public async Task RunAll_OneFails_OthersAreStoppedAndEndBeforeItIsThrown()
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int running = 0, stopped = 0;
        AgentTask<int, string> mixed = AgentTask.Create<int, string>("mixed", async (input, context) =>
        {
            if (input == 0)
            {
                await started.Task;
                throw new InvalidOperationException("zero");
            }
            if (Interlocked.Increment(ref running) == 3)
                started.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref stopped);
            }
            return "";
        });
        await using AgentOrchestrator orchestrator = new();
        int stoppedWhenThrown = -1;
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async context =>
        {
            try
            {
                await context.RunAllAsync(mixed, [0, 1, 2, 3]);
                return "";
            }
            catch (TaskFailedException e)
            {
                stoppedWhenThrown = stopped;
                return e.Error.Task;
            }
        }), "");
        Assert.Equal("mixed[0]", await job.Completion);
        Assert.Equal(3, stoppedWhenThrown);
    }

    [Fact]
    public async Task Delta_WhileRunning_StreamsInOrderAndNotThroughTheBody()
    {
        AgentTask<string, string> speaks = AgentTask.Create<string, string>("speaks", (_, context) =>
        {
            context.Delta("one");
            context.Delta([0xFF, 0xFE], "stderr");
            context.Delta("two");
            return Task.FromResult("");
        });
        await using AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(speaks, "")), "");
        await job.Completion;
        List<string> deltas = [.. (await job.AllAsync()).Where(e => e.Kind == "task.delta").Select(e => e.ToJson())];
        Assert.Contains("\"stream\":\"output\",\"index\":0,\"text\":\"one\"", deltas[0], StringComparison.Ordinal);
        Assert.Contains("\"stream\":\"stderr\",\"index\":1,\"base64\":\"//4=\"", deltas[1], StringComparison.Ordinal);
        Assert.Contains("\"text\":\"two\"", deltas[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journal_Flooded_OldDeltasBecomeOneTrimmedEntryAndNumbersStay()
    {
        AgentTask<string, string> floods = AgentTask.Create<string, string>("floods", (_, context) =>
        {
            byte[] chunk = new byte[1000];
            for (int i = 0; i < 500; i++)
                context.Delta(chunk);
            return Task.FromResult("");
        });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Limits = new OrchestratorLimits { JournalBytes = 100_000 } });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(floods, "")), "");
        await job.Completion;
        List<JobEvent> events = await job.AllAsync();
        JobEvent trimmed = Assert.Single(events, e => e.Kind == "trimmed");
        long next = 1;
        foreach (JobEvent e in events)
        {
            Assert.Equal(next, e.Seq);
            next = e == trimmed ? System.Text.Json.JsonDocument.Parse(e.ToJson()).RootElement.GetProperty("to").GetInt64() + 1 : next + 1;
        }
        Assert.Equal(500 + 6, next - 1 + 1);
        Assert.True(events.Count(e => e.Kind == "task.delta") is > 50 and < 100);
    }

    [Fact]
    public async Task Journal_FullOfEvents_FailsNamingTheSetting()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Limits = new OrchestratorLimits { JournalBytes = 10_000 } });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async context =>
        {
            while (true)
            {
                context.Emit(new string('x', 100));
                await context.FlushAsync();
            }
        }), "");
        JobEnding.Failed failed = Assert.IsType<JobEnding.Failed>(await job.Ending);
        Assert.Equal(ErrorTypes.JournalFull, failed.Error.Type);
        Assert.Contains("OrchestratorLimits.JournalBytes, 10,000 bytes", failed.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_RunsOutsideWorkInline()
    {
        string result = await Agents.Make(async context => await context.StepAsync("sleep", async task =>
        {
            await Task.Delay(1, task.CancellationToken);
            return task.TaskId;
        })).RunAsync("");
        Assert.Equal("sleep", result);
    }

    [Fact]
    public async Task Lease_GivesSessionAndClosesItHoweverTheTaskEnds()
    {
        Thing thing = new("t1");
        AgentTask<string, string> uses = AgentTask.Create<string, string>("uses", (input, context) =>
        {
            Assert.True(context.Resource<ThingSession>().IsOpen);
            return input == "throw" ? throw new InvalidOperationException("no") : Task.FromResult(context.Lease.Epoch.ToString());
        }, [ResourceRequirement.Exclusive("thing")]);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [thing])] });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            string first = await c.RunAsync(uses, "");
            await Assert.ThrowsAsync<TaskFailedException>(() => c.RunAsync(uses, "throw"));
            return $"{first} {await c.RunAsync(uses, "")}";
        }), "");
        Assert.Equal("1.1 1.3", await job.Completion);
        Assert.Equal((3, 3), (thing.Opened, thing.Closed));
    }

    [Fact]
    public void Registry_TypesThatJsonLoses_AreRefusedListingAll()
    {
        AgentContractException e = Assert.Throws<AgentContractException>(() => new AgentRegistry().Add(new Lossy()));
        Assert.Equal(2, e.Faults.Count);
        Assert.Contains("Unlisted is abstract and names no subtypes", e.Message, StringComparison.Ordinal);
        Assert.Contains("the input type is object", e.Message, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<string>> WaitsForAsync(Job job)
    {
        while (job.WaitsFor is not { Count: > 0 } || job.WaitsFor[0].EndsWith("turn", StringComparison.Ordinal))
            await Task.Yield();
        return job.WaitsFor;
    }

    private abstract record Unlisted;

    private sealed class Lossy : Agent<object, string, Unlisted>
    {
        protected override Task<string> RunCoreAsync(object input, AgentContext<Unlisted> context) => Task.FromResult("");
    }
}

/// <summary>A resource with sessions, for tests.</summary>
internal sealed class Thing(string id, params (string Key, string Value)[] labels) : Resource(id, "thing", 1, labels.ToDictionary(l => l.Key, l => l.Value))
{
    private int _opened;
    private int _closed;

    public int Opened => _opened;

    public int Closed => _closed;

    protected internal override ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
    {
        Interlocked.Increment(ref _opened);
        return ValueTask.FromResult<IAsyncDisposable?>(new ThingSession(() => Interlocked.Increment(ref _closed)));
    }
}

internal sealed class ThingSession(Action closed) : IAsyncDisposable
{
    public bool IsOpen { get; private set; } = true;

    public ValueTask DisposeAsync()
    {
        IsOpen = false;
        closed();
        return ValueTask.CompletedTask;
    }
}
