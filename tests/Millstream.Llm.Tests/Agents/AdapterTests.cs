using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests;

public sealed class AdapterTests
{
    [Fact]
    public async Task ChatClient_Streaming_ShowsTextAndToolsAndIsNotInvokedAgain()
    {
        int ran = 0;
        LlmTool tool = LlmTool.Of(() => ++ran, "count", "Counts.");
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Think("let me see").Say("I count.").Call("count", callId: "c1")).Say("It is one.");
        LlmAgent<LlmConversation, string> agent = new(AgentTest.Agent(tool), c => c.Messages);
        using IChatClient client = new AgentChatClient(test.Orchestrator, agent).AsBuilder().UseFunctionInvocation().Build();

        ChatResponse response = await client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, "one?"), new ChatMessage(ChatRole.Assistant, "?"), new ChatMessage(ChatRole.User, "count")],
            new ChatOptions { Tools = [AIFunctionFactory.Create(() => "not me", "count")] }).ToChatResponseAsync();

        Assert.Equal(1, ran);
        Assert.Equal("It is one.", response.Messages[^1].Text);
        Assert.Equal("I count.", response.Messages[0].Text);
        Assert.Equal("1", Assert.Single(response.Messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>()).Result!.ToString());
        Assert.Equal(30, response.Usage!.TotalTokenCount);
        Assert.Equal(["be brief", "one?", "?", "count"], test.Model.Requests[0].Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task ChatClient_Response_IsTheAnswerWithTheUsageOfAllTurns()
    {
        await using AgentTest test = new();
        test.Model.Call("count").Say("one");
        LlmAgent<LlmConversation, string> agent = new(AgentTest.Agent(LlmTool.Of(() => 1, "count", "")), c => c.Messages);
        ChatResponse response = await new AgentChatClient(test.Orchestrator, agent).GetResponseAsync("count");
        Assert.Equal(("one", 30), (response.Text, response.Usage!.TotalTokenCount));
    }

    [Fact]
    public async Task ChatClient_ReaderLeaves_JobIsCancelled()
    {
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using AgentTest test = new();
        test.Model.Then(new ScriptedTurn().Say("one two three").Wait(never.Task));
        AgentChatClient client = new(test.Orchestrator, new LlmAgent<LlmConversation, string>(AgentTest.Agent(), c => c.Messages));
        await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync("count"))
            break;
        await foreach (JobSummary job in test.Orchestrator.ListJobsAsync())
            Assert.IsType<JobEnding.Cancelled>(await (await test.Orchestrator.GetJobAsync(job.Id))!.Ending);
    }

    [Fact]
    public async Task AIFunction_OfAnAgent_RunsAJobAndChecksItsArguments()
    {
        await using AgentTest test = new();
        test.Model.Say("hello Ada");
        AIFunction function = new LlmAgent(AgentTest.Agent()).AsAIFunction(test.Orchestrator, "Greets.", "greet");

        Assert.Equal("hello Ada", await function.InvokeAsync(new AIFunctionArguments { ["input"] = "greet Ada" }));
        Assert.Equal("greet Ada", test.Model.Requests[0].LastText);
        await Assert.ThrowsAsync<ArgumentException>(async () => await function.InvokeAsync(new AIFunctionArguments { ["input"] = 3 }));
    }
}
