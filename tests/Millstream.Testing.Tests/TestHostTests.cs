namespace Millstream.Testing.Tests;

public sealed class TestHostTests
{
    private static BodyAgent Patient { get; } = Agents.Make(async c =>
    {
        DateTimeOffset began = c.Now;
        await c.DelayAsync(TimeSpan.FromDays(3));
        string all = string.Join(',', await c.RunAllAsync(Agents.Echo, ["a", "b"]));
        return $"{all} after {(c.Now - began).TotalDays} days";
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunAsync_WaitsForDays_TakesNoTime(bool isStored)
    {
        await using MemoryJournalStorage journal = new();
        await using TestHost host = new(new OrchestratorOptions { Journal = isStored ? journal : null });
        Assert.Equal("a,b after 3 days", await host.RunAsync(Patient, ""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UntilQuietAsync_JobWaitsForATimer_TimeStandsUntilItIsMoved(bool isStored)
    {
        await using MemoryJournalStorage journal = new();
        await using TestHost host = new(new OrchestratorOptions { Journal = isStored ? journal : null });
        Job<string, string, string> job = await host.StartAsync(Patient, "");
        await host.UntilQuietAsync();
        Assert.Equal(JobStatus.Waiting, job.Status);
        Assert.StartsWith("a timer at 2030-01-04", Assert.Single(job.WaitsFor));
        await host.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(JobStatus.Waiting, job.Status);
        await host.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal(JobStatus.Completed, job.Status);
        Assert.Equal("a,b after 3 days", await job.Completion);
    }

    [Fact]
    public async Task AdvanceToNextTimerAsync_BackOff_OneAttemptEachTime()
    {
        int attempts = 0;
        BodyAgent agent = Agents.Make(c => c.StepAsync("call", _ => ++attempts < 3 ? throw new InvalidOperationException("no") : Task.FromResult("yes"),
            new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.FromMinutes(1), Factor = 10, MaxDelay = TimeSpan.FromHours(1), Jitter = false } }));
        await using TestHost host = new();
        Job<string, string, string> job = await host.StartAsync(agent, "");
        await host.UntilQuietAsync();
        Assert.Equal(1, attempts);
        Assert.True(await host.AdvanceToNextTimerAsync());
        Assert.Equal((2, JobStatus.Waiting), (attempts, job.Status));
        Assert.True(await host.AdvanceToNextTimerAsync());
        Assert.Equal("yes", await job.Completion);
        Assert.Equal(TimeSpan.FromMinutes(11), host.Time.Now - new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task UntilEndAsync_WaitsForASignal_SaysSo()
    {
        await using TestHost host = new();
        Job<string, string, string> job = await host.StartAsync(Agents.Make(c => c.Signals.NextAsync()), "");
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => host.UntilEndAsync(job));
        Assert.Equal(["it waits for a signal"], e.Faults);
        await job.SignalAsync("go");
        Assert.Equal(new JobEnding.Completed("go"), await host.UntilEndAsync(job));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DriveAsync_AnswersQuestions_BeforeTheTimeMoves(bool isStored)
    {
        BodyAgent agent = Agents.Make(async c =>
        {
            Task<bool> answer = c.AskAsync(new Proceed("on?"));
            Task limit = c.DelayAsync(TimeSpan.FromMinutes(1));
            return await Task.WhenAny(answer, limit) == answer ? $"{await answer}" : "too late";
        });
        await using MemoryJournalStorage journal = new();
        await using TestHost host = new(new OrchestratorOptions { Journal = isStored ? journal : null });
        Job<string, string, string> job = await host.StartAsync(agent, "");
        Task driving = host.DriveAsync(job, async e =>
        {
            if (e.Kind == JobEventKinds.QuestionAsked)
            {
                await Task.Run(static () => { }, TestContext.Current.CancellationToken);
                await job.AnswerAsync(e.Question!, true);
            }
        });
        await host.UntilEndAsync(job);
        Assert.Equal("True", await job.Completion);
        await driving;
    }

    [Fact]
    public async Task StartAsync_BodyReadsAnotherClock_FailsTheJob()
    {
        int runs = 0;
        await using TestHost host = new();
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => host.RunAsync(Agents.Make(c => c.RunAsync(Agents.Echo, $"{++runs}")), ""));
        Assert.Equal(ErrorTypes.NonDeterministic, e.Error.Type);
    }

    [Fact]
    public async Task Streams_OfTheSameSeed_AreTheSame()
    {
        string[] first = await StreamAsync(7, shuffle: true), again = await StreamAsync(7, shuffle: true);
        Assert.Equal(first, again);
        HashSet<string> orders = [];
        for (int seed = 1; seed <= 20; seed++)
            orders.Add(string.Join(' ', (await StreamAsync(seed, shuffle: true)).Where(l => l.Contains("task.started", StringComparison.Ordinal)).Select(l => l.Split("\"task\":")[1])));
        Assert.True(orders.Count > 1, "20 seeds gave one order only");
    }

    [Fact]
    public async Task DisposeAsync_TaskDoesNotStop_IsTold()
    {
        TaskCompletionSource never = new();
        TestHost host = new() { Patience = TimeSpan.FromMilliseconds(50) };
        Job<string, string, string> job = await host.StartAsync(Agents.Make(c => c.StepAsync<string>("deaf", async _ =>
        {
            await never.Task;
            return "";
        })), "");
        ContractException e = await Assert.ThrowsAsync<ContractException>(host.UntilQuietAsync);
        Assert.StartsWith($"task deaf of job {job.Id} is running", Assert.Single(e.Faults));
        e = await Assert.ThrowsAsync<ContractException>(async () => await host.DisposeAsync());
        Assert.Contains(e.Faults, f => f.StartsWith("task deaf of job", StringComparison.Ordinal));
        never.SetResult();
    }

    [Fact]
    public async Task DisposeAsync_TaskStopsWhenItIsTold_IsFine()
    {
        TaskCompletionSource begun = new();
        await using TestHost host = new(new OrchestratorOptions { Workers = [new Worker("w", [new PlainResource("key", "key")])] });
        await host.StartAsync(Agents.Make(c => c.RunAsync(AgentTask.Create<string, string>("waits", async (_, task) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, task.Time, task.CancellationToken);
            return "";
        }, requirements: [ResourceRequirement.Exclusive("key")]), "")), "");
        await begun.Task;
        Assert.Equal(ResourceStatus.Busy, host.Orchestrator.Resources[0].Status);
    }

    [Fact]
    public async Task StartAsync_LlmAgent_CallsTheScriptedModel()
    {
        await using TestHost host = new(model: new ScriptedModel().Call("add", new { a = 1, b = 2 }).Say("It is 3."));
        LlmAgent agent = new(new LlmAgentOptions { Id = "adder", Instructions = "add", Tools = [LlmTool.Of((int a, int b) => a + b, "add", "Adds.")] });
        Assert.Equal("It is 3.", await host.RunAsync(agent, "1 + 2?"));
    }

    private static async Task<string[]> StreamAsync(int seed, bool shuffle)
    {
        await using TestHost host = new(seed: seed, shuffle: shuffle);
        Job<string, string, string> job = await host.StartAsync(Agents.Make(async c => string.Join(',', await c.RunAllAsync(Agents.Echo, [$"{c.NewId()}", "b", "c", "d"]))), "");
        await host.UntilEndAsync(job);
        return [.. await job.EventsAsync(token: TestContext.Current.CancellationToken).Select(e => e.ToJson()).ToArrayAsync(TestContext.Current.CancellationToken)];
    }
}
