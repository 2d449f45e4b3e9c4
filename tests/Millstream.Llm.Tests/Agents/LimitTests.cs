namespace Millstream.Llm.Tests;

public sealed class LimitTests
{
    private static LlmTool Ping { get; } = LlmTool.Of(() => "pong", "ping", "");

    private static AgentTest Talker(Action<AgentTest>? more = null)
    {
        AgentTest test = new();
        more?.Invoke(test);
        test.Model.Always(r => r.Options?.Tools is { Count: > 0 } ? new ScriptedTurn().Say("so far.").Call("ping") : new ScriptedTurn().Say("my last word"));
        return test;
    }

    [Theory]
    [InlineData("turns")]
    [InlineData("tokens")]
    [InlineData("cost")]
    [InlineData("toolCalls")]
    public async Task Stop_EachLimit_FailsAndNamesIt(string limit)
    {
        await using AgentTest test = Talker();
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Ping) with { Limits = Limits(limit) });

        JobFailedException failed = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(nameof(LlmLimitException), failed.Error.Type);
        Assert.Contains($"its limit {limit} is", failed.Message);
        LlmEvent.LimitReached reached = Assert.Single((await AgentTest.EventsAsync(job)).OfType<LlmEvent.LimitReached>());
        Assert.Equal((limit, LimitAction.Stop), (reached.Limit, reached.Action));
        Assert.InRange(test.Model.Requests.Count, 3, 4);
    }

    [Theory]
    [InlineData("turns", "my last word")]
    [InlineData("tokens", "so far.")]
    [InlineData("cost", "so far.")]
    [InlineData("toolCalls", "my last word")]
    public async Task HandOver_EachLimit_GivesWhatItHas(string limit, string answer)
    {
        await using AgentTest test = Talker();
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Ping) with { Limits = Limits(limit) with { Action = LimitAction.HandOver } });
        Assert.Equal(answer, await job.Completion);
        Assert.Contains(new LlmEvent.Answer(answer), await AgentTest.EventsAsync(job));
        Assert.All(test.Model.Requests, r => AgentTest.IsConsistent(r.Messages));
    }

    [Theory]
    [InlineData("turns")]
    [InlineData("tokens")]
    [InlineData("cost")]
    [InlineData("toolCalls")]
    public async Task Ask_EachLimit_WaitsUntilItIsRaised(string limit)
    {
        await using AgentTest test = new();
        for (int i = 0; i < 3; i++)
            test.Model.Call("ping");
        test.Model.Call("ping").Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Ping) with { Limits = Limits(limit) with { Action = LimitAction.Ask } });
        await AgentTest.UntilAsync<LlmEvent.LimitReached>(job);
        await job.SignalAsync(new LlmSignal.ChangeLimits(new LlmLimits { Turns = -1 }));
        await job.SignalAsync(new LlmSignal.ChangeLimits(new LlmLimits { Turns = 9, Tokens = 1000, Cost = 100, ToolCalls = 9 }));
        Assert.Equal("done", await job.Completion);
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Contains(events.OfType<LlmEvent.SignalIgnored>(), e => e.Reason == "Turns is -1; give 1 or more");
    }

    [Fact]
    public async Task Time_IsOverWhileAToolRuns_StopsItAndEnds()
    {
        Microsoft.Extensions.Time.Testing.FakeTimeProvider time = new();
        LlmTool slow = LlmTool.Of(async (CancellationToken token) =>
        {
            time.Advance(TimeSpan.FromMinutes(2));
            await Task.Delay(Timeout.Infinite, token);
            return "never";
        }, "slow", "");
        await using AgentTest test = new(new OrchestratorOptions { Time = time });
        test.Model.Then(new ScriptedTurn().Say("wait").Call("slow", callId: "c1"));
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(slow) with { Limits = new LlmLimits { Time = TimeSpan.FromMinutes(1), Action = LimitAction.HandOver } });
        Assert.Equal("wait", await job.Completion);
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Equal(ToolFailure.Stopped, Assert.Single(events.OfType<LlmEvent.ToolCallFailed>()).Reason);
        Assert.Equal("time", Assert.Single(events.OfType<LlmEvent.LimitReached>()).Limit);
    }

    [Fact]
    public async Task HandOver_NothingWasSaid_FailsRatherThanGivesNothing()
    {
        await using AgentTest test = new();
        test.Model.Always(_ => new ScriptedTurn().Call("ping"));
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Ping) with { Limits = new LlmLimits { Tokens = 20, Action = LimitAction.HandOver } });
        JobFailedException failed = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Contains("It had no answer to hand over: the model has said nothing yet", failed.Message);
    }

    [Fact]
    public async Task Limits_RaisedWhileTheModelSpeaks_CountForItsToolCalls()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Wait(gate.Task).Call("ping").Call("ping").Call("ping")).Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Ping) with { Limits = new LlmLimits { ToolCalls = 2 } });
        await test.Model.ArrivedAsync(1);
        await job.SignalAsync(new LlmSignal.ChangeLimits(new LlmLimits { ToolCalls = 3 }));
        gate.SetResult();
        Assert.Equal("done", await job.Completion);
    }

    [Fact]
    public async Task Depth_AgentsBelowIt_AreNotCalled()
    {
        LlmAgent inner = new(new LlmAgentOptions { Id = "inner" });
        await using AgentTest test = new();
        test.Model.Call("inner", new { input = "x" }, "c1").Say("alone");
        Assert.Equal("alone", await test.RunAsync(AgentTest.Agent(LlmTool.Of(inner, "Helps.")) with { Limits = new LlmLimits { Depth = 0 } }));
        Assert.Contains("limit depth", test.Model.Requests[1].Results["c1"]);
    }

    private static LlmLimits Limits(string limit) => limit switch
    {
        "turns" => new LlmLimits { Turns = 3 },
        "tokens" => new LlmLimits { Tokens = 45 },
        "cost" => new LlmLimits { Cost = 0.045m },
        _ => new LlmLimits { ToolCalls = 2 },
    };
}
