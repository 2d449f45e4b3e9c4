using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

public sealed class SignalTests
{
    private int _ran;

    private LlmTool Guarded => LlmTool.Of(new ApprovalRequiredAIFunction(AIFunctionFactory.Create((string what) => $"{++_ran}: {what}", "act", "Acts.")));

    [Fact]
    public async Task Approve_WithOtherArguments_RunsWithThem()
    {
        await using AgentTest test = new();
        test.Model.Call("act", new { what = "harm" }, "c1").Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Guarded));
        LlmEvent.ApprovalRequested asked = await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        Assert.Equal(0, _ran);

        Assert.Equal("c1", asked.Request.RequestId);
        await job.SignalAsync(new LlmSignal.ApproveToolCall("nobody"));
        await job.SignalAsync(new LlmSignal.ApproveToolCall("c1", JsonSerializer.SerializeToElement(new { what = "good" })));

        Assert.Equal("done", await job.Completion);
        // The model learns that it is not what it asked for.
        Assert.Equal("(a person let it run with other arguments: {\"what\":\"good\"})\n1: good", test.Model.Requests[1].Results["c1"]);
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Contains(events.OfType<LlmEvent.SignalIgnored>(), e => e.Reason == "no tool call 'nobody' waits for it; there wait c1");
    }

    [Fact]
    public async Task Approve_ArgumentsThatDoNotFit_ToolDoesNotRun()
    {
        await using AgentTest test = new();
        test.Model.Call("act", new { what = "harm" }, "c1").Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Guarded));
        await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        await job.SignalAsync(new LlmSignal.ApproveToolCall("c1", JsonSerializer.SerializeToElement(new { what = 3 })));
        await job.Completion;
        Assert.Equal(0, _ran);
        Assert.StartsWith("error: the arguments do not fit", test.Model.Requests[1].Results["c1"]);
    }

    [Fact]
    public async Task Deny_ToolDoesNotRunAndTheModelHearsWhy()
    {
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Call("act", new { what = "a" }, "c1").Call("act", new { what = "b" }, "c2")).Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Guarded));
        await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        await job.SignalAsync(new LlmSignal.DenyToolCall("c1", "too dear"));
        await job.SignalAsync(new LlmSignal.ApproveToolCall("c2"));

        Assert.Equal("done", await job.Completion);
        Assert.Equal("error: the call was not allowed: too dear", test.Model.Requests[1].Results["c1"]);
        Assert.Equal("1: b", test.Model.Requests[1].Results["c2"]);
        AgentTest.IsConsistent(test.Model.Requests[1].Messages);
    }

    [Fact]
    public async Task Steer_WhileTheModelTalks_EntersAtTheNextTurn()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Say("One ").Wait(gate.Task).Say("two.")).Say("three");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent());
        await test.Model.ArrivedAsync(1);
        await job.SignalAsync(new LlmSignal.Steer("and then?"));
        gate.SetResult();

        Assert.Equal("three", await job.Completion);
        Assert.Equal(["be brief", "go", "One two.", "and then?"], test.Model.Requests[1].Messages.Select(m => m.Text));
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Single(events.OfType<LlmEvent.Answer>());
        Assert.Contains(new LlmEvent.Steered("and then?"), events);
    }

    [Fact]
    public async Task Interrupt_WhileTheModelTalks_KeepsWhatWasSaidAndWaitsForAMessage()
    {
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Say("One two").Wait(never.Task)).Say("fine");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent());
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (e.Kind == JobEventKinds.TaskDelta && System.Text.Encoding.UTF8.GetString(e.Bytes.Span).Contains("two"))
                break;
        }
        await job.SignalAsync(new LlmSignal.Interrupt());
        await AgentTest.UntilAsync<LlmEvent.Interrupted>(job);
        Assert.Single(test.Model.Requests);
        await job.SignalAsync(new LlmSignal.Steer("stop counting"));

        Assert.Equal("fine", await job.Completion);
        Assert.Equal(["be brief", "go", "One two", "stop counting"], test.Model.Requests[1].Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Interrupt_WhileToolsRun_EachCallHasAResult()
    {
        LlmTool slow = LlmTool.Of(async (CancellationToken token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return "never";
        }, "slow", "");
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Call("slow", callId: "c1").Call("act", new { what = "x" }, "c2")).Say("fine");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(slow, Guarded));
        await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        await job.SignalAsync(new LlmSignal.Interrupt("do something else"));

        Assert.Equal("fine", await job.Completion);
        AgentTest.IsConsistent(test.Model.Requests[1].Messages);
        Assert.Equal("do something else", test.Model.Requests[1].LastText);
        Assert.Equal(0, _ran);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("go on with this")]
    public async Task Interrupt_WhileACallWaits_IsObeyedBeforeTheModelIsAskedAgain(string? text)
    {
        await using AgentTest test = new();
        test.Model.Call("act", new { what = "x" }, "c1").Say("fine");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Guarded));
        await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        await job.SignalAsync(new LlmSignal.Interrupt(text));
        await AgentTest.UntilAsync<LlmEvent.Interrupted>(job);
        if (text is null)
        {
            Assert.Single(test.Model.Requests);
            await job.SignalAsync(new LlmSignal.Steer("then this"));
        }
        Assert.Equal("fine", await job.Completion);
        Assert.Equal(text ?? "then this", test.Model.Requests[1].LastText);
        Assert.Equal(0, _ran);
    }

    [Fact]
    public async Task Cancel_WhileToolsRun_NoCallIsLeftOpenInTheStream()
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LlmTool slow = LlmTool.Of(async (CancellationToken token) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, token);
            return "never";
        }, "slow", "");
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Call("slow", callId: "c1").Call("act", new { what = "x" }, "c2"));
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(slow, Guarded));
        await started.Task;
        await AgentTest.UntilAsync<LlmEvent.ApprovalRequested>(job);
        await job.CancelAsync("enough");

        await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Equal(["c1", "c2"], events.OfType<LlmEvent.ToolCallFailed>().Where(f => f.Reason == ToolFailure.Stopped).Select(f => f.CallId).Order());
    }
}
