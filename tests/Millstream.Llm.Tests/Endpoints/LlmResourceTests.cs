using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class LlmResourceTests
{
    [Fact]
    public async Task Call_Text_ComesInPiecesAndAsReply()
    {
        ScriptedChatClient client = new ScriptedChatClient().Says("one two three", input: 7, output: 3);
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { Price = new LlmPrice(1_000_000, 2_000_000) }, client));
        List<string> pieces = [];
        LlmReply reply = await bench.CallAsync(new CallOf { OnUpdate = u => pieces.Add(u.Text) });
        Assert.Equal(["one ", "two ", "three", "", ""], pieces);
        Assert.Equal("one two three", reply.Text);
        Assert.Equal((13m, "stop", "scripted-model", "one", false), (reply.Cost, reply.FinishReason, reply.Model, reply.Endpoint, reply.Replayed));
        Assert.Equal((7, 3), (reply.Usage.InputTokenCount, reply.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task Reply_AsJson_ComesBackTheSame()
    {
        FunctionCallContent broken = new("c1", "search") { Exception = new JsonException("no end") };
        ScriptedChatClient client = new ScriptedChatClient().Turn(ScriptedChatClient.Reasoning("hm"), "text", new(new ChatResponseUpdate(ChatRole.Assistant, [broken])), ScriptedChatClient.Stop(ChatFinishReason.ToolCalls));
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), client));
        LlmReply reply = await bench.CallAsync(new CallOf());
        Assert.Equal("no end", reply.ArgumentFaults["c1"]);
        string json = JsonSerializer.Serialize(reply, AgentContract.DefaultOptions);
        LlmReply back = JsonSerializer.Deserialize<LlmReply>(json, AgentContract.DefaultOptions)!;
        Assert.Equal(json, JsonSerializer.Serialize(back, AgentContract.DefaultOptions));
        Assert.Equal(["TextReasoningContent", "TextContent", "FunctionCallContent"], back.Messages.Single().Contents.Select(c => c.GetType().Name));
        Assert.Equal("no end", back.ArgumentFaults["c1"]);
    }
}
