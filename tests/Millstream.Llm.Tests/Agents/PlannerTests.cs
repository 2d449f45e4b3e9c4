using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

public sealed class PlannerTests
{
    // Plans here are numbers, and running one doubles it; the reader of workflow files is tested with the command.
    private sealed class NumberPlans : IWorkflowReader
    {
        public static Action Waits { get; set; } = () => { };

        public static Workflow<int, JsonElement> Double { get; } = Workflow.Define<int, JsonElement>("double", "1", w => w.Task("twice", AgentTask.Create<int, JsonElement>("twice",
            async (n, context) =>
            {
                if (n == 77)
                {
                    Waits();
                    await Task.Delay(Timeout.Infinite, context.CancellationToken);
                }
                return n == 13 ? throw new TerminalTaskException("unlucky") : JsonSerializer.SerializeToElement(n * 2);
            }), w.Input));

        public string Guide(WorkflowRules rules) => $"Answer with a number, by {string.Join(" or ", rules.Kinds)}.";

        public WorkflowReading Read(string text, WorkflowRules rules) => int.TryParse(text, out int n)
            ? new WorkflowReading([], Double.Agent, JsonSerializer.SerializeToElement(n))
            : new WorkflowReading([$"'{text}' is no number"], null, default);
    }

    private static LlmPlanner Planner(ToolApproval approval = ToolApproval.Never) =>
        new(AgentTest.Agent(), new PlanPolicy { Reader = new NumberPlans(), Rules = new WorkflowRules(["thinking"], "/"), Approval = approval });

    [Fact]
    public async Task Run_PlanWithFaults_IsMendedThenRun()
    {
        await using AgentTest test = new();
        test.Model.Say("many").Say("```\n21\n```");
        Job<JsonElement, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(Planner(), "how much?", new JobOptions { Verify = true });
        Assert.Equal(42, (await job.Completion).GetInt32());
        Assert.Equal("be brief\n\nAnswer with a number, by thinking.", test.Model.Requests[0].Messages[0].Text);
        Assert.Contains("'many' is no number", test.Model.Requests[1].LastText);
        List<LlmEvent> events = [];
        await foreach (LlmEvent e in job.StreamAsync())
            events.Add(e);
        Assert.Contains(new LlmEvent.PlanMade("21"), events);
        Assert.Contains(new LlmEvent.Answer("42"), events);
    }

    [Fact]
    public async Task Run_PlanFails_AnotherOneIsMade()
    {
        await using AgentTest test = new();
        test.Model.Say("13").Say("4");
        Job<JsonElement, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(Planner(), "how much?");
        Assert.Equal(8, (await job.Completion).GetInt32());
        Assert.Contains("The workflow failed: unlucky", test.Model.Requests[1].LastText);
    }

    [Fact]
    public async Task Run_TimeIsOverWhileThePlanRuns_EndsAndNamesTheLimit()
    {
        Microsoft.Extensions.Time.Testing.FakeTimeProvider time = new();
        await using AgentTest test = new(new OrchestratorOptions { Time = time });
        NumberPlans.Waits = () => time.Advance(TimeSpan.FromHours(1));
        test.Model.Always(_ => new ScriptedTurn().Say("77"));
        LlmPlanner planner = new(AgentTest.Agent() with { Limits = new LlmLimits { Time = TimeSpan.FromMinutes(1), Action = LimitAction.HandOver } },
            new PlanPolicy { Reader = new NumberPlans(), Rules = new WorkflowRules(["thinking"], "/") });
        Job<JsonElement, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(planner, "how much?");
        JobFailedException failed = await Assert.ThrowsAsync<JobFailedException>(() => job.Completion);
        Assert.Contains("its limit time is 60", failed.Message);
        Assert.Contains("its plan has not ended", failed.Message);
        Assert.Single(test.Model.Requests);
    }

    [Fact]
    public async Task Run_InterruptWhileAPlanWaits_GoesOnWithItsText()
    {
        await using AgentTest test = new();
        test.Model.Say("1").Say("2");
        Job<JsonElement, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(Planner(ToolApproval.Always), "how much?", new JobOptions { Verify = true });
        bool isInterrupted = false;
        await foreach (LlmEvent e in job.StreamAsync())
        {
            if (e is LlmEvent.ApprovalRequested { Request: { } request })
                await job.SignalAsync(isInterrupted ? new LlmSignal.ApproveToolCall(request.RequestId) : new LlmSignal.Interrupt("make it more"));
            isInterrupted |= e is LlmEvent.Interrupted;
        }
        Assert.Equal(4, (await job.Completion).GetInt32());
        Assert.Equal("make it more", test.Model.Requests[1].LastText);
    }

    [Fact]
    public async Task Run_PlanDeniedThenChanged_RunsWhatWasAllowed()
    {
        await using AgentTest test = new();
        test.Model.Say("1").Say("2");
        Job<JsonElement, LlmEvent, LlmSignal> job = await test.Orchestrator.CreateJobAsync(Planner(ToolApproval.Always), "how much?", new JobOptions { Verify = true });
        int asked = 0;
        await foreach (LlmEvent e in job.StreamAsync())
        {
            if (e is LlmEvent.ApprovalRequested { Request: { } request })
            {
                Assert.Equal(++asked == 1 ? "1" : "2", ((FunctionCallContent)request.ToolCall).Arguments!["plan"]!.ToString());
                await job.SignalAsync(asked == 1 ? new LlmSignal.DenyToolCall(request.RequestId, "too small")
                    : new LlmSignal.ApproveToolCall(request.RequestId, JsonSerializer.SerializeToElement(new { plan = "50" })));
            }
        }
        Assert.Equal((100, 2), ((await job.Completion).GetInt32(), asked));
        Assert.Contains("too small", test.Model.Requests[1].LastText);
    }
}
