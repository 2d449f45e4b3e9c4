using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class LlmChatKindTests
{
    [Fact]
    public async Task Run_Prompt_GivesTextUsageAndCost()
    {
        ScriptedChatClient client = new ScriptedChatClient().Says("two words", 10, 5);
        (JsonElement? output, IReadOnlyList<JobEvent> events) = await RunAsync(client, """{"model":"fast","system":"be brief","prompt":"hi","temperature":0.5,"max_tokens":50}""");
        Assert.Equal("""{"text":"two words","json":null,"model":"scripted-model","usage":{"input":10,"output":5,"cached":null},"cost":0.00002,"replayed":false}""", output?.GetRawText());
        Assert.Equal("two words", string.Concat(events.Where(e => e.Stream == "text").Select(e => System.Text.Encoding.UTF8.GetString(e.Bytes.Span))));
        var request = Assert.Single(client.Requests);
        Assert.Equal(["system be brief", "user hi"], request.Messages.Select(m => $"{m.Role.Value} {m.Text}"));
        Assert.Equal((0.5f, 50, "scripted-model"), (request.Options?.Temperature, request.Options?.MaxOutputTokens, request.Options?.ModelId));
    }

    [Fact]
    public async Task Run_Output_GivesJsonThatFits()
    {
        const string With = """{"messages":[{"role":"user","content":"give"}],"output":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}""";
        ScriptedChatClient client = new ScriptedChatClient().Says("""{"n":3}""").Says("""{"n":"three"}""");
        (JsonElement? output, _) = await RunAsync(client, With);
        Assert.Equal(3, output?.GetProperty("json").GetProperty("n").GetInt32());
        Assert.IsType<ChatResponseFormatJson>(client.Requests[0].Options?.ResponseFormat);
        (_, IReadOnlyList<JobEvent> events) = await RunAsync(client, With);
        Assert.Contains("llm.chat: the answer does not fit 'output': /n", events[^1].Error?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "there is nothing to answer; give 'prompt'")]
    [InlineData("""{"prompt":"x","temperature":3}""", "temperature is 3; give 0 to 2")]
    [InlineData("""{"prompt":"x","max_tokens":0}""", "max_tokens is 0; give 1 or more")]
    [InlineData("""{"messages":[{"role":"robot","content":"x"}]}""", "a message has the role 'robot'; give system, user or assistant")]
    [InlineData("""{"prompt":"x","output":"no"}""", "'output' is no JSON schema")]
    [InlineData("""{"prompt":"x","model":"nobody"}""", "no worker offers a llm with nobody (1 llm has the labels fast, one, scripted-model)")]
    public async Task Run_WrongInput_FailsSayingWhat(string with, string message)
    {
        ScriptedChatClient client = new();
        (_, IReadOnlyList<JobEvent> events) = await RunAsync(client, with);
        Assert.Contains(message, events[^1].Error?.Message, StringComparison.Ordinal);
        Assert.Empty(client.Requests);
    }

    private static async Task<(JsonElement? Output, IReadOnlyList<JobEvent> Events)> RunAsync(ScriptedChatClient client, string with)
    {
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { Labels = ["fast"], Price = new LlmPrice(1, 2) }, client));
        var job = await bench.Orchestrator.CreateJobAsync(new Chat(), JsonSerializer.Deserialize<JsonElement>(with));
        List<JobEvent> events = [];
        await foreach (JobEvent entry in job.EventsAsync())
            events.Add(entry);
        return (events[^1].Kind == JobEventKinds.JobCompleted ? await job.Completion : null, events);
    }

    private sealed class Chat : Agent<JsonElement, JsonElement>
    {
        protected override Task<JsonElement> RunCoreAsync(JsonElement input, AgentContext context) => context.RunAsync(LlmChatKind.Kind.Make(new TaskKindUse("chat", "")), input);
    }
}
