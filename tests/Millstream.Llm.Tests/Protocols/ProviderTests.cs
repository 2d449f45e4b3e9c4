using System.Text.Json;
using Microsoft.Extensions.AI;
using Millstream.Llm.Tests.Endpoints;

namespace Millstream.Llm.Tests.Protocols;

/// <summary>Every provider's protocol against a server that speaks it: what streams, what calls tools, and what each fault becomes.</summary>
public sealed class ProviderTests(MockModels models)
{
    public static TheoryData<LlmProvider> All => [.. Enum.GetValues<LlmProvider>()];

    [Theory, MemberData(nameof(All))]
    public async Task Call_Text_StreamsInPieces(LlmProvider provider)
    {
        await models.AddAsync(Says($"say {provider}", "Hello from the other side of the wire."));
        await using CallBench bench = new(await ResourceAsync(provider, new TestTraffic(Name(provider))));
        List<string> pieces = [];
        LlmReply reply = await bench.CallAsync(new CallOf($"say {provider}") { OnUpdate = u => pieces.Add(u.Text) });
        Assert.Equal("Hello from the other side of the wire.", reply.Text);
        Assert.True(pieces.Count(p => p.Length > 0) > 1, $"came in {pieces.Count} pieces");
        Assert.Equal("stop", reply.FinishReason);
        // aimock's Ollama counts no tokens.
        if (provider is not LlmProvider.Ollama)
            Assert.Equal((21, 9), (reply.Usage.InputTokenCount, reply.Usage.OutputTokenCount));
        Assert.Single(await models.RequestsAsync(Name(provider)));
    }

    [Theory, MemberData(nameof(All))]
    public async Task Call_Tools_AreCalledAndTheirResultsRead(LlmProvider provider)
    {
        await models.AddAsync(
            new { match = new { userMessage = $"weather {provider}", hasToolResult = true }, response = new { content = "It is warm in both." } },
            new
            {
                match = new { userMessage = $"weather {provider}" },
                response = new { toolCalls = new[] { new { name = "weather", arguments = "{\"city\":\"Rome\"}" }, new { name = "weather", arguments = "{\"city\":\"Bonn\"}" } } },
            });
        await using CallBench bench = new(await ResourceAsync(provider, new TestTraffic(Name(provider))));
        CallOf call = new($"weather {provider}") { Options = new ChatOptions { Tools = [AIFunctionFactory.Create((string city) => city, "weather", "The weather of a city.")] } };
        LlmReply first = Copied(await bench.CallAsync(call));
        FunctionCallContent[] calls = [.. first.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>()];
        Assert.Equal(["weather Rome", "weather Bonn"], calls.Select(c => $"{c.Name} {c.Arguments!["city"]}"));
        Assert.Equal(2, calls.Select(c => c.CallId).Distinct().Count());
        Assert.Empty(first.ArgumentFaults);
        ChatMessage results = new(ChatRole.Tool, [.. calls.Select(c => new FunctionResultContent(c.CallId, "warm"))]);
        LlmReply second = await bench.CallAsync(call with { Messages = [.. call.Messages, .. first.Messages, results] });
        Assert.Equal("It is warm in both.", second.Text);
    }

    public static TheoryData<LlmProvider, string> Faults => [.. from p in Enum.GetValues<LlmProvider>() from f in (string[])["drop", "malformed", "disconnect", "ratelimit"] select new TheoryDataRow<LlmProvider, string>(p, f)];

    [Theory, MemberData(nameof(Faults))]
    public async Task Call_FaultOnce_IsTriedAgain(LlmProvider provider, string fault)
    {
        await models.AddAsync(Says($"{fault} {provider}", "It worked in the end."));
        TestTraffic traffic = new(Name(provider) + fault, fault);
        await using CallBench bench = new(await ResourceAsync(provider, traffic));
        // A refusal for lack of room does not count as an attempt.
        CallRun run = await bench.RunAsync(new CallOf($"{fault} {provider}") { Attempts = fault == "ratelimit" ? 1 : 2 });
        Assert.Equal("It worked in the end.", run.Reply?.Text);
        JobError error = Assert.Single(run.Retried);
        Assert.Equal(fault == "ratelimit" ? ErrorTypes.ResourceBusy : nameof(RetryableTaskException), error.Type);
        Assert.StartsWith("endpoint peer (model ", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, traffic.Count);
        Assert.DoesNotContain(PeerEndpoint.Canary, run.Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(All))]
    public async Task Call_CutWithinItsAnswer_IsTriedAgainWhole(LlmProvider provider)
    {
        string text = $"cut {provider}";
        object call = new { toolCalls = new[] { new { name = "weather", arguments = "{\"city\":\"Rome\"}" } }, content = "I shall look it up for you now." };
        await models.AddAsync(
            new { match = new { userMessage = text, sequenceIndex = 0 }, response = call, truncateAfterChunks = 4, latency = 5 },
            new { match = new { userMessage = text, sequenceIndex = 1 }, response = call });
        TestTraffic traffic = new(Name(provider));
        await using CallBench bench = new(await ResourceAsync(provider, traffic));
        CallRun run = await bench.RunAsync(new CallOf(text) { Attempts = 2 });
        Assert.NotNull(run.Reply);
        Assert.Single(run.Reply.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>());
        Assert.Equal("I shall look it up for you now.", run.Reply.Text);
        Assert.Contains("broke off its answer", Assert.Single(run.Retried).Message, StringComparison.Ordinal);
        Assert.Equal(2, traffic.Count);
    }

    private static object Says(string to, string text) => new
    {
        match = new { userMessage = to },
        response = new { content = text, usage = new { prompt_tokens = 21, completion_tokens = 9, total_tokens = 30, input_tokens = 21, output_tokens = 9 } },
    };

    private static string Name(LlmProvider provider, [System.Runtime.CompilerServices.CallerMemberName] string test = "") => $"{test}-{provider}";

    // As a durable job reads it.
    private static LlmReply Copied(LlmReply reply) => JsonSerializer.Deserialize<LlmReply>(JsonSerializer.Serialize(reply, AgentContract.DefaultOptions), AgentContract.DefaultOptions)!;

    private async Task<LlmResource> ResourceAsync(LlmProvider provider, TestTraffic traffic) => new(PeerEndpoint.Of(provider, await models.UrlAsync()), null, null, false, traffic);
}
