using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

public sealed class LlmAgentTests
{
    private static LlmTool Add { get; } = LlmTool.Of((int a, int b) => a + b, "add", "Adds two numbers.");

    [Fact]
    public async Task Run_PlainAnswer_StreamsTextAndGivesIt()
    {
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Think("Hm, hm.").Say("Hello to all of you."));
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(), "greet");

        Assert.Equal("Hello to all of you.", await job.Completion);
        List<JobEvent> entries = [];
        await foreach (JobEvent e in job.EventsAsync())
            entries.Add(e);
        JobEvent[] deltas = [.. entries.Where(e => e.Kind == JobEventKinds.TaskDelta)];
        Assert.Equal("Hm, hm.", string.Concat(deltas.Where(d => d.Stream == "reasoning").Select(d => System.Text.Encoding.UTF8.GetString(d.Bytes.Span))));
        Assert.Equal("Hello to all of you.", string.Concat(deltas.Where(d => d.Stream == "text").Select(d => System.Text.Encoding.UTF8.GetString(d.Bytes.Span))));
        LlmEvent[] events = [.. entries.Select(e => e.Value).OfType<LlmEvent>()];
        Assert.Equal(new LlmEvent.Thought("Hm, hm."), events[0]);
        LlmEvent.TurnCompleted turn = Assert.IsType<LlmEvent.TurnCompleted>(events[1]);
        Assert.Equal((1, 15, 0.015m, "test"), (turn.Turn, turn.Usage.TotalTokenCount, turn.Cost, turn.Endpoint));
        Assert.Equal(new LlmEvent.Answer("Hello to all of you."), events[2]);
        Assert.Equal(["system: be brief", "user: greet"], test.Model.Requests[0].Messages.Select(m => $"{m.Role}: {m.Text}"));
    }

    [Fact]
    public async Task Run_TwoCallsInATurn_RunBesideEachOtherAndComeBackInTheirOrder()
    {
        TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LlmTool waits = LlmTool.Of(async () =>
        {
            await first.Task;
            return "late";
        }, "waits", "");
        LlmTool opens = LlmTool.Of(() =>
        {
            first.TrySetResult();
            return "early";
        }, "opens", "");
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Say("Both.").Call("waits", callId: "one").Call("opens", callId: "two")).Say("done");

        Assert.Equal("done", await test.RunAsync(AgentTest.Agent(waits, opens)));

        ScriptedRequest second = test.Model.Requests[1];
        Assert.Equal(["one", "two"], second.Messages[^1].Contents.OfType<FunctionResultContent>().Select(r => r.CallId));
        Assert.Equal(("late", "early"), (second.Results["one"], second.Results["two"]));
        AgentTest.IsConsistent(second.Messages);
    }

    [Theory]
    [InlineData("nothing", """{"a":1}""", "there is no tool 'nothing'; there are add")]
    [InlineData("add", """{"a":"x","b":2}""", "the arguments do not fit the schema of add: /a")]
    [InlineData("add", """{"a":1}""", "the arguments do not fit the schema of add")]
    public async Task Run_WrongCall_IsToldToTheModel(string tool, string arguments, string told)
    {
        await using AgentTest test = new();
        test.Model.Call(tool, JsonSerializer.Deserialize<JsonElement>(arguments), "c1").Say("sorry");

        Assert.Equal("sorry", await test.RunAsync(AgentTest.Agent(Add)));

        Assert.StartsWith($"error: {told}", test.Model.Requests[1].Results["c1"]);
        AgentTest.IsConsistent(test.Model.Requests[1].Messages);
    }

    [Fact]
    public async Task Run_ToolThrows_ModelIsToldAndTheJobGoesOn()
    {
        await using AgentTest test = new();
        test.Model.Call("breaks", callId: "c1").Say("it broke");

        Assert.Equal("it broke", await test.RunAsync(AgentTest.Agent(LlmTool.Of((Func<string>)(() => throw new InvalidOperationException("no paper")), "breaks", ""))));

        Assert.Equal("error: no paper", test.Model.Requests[1].Results["c1"]);
    }

    private sealed record Positive
    {
        public Positive(int value) => Value = value > 0 ? value : throw new ArgumentException($"{value} is not above 0");

        public int Value { get; }
    }

    [Fact]
    public async Task Run_InputThatItsTypeRefuses_IsToldToTheModel()
    {
        AgentTask<Positive, int> half = AgentTask.Create<Positive, int>("half", (p, _) => Task.FromResult(p.Value / 2));
        await using AgentTest test = new();
        test.Model.Call("half", new { value = -2 }, "c1").Say("sorry");
        Assert.Equal("sorry", await test.RunAsync(AgentTest.Agent(LlmTool.Of(half, "Halves."))));
        Assert.Equal("error: -2 is not above 0", test.Model.Requests[1].Results["c1"]);
    }

    [Fact]
    public async Task Run_IdsThatAShellWouldObey_AreNotTaken()
    {
        await using AgentTest test = new();
        test.Model.Call("add", new { a = 1, b = 1 }, "x'; rm -rf /; '").Say("done");
        await test.RunAsync(AgentTest.Agent(Add));
        Assert.Equal("call_1_0", Assert.Single(test.Model.Requests[1].Results).Key);
    }

    [Fact]
    public async Task Run_IdsThatRepeatOrLack_EachCallHasItsOwn()
    {
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Call("add", new { a = 1, b = 1 }, "x").Call("add", new { a = 2, b = 2 }, "x").Call("add", new { a = 3, b = 3 }, ""))
            .Call("add", new { a = 4, b = 4 }, "x").Say("done");

        Assert.Equal("done", await test.RunAsync(AgentTest.Agent(Add)));

        AgentTest.IsConsistent(test.Model.Requests[2].Messages);
        Assert.Equal(["2", "4", "6", "8"], test.Model.Requests[2].Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().Select(r => r.Result!.ToString()));
    }

    [Fact]
    public async Task Run_LongOutput_IsCutInTheMiddleAndSaysSo()
    {
        LlmTool tool = LlmTool.Of(() => new string('a', 500) + new string('z', 500), "talks", "", new LlmToolOptions { OutputLimit = 100 });
        await using AgentTest test = new();
        test.Model.Call("talks", callId: "c1").Say("done");

        await test.RunAsync(AgentTest.Agent(tool));

        string seen = test.Model.Requests[1].Results["c1"];
        Assert.StartsWith(new string('a', 50) + "\n… (900 of 1000 characters", seen);
        Assert.EndsWith(new string('z', 50), seen);
    }

    private sealed record Weather(string City, int Degrees);

    [Fact]
    public async Task Run_TypedOutput_IsRepaired()
    {
        await using AgentTest test = new();
        test.Model.Say("It is warm.").Say("""{"city":"Ulm"}""").Say("""```json{"city":"Ulm","degrees":21}```""".Replace("json{", "json\n{").Replace("}```", "}\n```"));

        Job<Weather, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(new LlmAgent<Weather>(AgentTest.Agent()), "weather?", new JobOptions { Verify = true });

        Assert.Equal(new Weather("Ulm", 21), await job.Completion);
        Assert.Contains("degrees", test.Model.Requests[2].LastText);
        Assert.IsType<ChatResponseFormatJson>(test.Model.Requests[0].Options!.ResponseFormat);
    }

    [Fact]
    public async Task Run_TypedOutputNeverFits_FailsAndSaysWhy()
    {
        await using AgentTest test = new();
        test.Model.Always(_ => new ScriptedTurn().Say("no json"));

        Job<int[], LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(new LlmAgent<int[]>(AgentTest.Agent()), "numbers?");

        JobFailedException failed = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Equal(nameof(LlmOutputException), failed.Error.Type);
        Assert.Contains("after 2 repairs", failed.Message);
        Assert.Equal(3, test.Model.Requests.Count);
    }

    [Fact]
    public async Task Run_TypedOutputThatIsNoObject_IsWrapped()
    {
        await using AgentTest test = new();
        test.Model.Say("""{"result":[3,4]}""");
        Job<int[], LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(new LlmAgent<int[]>(AgentTest.Agent()), "numbers?");
        Assert.Equal<IEnumerable<int>>([3, 4], await job.Completion);
    }

    [Fact]
    public async Task Run_AgentAndWorkflowAsTools_AreChildJobs()
    {
        LlmAgent reader = new(new LlmAgentOptions { Id = "reader" });
        Workflow<string, int> count = Workflow.Define<string, int>("count", "1", w => w.Task("n", AgentTask.Create<string, int>("length", (text, _) => Task.FromResult(text.Length)), w.Input));
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Call("reader", new { input = "read it" }, "r").Call("count", new { input = "four" }, "w"))
            .Always(request => new ScriptedTurn().Say(request.LastText == "read it" ? "it says yes" : "done"));

        Assert.Equal("done", await test.RunAsync(AgentTest.Agent(LlmTool.Of(reader, "Reads."), LlmTool.Of(count, "Counts."))));

        ScriptedRequest last = test.Model.Requests[^1];
        Assert.Equal(("it says yes", "4"), (last.Results["r"], last.Results["w"]));
    }

    [Fact]
    public async Task Run_ToolWithTaskContext_ShowsItsDeltas()
    {
        LlmTool tool = LlmTool.Of((string word, TaskContext context) =>
        {
            context.Delta($"about {word}");
            return "done";
        }, "talk", "Talks.");
        await using AgentTest test = new();
        test.Model.Call("talk", new { word = "mills" }, "c1").Say("end");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(tool));
        await job.Completion;

        bool isShown = false;
        await foreach (JobEvent e in job.EventsAsync())
            isShown |= e.Kind == JobEventKinds.TaskDelta && e.Task == "talk[c1]" && System.Text.Encoding.UTF8.GetString(e.Bytes.Span) == "about mills";
        Assert.True(isShown);
        Assert.DoesNotContain("context", tool.InputSchema.GetRawText());
    }

    [Fact]
    public async Task Run_ContextPolicy_KeepsThePromptAndWholeRounds()
    {
        await using AgentTest test = new();
        for (int i = 0; i < 8; i++)
            test.Model.Call("add", new { a = i, b = i });
        test.Model.Say("done");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(Add) with { Context = new ContextPolicy(6) }, "the prompt");

        await job.Completion;

        Assert.All(test.Model.Requests, r => AgentTest.IsConsistent(r.Messages));
        Assert.All(test.Model.Requests, r => Assert.Equal("the prompt", r.Messages[1].Text));
        Assert.All(test.Model.Requests, r => Assert.InRange(r.Messages.Count, 2, 7));
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.NotEmpty(events.OfType<LlmEvent.ContextReduced>());
    }
}
