namespace Millstream.Tests;

public sealed class WorkflowTests
{
    private static readonly AgentTask<int, int> Double = AgentTask.Create<int, int>("double", (n, _) => Task.FromResult(n * 2));

    private static AgentTask<int, int> FailsOn(int bad) => AgentTask.Create<int, int>("fails", (n, _) => n == bad ? throw new InvalidDataException($"{n} is bad") : Task.FromResult(n));

    [Fact]
    public async Task Define_FanOutFanInConditionSubWorkflow_GivesTypedOutput()
    {
        Workflow<int, int> inner = Workflow.Define<int, int>("inner", "1", w => w.Task("twice", Double, w.Input));
        Workflow<int, string> workflow = Workflow.Define<int, string>("outer", "1", w =>
        {
            Node<int> first = w.Task("first", Double, w.Input);
            Node<int[]> all = w.ForEach("all", Double, first.Select(n => Enumerable.Range(0, n).ToArray()));
            Node<Optional<int>> big = w.If("big", first.Select(n => n > 100), Double, first);
            Node<int> sub = w.SubWorkflow("sub", inner, all.Select(a => a.Sum()));
            return w.Join(sub, big, (s, b) => $"{s} {b.Or(-1)}");
        });
        await using AgentOrchestrator orchestrator = new();
        Job<string, WorkflowEvent, WorkflowSignal>[] jobs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => orchestrator.CreateJobAsync(workflow.Agent, 3)));
        foreach (Job<string, WorkflowEvent, WorkflowSignal> job in jobs)
            Assert.Equal("60 -1", await job.Completion);
        List<JobEvent> events = await jobs[0].AllAsync();
        Assert.Contains(events, e => e.Task == "all[5]" && e.Kind == "task.completed");
        Assert.Contains(events, e => e.Task == "twice" && e.Job.IsChild);
        Assert.Equal(4, events.Select(e => e.Value).OfType<WorkflowEvent.TaskEnded>().Count(e => e.Total == 4));
    }

    [Fact]
    public void Define_EveryFaultAtOnce_NamesThem()
    {
        Node<int>? foreign = null;
        _ = Workflow.Define<int, int>("other", "1", w => foreign = w.Task("x", Double, w.Input));
        WorkflowException e = Assert.Throws<WorkflowException>(() => Workflow.Define<int, int>("bad id!", "1", w =>
        {
            Node<int> a = w.Task("a", Double, w.Input);
            Node<int> b = w.Task("b", Double, a);
            a.After(b);
            w.Task("b", Double, a);
            w.Task("no good", Double, a);
            w.ForEach("each", Double, w.Input.Select(n => new[] { n }), new NodeOptions { MaxParallel = 0 });
            return null!;
        }));
        Assert.Equal(6, e.Faults.Count);
        Assert.Contains("its id 'bad id!' is none", e.Message, StringComparison.Ordinal);
        Assert.Contains("there is a cycle: a -> b -> a", e.Message, StringComparison.Ordinal);
        Assert.Contains("the id 'b' stands 2 times", e.Message, StringComparison.Ordinal);
        Assert.Contains("it has no output", e.Message, StringComparison.Ordinal);
        Assert.Contains("'no good' is no id", e.Message, StringComparison.Ordinal);
        Assert.Contains("a task takes a node of another workflow", Assert.Throws<WorkflowException>(() => Workflow.Define<int, int>("mixed", "1", w => w.Task("y", Double, foreign!))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a[1]")]
    [InlineData("a/b")]
    public void Create_WrongId_IsRefused(string id) =>
        Assert.Contains($"'{id}' is no id of a task", Assert.Throws<ArgumentException>(() => AgentTask.Create<int, int>(id, (n, _) => Task.FromResult(n))).Message, StringComparison.Ordinal);

    [Fact]
    public void Errors_AsText_AreWhatAPersonReads()
    {
        Assert.Equal("bread[2]: smoke", new TaskError("bread[2]", 1, "IOException", "smoke", true, "   at …").ToString());
        Assert.Equal("smoke", new TaskError("", 0, "IOException", "smoke", false).ToString());
        Assert.Equal("smoke", new JobError("IOException", "smoke", "bread[2]", "   at …").ToString());
    }

    [Fact]
    public async Task Define_Built_RefusesEveryChangeAndRunsAsItWasBuilt()
    {
        WorkflowBuilder<int> builder = null!;
        Node<int> task = null!;
        Workflow<int, int> workflow = Workflow.Define<int, int>("closed", "1", w =>
        {
            builder = w;
            return task = w.Task("a", Double, w.Input);
        });
        Node<int> input = builder.Input;
        Action[] changes =
        [
            () => task.Select(n => n + 1), () => task.After(task), () => builder.Task("b", Double, input), () => builder.Agent("c", workflow.Agent, input),
            () => builder.ForEach("d", Double, builder.All([input])), () => builder.Join(input, task, (a, b) => a + b),
        ];
        foreach (Action change in changes)
            Assert.Contains("Workflow closed is built", Assert.Throws<InvalidOperationException>(change).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], workflow.Tasks);
        Assert.Equal(4, await workflow.Agent.RunAsync(2));
    }

    [Fact]
    public async Task Run_UnevenBranches_StartTheMomentTheirInputsAreReady()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<int, int> slow = AgentTask.Create<int, int>("slow", async (n, _) => { await gate.Task; return n; });
        AgentTask<int, int> opens = AgentTask.Create<int, int>("opens", (n, _) => { gate.SetResult(); return Task.FromResult(n); });
        // The slow branch ends only when the second step of the fast one has run: with a barrier between steps it never would.
        Workflow<int, int> workflow = Workflow.Define<int, int>("uneven", "1", w =>
            w.Join(w.Task("slow", slow, w.Input), w.Task("fast2", opens, w.Task("fast1", Double, w.Input)), (a, b) => a + b));
        Assert.Equal(3, await workflow.Agent.RunAsync(1));
    }

    [Fact]
    public async Task Fail_OneTask_CancelsSiblingsAndNamesTheTask()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("failing", "1", w =>
            w.Join(w.Task("endless", Endless, w.Input), w.Task("bad", FailsOn(1), w.Input), (a, b) => a + b));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal("bad", e.Error.Task);
        Assert.Contains(await job.AllAsync(), x => x.Kind == "task.cancelled" && x.Task == "endless");
    }

    [Fact]
    public async Task Fail_Finish_RunsTheRestAndSkipsWhatDependsOnIt()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("finish", "1", w =>
        {
            Node<int> bad = w.Task("bad", FailsOn(1), w.Input);
            Node<int> good = w.Task("good2", Double, w.Task("good1", Double, w.Input));
            return w.Join(w.Task("after", Double, bad), good, (a, b) => a + b);
        }, new WorkflowOptions { OnFailure = FailureMode.Finish });
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        List<WorkflowEvent.TaskEnded> ended = [.. (await job.AllAsync()).Select(e => e.Value).OfType<WorkflowEvent.TaskEnded>()];
        Assert.Equal(WorkflowTaskStatus.Completed, ended.Single(e => e.Task == "good2").Status);
        Assert.Equal(WorkflowTaskStatus.Skipped, ended.Single(e => e.Task == "after").Status);
    }

    [Fact]
    public async Task PureFunction_Throws_FailsTheWorkflowAndNamesNoTask()
    {
        await using AgentOrchestrator orchestrator = new();
        Workflow<int, int> workflow = Workflow.Define<int, int>("pure", "1", w => w.Task("first", Double, w.Input).Select<int>(_ => throw new InvalidDataException("not so")));
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(("not so", null), (e.Error.Message, e.Error.Task));
    }

    [Fact]
    public async Task TryForEach_SomeFail_KeepTheirPlaces()
    {
        Workflow<int, string> workflow = Workflow.Define<int, string>("try", "1", w =>
            w.TryForEach("each", FailsOn(1), w.Input.Select(n => Enumerable.Range(0, n).ToArray()))
                .Select(all => string.Join(' ', all.Select(o => o.Ok ? $"{o.Value}" : o.Error!.Message))));
        Assert.Equal("0 1 is bad 2", await workflow.Agent.RunAsync(3));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FanOut_WhoseResultsCannotBeMade_FailsTheWorkflowAlsoWhereItMayFail(bool isCancelled)
    {
        GraphNode input = new(0, null) { Input = static _ => null, Result = static end => end.Output };
        GraphNode each = new(1, "each")
        {
            Task = Double,
            Input = static _ => new object?[] { 1, 2 },
            ItemInput = static (_, item, _) => item,
            Result = static end => end.Output,
            // The functions of builders and files do not throw; of others nothing is known.
            Results = _ => throw (isCancelled ? new OperationCanceledException("no results") : new InvalidDataException("no results")),
            ContinuesOnError = true,
        };
        each.Dependencies.Add(input);
        GraphNode after = new(2, null) { Input = values => values.Get<object?[]>(each).Length, Result = static end => end.Output };
        after.Dependencies.Add(each);
        Workflow<int, int> workflow = new(new WorkflowGraph("results", "1", new WorkflowOptions(), [input, each, after], after));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        JobError error = Assert.IsType<JobEnding.Failed>(await job.Ending).Error;
        Assert.Equal(("each", "no results"), (error.Task, error.Message));
    }

    [Fact]
    public async Task Select_ThatThrowsACancellationOfItsOwn_FailsTheWorkflow()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("own", "1", w =>
            w.Task("double", Double, w.Input).Select<int>(_ => throw new OperationCanceledException("a token of its own")));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        Assert.Equal("a token of its own", Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Message);
    }

    [Fact]
    public async Task ForEach_MaxParallel_IsHeld()
    {
        int now = 0, most = 0;
        AgentTask<int, int> counts = AgentTask.Create<int, int>("counts", async (n, _) =>
        {
            int running = Interlocked.Increment(ref now);
            lock (Double)
                most = Math.Max(most, running);
            await Task.Yield();
            Interlocked.Decrement(ref now);
            return n;
        });
        Workflow<int, int> workflow = Workflow.Define<int, int>("bounded", "1", w =>
            w.ForEach("each", counts, w.Input.Select(n => Enumerable.Range(0, n).ToArray()), new NodeOptions { MaxParallel = 3 }).Select(all => all.Sum()));
        Assert.Equal(4950, await workflow.Agent.RunAsync(100));
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task Signals_PauseResumeRetrySkipCancel_AreObeyed()
    {
        int bad = 1;
        AgentTask<int, int> fixable = AgentTask.Create<int, int>("fixable", (n, _) => n == Volatile.Read(ref bad) ? throw new InvalidDataException("bad") : Task.FromResult(n));
        Workflow<int, int> workflow = Workflow.Define<int, int>("signals", "1", w =>
        {
            Node<int[]> each = w.ForEach("each", fixable, w.Input.Select(n => Enumerable.Range(0, n).ToArray()));
            Node<Outcome<int>> endless = w.Try("endless", Endless, each.Select(e => e.Length));
            Node<int> optional = w.Task("optional", Double, w.Input);
            return w.Join(each, endless, (a, b) => a.Sum() + (b.Ok ? 0 : 100));
        }, new WorkflowOptions { OnFailure = FailureMode.Wait });
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 4);
        await job.UntilAsync(e => e.Value is WorkflowEvent.DecisionNeeded { Task: "each" });
        await job.SignalAsync(new WorkflowSignal.RetryTask("nobody"));
        await job.UntilAsync(e => e.Value is WorkflowEvent.SignalIgnored { Reason: "there is no task 'nobody'" });
        Assert.Contains("a signal", job.WaitsFor);
        await job.SignalAsync(new WorkflowSignal.Pause());
        Volatile.Write(ref bad, -1);
        await job.SignalAsync(new WorkflowSignal.RetryTask("each"));
        await job.UntilAsync(e => e.Value is WorkflowEvent.Paused);
        Assert.Equal(JobStatus.Paused, job.Status);
        await job.SignalAsync(System.Text.Json.JsonDocument.Parse("""{"type":"resume"}""").RootElement);
        await job.UntilAsync(e => e.Kind == "task.started" && e.Task == "endless");
        await job.SignalAsync(new WorkflowSignal.CancelTask("endless"));
        Assert.Equal(106, await job.Completion);
        // What had given its output did not run again; what was stopped beside the failure did.
        Assert.Equal(["each[0]", "each[1]", "each[2]", "each[3]"], (await job.AllAsync()).Where(e => e.Kind == "task.completed" && e.Task!.StartsWith("each[", StringComparison.Ordinal)).Select(e => e.Task).Order());
    }

    [Fact]
    public async Task Pause_DuringAFanOut_StartsNoFurtherItem()
    {
        TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AgentTask<int, int> gated = AgentTask.Create<int, int>("gated", async (n, _) => { await first.Task; return n; });
        Workflow<int, int> workflow = Workflow.Define<int, int>("pausing", "1", w =>
            w.ForEach("each", gated, w.Input.Select(n => Enumerable.Range(0, n).ToArray()), new NodeOptions { MaxParallel = 1 }).Select(a => a.Sum()));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 5);
        await job.UntilAsync("task.started");
        await job.SignalAsync(new WorkflowSignal.Pause());
        first.SetResult();
        await job.UntilAsync("task.completed");
        // The next signal is delivered in a later turn than the end of the first item, so a second one would have been asked for by then.
        await job.SignalAsync(new WorkflowSignal.RetryTask("nobody"));
        await job.UntilAsync(e => e.Value is WorkflowEvent.SignalIgnored);
        Assert.DoesNotContain(job.Tasks, t => t.Id == "each[1]");
        await job.SignalAsync(new WorkflowSignal.Resume());
        Assert.Equal(10, await job.Completion);
        List<JobEvent> events = await job.AllAsync();
        int resumed = events.FindIndex(e => e.Value is WorkflowEvent.Resumed);
        Assert.Single(events[..resumed], e => e.Kind == "task.scheduled");
    }

    [Fact]
    public async Task Pause_DuringAFanOutThatIsCancelled_DoesNotHoldItUp()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("stopping", "1", w =>
            w.TryForEach("each", Endless, w.Input.Select(n => Enumerable.Range(0, n).ToArray()), new NodeOptions { MaxParallel = 1 }).Select(a => a.Count(o => !o.Ok)));
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 3);
        await job.UntilAsync("task.started");
        await job.SignalAsync(new WorkflowSignal.Pause());
        await job.SignalAsync(new WorkflowSignal.CancelTask("each"));
        await job.UntilAsync("task.cancelled");
        await job.UntilAsync(e => e.Value is WorkflowEvent.TaskEnded { Task: "each" });
        await job.SignalAsync(new WorkflowSignal.Resume());
        Assert.Equal(3, await job.Completion);
    }

    [Fact]
    public async Task Skip_RunningTask_StopsItAndWhatNeedsItsValue()
    {
        Workflow<int, int> workflow = Workflow.Define<int, int>("skip", "1", w =>
        {
            _ = w.Task("after", Double, w.Task("endless", Endless, w.Input));
            return w.Task("other", Double, w.Input);
        });
        await using AgentOrchestrator orchestrator = new();
        Job<int, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(workflow.Agent, 1);
        await job.UntilAsync(e => e.Kind == "task.started" && e.Task == "endless");
        await job.SignalAsync(new WorkflowSignal.SkipTask("endless"));
        Assert.Equal(2, await job.Completion);
    }

    private static AgentTask<int, int> Endless { get; } = AgentTask.Create<int, int>("endless", async (n, context) => { await Task.Delay(Timeout.Infinite, context.CancellationToken); return n; });
}
