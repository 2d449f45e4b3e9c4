using Microsoft.Extensions.Logging;

namespace Millstream.Tests;

/// <summary>Jobs that check at their end that their body does the same again.</summary>
public sealed class VerifyTests : StoredJobTests
{
    private static readonly JobOptions Verified = new() { Verify = true };

    public static TheoryData<string, string> Outside => new()
    {
        { "input", "task echo (command 1) with input" },
        { "event", "an event with data" },
        { "question", "question q1 (command 1) with data" },
        { "timer", "a timer (command 1) until" },
        { "output", "the job's end with output" },
        { "course", "task step" },
        { "child", "child job" },
    };

    [Theory]
    [MemberData(nameof(Outside))]
    public async Task Body_ThatReadsFromOutside_FailsTheJobOnItsFirstRun(string what, string shown)
    {
        int runs = 0;
        TestAgent<string, string> child = new((input, _) => Task.FromResult(input), "child"), agent = Agents.Make(c => ReadsAsync(what, ++runs, child, c));
        foreach (bool isStored in (bool[])[false, true])
        {
            runs = 0;
            await using AgentOrchestrator orchestrator = await NewAsync(isStored, agent, child);
            Job<string, string, string> job = await orchestrator.StartAsync(agent, "", Verified);
            if (what == "question")
            {
                await job.UntilAsync(JobEventKinds.QuestionAsked);
                await job.AnswerAsync("q1", true);
            }
            JobError error = Assert.IsType<JobEnding.Failed>(await job.Ending).Error;
            Assert.Equal(ErrorTypes.NonDeterministic, error.Type);
            Assert.Contains($"the journal has {shown}", error.Message, StringComparison.Ordinal);
            Assert.Contains("run again on the same it asks for", error.Message, StringComparison.Ordinal);
            Assert.Contains("context.NewId()", error.Message, StringComparison.Ordinal);
            Assert.Equal(JobEventKinds.JobFailed, (await job.KindsAsync())[^1]);
            // Without it nobody notices.
            Job<string, string, string> plain = await orchestrator.StartAsync(agent, "");
            if (what == "question")
            {
                await plain.UntilAsync(JobEventKinds.QuestionAsked);
                await plain.AnswerAsync("q1", true);
            }
            Assert.IsType<JobEnding.Completed>(await plain.Ending);
        }
    }

