using System.Text.Json.Serialization;

namespace Millstream.Testing.Tests;

public sealed class AgentContractTests
{
    private static readonly AgentContractOptions Hasty = new() { Patience = TimeSpan.FromMilliseconds(50), MaxPlaces = 4 };

    [Fact]
    public void Greeter_IsThatOfTheSample() =>
        Assert.EndsWith(File.ReadAllText(Path.Combine(Root, "tests/Millstream.Testing.Tests/Greeter.cs")).Split("\n\n", 2)[1], File.ReadAllText(Path.Combine(Root, "samples/hello/hello.cs")), StringComparison.Ordinal);

    [Fact]
    public async Task CheckAsync_Greeter_KeepsIt() => await AgentContractTest.CheckAsync(() => new Greeter(), "Ada", new AgentContractOptions
    {
        Drive = async (e, job) =>
        {
            if (e is { Kind: JobEventKinds.QuestionAsked })
                await job.AnswerAsync(e.Question!, true);
        },
    });

    [Fact]
    public async Task CheckAsync_LlmAgentWithTools_KeepsIt()
    {
        int added = 0;
        await AgentContractTest.CheckAsync(() => new LlmAgent(new LlmAgentOptions
        {
            Id = "adder",
            Instructions = "add",
            Tools = [LlmTool.Of((int a, int b) => Interlocked.Increment(ref added) + a + b, "add", "Adds."), LlmTool.Of(() => "noon", "clock", "Tells the time.", new LlmToolOptions { Approval = ToolApproval.Always })],
        }), "1 + 2, and what time is it?", new AgentContractOptions
        {
            // What a model says must follow from what it is asked, since a call that a crash cut off is made again.
            Model = () => new ScriptedModel().Always(r => r.Messages.Count(m => m.Role == Microsoft.Extensions.AI.ChatRole.Tool) switch
            {
                0 => new ScriptedTurn().Think("Two things.").Call("add", new { a = 1, b = 2 }, "c1").Call("clock", callId: "c2"),
                _ => new ScriptedTurn().Say("It is 3 and noon."),
            }),
            Drive = async (e, job) =>
            {
                if (e is { Kind: JobEventKinds.QuestionAsked })
                    await job.AnswerAsync(e.Question!, true);
                if (e.Value is LlmEvent.ApprovalRequested asked)
                    await ((Job<string, LlmEvent, LlmSignal>)job).SignalAsync(new LlmSignal.ApproveToolCall(asked.Request.ToolCall.CallId), asked.Request.ToolCall.CallId);
            },
            MaxPlaces = 40,
        });
        Assert.True(added > 1);
    }

    [Fact]
    public async Task CheckAsync_DelaysSignalsAndCleanUp_KeepsIt() => await AgentContractTest.CheckAsync(() => Agents.Make(async c =>
    {
        try
        {
            string signal = await c.Signals.NextAsync();
            await c.DelayAsync(TimeSpan.FromDays(1));
            return $"{signal} {c.NewId()} {c.Now:O}";
        }
        finally
        {
            await c.CleanUpAsync(TimeSpan.FromSeconds(5), () => c.StepAsync("tidy", _ => Task.FromResult("tidy")));
        }
    }), "", new AgentContractOptions { Drive = async (e, job) => _ = e.Kind == JobEventKinds.JobStarted ? await ((Job<string, string, string>)job).SignalAsync("go", "go") : default });

    public static TheoryData<string> Outside => ["clock", "id", "chance", "state"];

    [Theory]
    [MemberData(nameof(Outside))]
    public async Task CheckAsync_BodyReadsFromOutside_IsTold(string what)
    {
        int runs = 0;
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => Agents.Make(c =>
        {
            c.Emit(what switch { "clock" => $"{DateTime.UtcNow.Ticks}", "id" => $"{Guid.NewGuid()}", "chance" => $"{Random.Shared.NextInt64()}", _ => $"{++runs}" });
            return Task.FromResult("");
        }), ""));
        Assert.Equal("agent body", e.What);
        Assert.Contains("does not do the same each time", Assert.Single(e.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_TaskDoesNotHearTheCancel_IsTold()
    {
        TaskCompletionSource never = new();
        int runs = 0;
        // Its first run goes through; in each other one it does not look at its token.
        AgentTask<string, string> deaf = AgentTask.Create<string, string>("deaf", async (_, _) =>
        {
            if (Interlocked.Increment(ref runs) > 1)
                await never.Task;
            return "";
        });
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => Agents.Make(c => c.RunAsync(deaf, "")), "", Hasty));
        never.SetResult();
        Assert.Contains(e.Faults, f => f.StartsWith("cancelled at entry 3 (task.started deaf): task deaf of job contract is stopping", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckAsync_BodySwallowsTheCancel_IsTold()
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => Agents.Make(async c =>
        {
            try
            {
                await c.DelayAsync(TimeSpan.FromDays(1));
            }
            catch (OperationCanceledException)
            {
                await c.CleanUpAsync(TimeSpan.FromHours(2), () => c.DelayAsync(TimeSpan.FromHours(1)));
            }
            return "";
        }), ""));
        Assert.All(e.Faults, f => Assert.Matches("^cancelled at entry [12] .*: it ends 3600 s after the cancel, and the grace period is 10 s", f));
        Assert.Equal(2, e.Faults.Count);
    }

    [Fact]
    public async Task CheckAsync_BodyFails_IsToldWithItsError()
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => Agents.Make(_ => throw new InvalidOperationException("no paper")), ""));
        Assert.Equal(["it fails: no paper"], e.Faults);
    }

    [Fact]
    public async Task CheckAsync_NobodyAnswers_SaysWhatItWaitsFor()
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => Agents.Make(async c => $"{await c.AskAsync(new Proceed("on?"))}"), ""));
        string fault = Assert.Single(e.Faults);
        Assert.StartsWith("it does not end and waits for an answer to question q1", fault, StringComparison.Ordinal);
        Assert.EndsWith(", which AgentContractOptions.Drive does not bring", fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_StateBetweenLives_IsToldAsASuspendedJob()
    {
        int lives = 0;
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => new Counting(++lives), ""));
        Assert.Contains(e.Faults, f => f.StartsWith("after a crash before append", StringComparison.Ordinal) && f.Contains("it cannot go on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckAsync_TypesThatJsonLoses_AreListed()
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => new Lossy(), new Hidden(3)));
        Assert.Contains("the event type Shape is abstract and names no subtypes", Assert.Single(e.Faults), StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ContractException>(() => AgentContractTest.CheckAsync(() => new Forgetful(), new Hidden(3)));
        Assert.StartsWith("the input does not survive JSON", Assert.Single(e.Faults), StringComparison.Ordinal);
    }

    private static string Root
    {
        get
        {
            DirectoryInfo folder = new(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "Millstream.slnx")))
                folder = folder.Parent!;
            return folder.FullName;
        }
    }

    private sealed class Counting(int life) : Agent<string, string>
    {
        protected override Task<string> RunCoreAsync(string input, AgentContext context) => context.RunAsync(Agents.Echo, $"life {life}");
    }

    internal abstract record Shape;

    internal sealed record Hidden([property: JsonIgnore] int Number)
    {
        public int Twice => Number * 2;
    }

    private sealed class Lossy : Agent<Hidden, string, Shape>
    {
        protected override Task<string> RunCoreAsync(Hidden input, AgentContext<Shape> context) => Task.FromResult("");
    }

    private sealed class Forgetful : Agent<Hidden, string>
    {
        protected override Task<string> RunCoreAsync(Hidden input, AgentContext context) => Task.FromResult("");
    }
}