    [Fact]
    public async Task Body_ThatAsksItsContext_PassesAndIsRunOnceForTheWorld()
    {
        int runs = 0, logged = 0;
        AgentTask<string, string> work = AgentTask.Create<string, string>("work", (input, context) =>
        {
            Interlocked.Increment(ref runs);
            context.Delta("at work");
            return context.Attempt == 1 ? throw new InvalidOperationException("once") : Task.FromResult($"{input} done");
        }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.FromMilliseconds(1) } });
        TestAgent<string, string> child = new(async (input, c) => await c.RunAsync(Agents.Echo, $"{input} {c.NewId()}"), "child");
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            c.Logger.LogInformation("begins");
            c.Emit($"{c.Now:O} {c.NewId()} {c.Random.Next()}");
            string[] all = await Task.WhenAll(c.RunAsync(work, "a"), c.RunAsync(child, "b"), c.RunAsync(Agents.Echo, $"{c.Now:O}"));
            using CancellationTokenSource soon = c.CancelAfter(TimeSpan.FromMilliseconds(1));
            try
            {
                await c.RunAsync(Agents.Forever, "", soon.Token);
            }
            catch (OperationCanceledException)
            {
                c.Emit("stopped");
            }
            try
            {
                await c.StepAsync<int>("step", _ => throw new TerminalTaskException("no"));
            }
            catch (TaskFailedException e)
            {
                c.Emit(e.Message);
            }
            await c.FlushAsync();
            bool go = await c.AskAsync(new Proceed($"{all.Length}?"));
            await c.DelayAsync(TimeSpan.FromMilliseconds(1));
            _ = c.RunAsync(Agents.Forever, "left");
            return $"{go} {await c.Signals.NextAsync()} {all[0]}";
        });
        foreach (bool isStored in (bool[])[false, true])
        {
            (runs, logged) = (0, 0);
            await using AgentOrchestrator orchestrator = await NewAsync(isStored, new CountingLog(() => Interlocked.Increment(ref logged)), agent, child);
            Job<string, string, string> job = await orchestrator.StartAsync(agent, "", Verified);
            await job.UntilAsync(JobEventKinds.QuestionAsked);
            await job.AnswerAsync("q1", true);
            await job.SignalAsync("hi", "s1");
            await job.SignalAsync("hi", "s1");
            Assert.Equal("True hi a done", await job.Completion);
            Assert.Equal((2, 1), (runs, logged));
            Assert.All(orchestrator.Engine.Jobs.All(), j => Assert.NotNull(j.Ended));
        }
    }

    [Fact]
    public async Task Job_ThatIsCancelled_IsCancelledOnlyIfItsBodyDoesTheSame()
    {
        bool isSteady = true;
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            try
            {
                return await c.RunAsync(Agents.Forever, "");
            }
            finally
            {
                await c.CleanUpAsync(TimeSpan.FromSeconds(10), () => c.RunAsync(Agents.Echo, isSteady ? "clean" : $"{Guid.NewGuid()}"));
            }
        });
        await using AgentOrchestrator orchestrator = await NewAsync(true, agent);
        foreach (bool steady in (bool[])[true, false])
        {
            isSteady = steady;
            Job<string, string, string> job = await orchestrator.StartAsync(agent, "", Verified);
            await job.UntilAsync(JobEventKinds.TaskStarted);
            await job.CancelAsync("enough");
            JobEnding ending = await job.Ending;
            if (steady)
                Assert.Equal(new JobEnding.Cancelled("enough"), ending);
            else
                Assert.Equal(ErrorTypes.NonDeterministic, Assert.IsType<JobEnding.Failed>(ending).Error.Type);
        }
    }

    [Fact]
    public async Task Child_OfAVerifiedJob_IsVerified()
    {
        TestAgent<string, string> child = new((_, c) => c.RunAsync(Agents.Echo, $"{Guid.NewGuid()}"), "child"), agent = Agents.Make(c => c.RunAsync(child, ""));
        await using AgentOrchestrator orchestrator = await NewAsync(false, agent, child);
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "", Verified);
        Assert.Equal(ErrorTypes.NonDeterministic, Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Type);
        Assert.Contains(JobEventKinds.ChildFailed, await job.KindsAsync());
    }

    [Fact]
    public async Task Workflow_Verified_Passes()
    {
        Workflow<int, string> inner = Workflow.Define<int, string>("inner", "1", w => w.Task("i", Agents.Echo, w.Input.Select(n => $"{n}")));
        Workflow<int, string> workflow = Workflow.Define<int, string>("outer", "1", w => w.ForEach("each", Agents.Echo, w.SubWorkflow("sub", inner, w.Input).Select(s => new[] { s, s })).Select(all => string.Join(",", all)));
        await using AgentOrchestrator orchestrator = new();
        Assert.Equal("7,7", await (await orchestrator.CreateJobAsync(workflow.Agent, 7, Verified)).Completion);
    }

    [Fact]
    public async Task Values_OfAVerifiedJobInMemory_AreReadBackFromBytes()
    {
        Held shared = new("kept") { Dropped = "dropped" };
        AgentTask<Held, Held> task = AgentTask.Create<Held, Held>("hold", (input, _) => Task.FromResult(ReferenceEquals(input, shared) ? input : input with { Kept = $"{input.Kept} {input.Dropped ?? "nothing"}" }));
        AgentTask<string, Func<int>> code = AgentTask.Create<string, Func<int>>("code", (_, _) => Task.FromResult<Func<int>>(() => 1));
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            Held held = await c.RunAsync(task, shared);
            try
            {
                await c.RunAsync(code, "");
                return $"{held.Kept}, {held.Dropped}, code";
            }
            catch (TaskFailedException e)
            {
                return $"{held.Kept}, {held.Dropped}, {e.Error.Message.Contains("cannot be JSON", StringComparison.Ordinal)}";
            }
        });
        await using AgentOrchestrator orchestrator = await NewAsync(false, agent);
        Assert.Equal("kept, dropped, code", await (await orchestrator.StartAsync(agent, "")).Completion);
        Assert.Equal("kept nothing, , True", await (await orchestrator.StartAsync(agent, "", Verified)).Completion);
    }

    [Fact]
    public async Task Output_TooLarge_FailsTheJobAndNotItsProcess()
    {
        TestAgent<string, string> agent = Agents.Make(_ => Task.FromResult(new string('x', 2_000_000)));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        Assert.Contains("1,048,576", Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Message, StringComparison.Ordinal);
    }

    private static async Task<string> ReadsAsync(string what, int run, TestAgent<string, string> child, AgentContext<string, string> context)
    {
        string outside = $"{Guid.NewGuid()}";
        switch (what)
        {
            case "input":
                return await context.RunAsync(Agents.Echo, outside) is { Length: > 0 } ? "" : "none";
            case "event":
                context.Emit(outside);
                return "";
            case "question":
                return $"{await context.AskAsync(new Proceed(outside))}";
            case "timer":
                await context.DelayAsync(TimeSpan.FromTicks(run));
                return "";
            case "output":
                return outside;
            case "child":
                return await context.RunAsync(child, outside) is { Length: > 0 } ? "" : "none";
            default:
                // Each run goes the other way.
                return run % 2 == 0 ? await context.RunAsync(Agents.Echo, "") : $"{await context.StepAsync("step", _ => Task.FromResult(1))}";
        }
    }

    private async Task<AgentOrchestrator> NewAsync(bool isStored, params Agent[] agents) => await NewAsync(isStored, null, agents);

    private async Task<AgentOrchestrator> NewAsync(bool isStored, ILoggerFactory? log, params Agent[] agents)
    {
        AgentRegistry registry = new();
        foreach (Agent agent in agents)
            registry.Add(agent);
        AgentOrchestrator orchestrator = new(Options with { Journal = isStored ? Storage : null, Agents = registry, Logging = log });
        if (isStored)
            await orchestrator.StartAsync();
        return orchestrator;
    }

    private sealed record Held(string Kept)
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public string? Dropped { get; init; }
    }

    private sealed class CountingLog(Action logged) : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => categoryName == "Millstream.Agent" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => logged();
    }
}
