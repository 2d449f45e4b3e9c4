using System.Text.Json;
using Microsoft.Extensions.AI;
using Millstream.Llm.Tests.Endpoints;

namespace Millstream.Llm.Tests.Protocols;

/// <summary>Every provider's protocol against a server that speaks it: what streams, what calls tools, and what each fault becomes.</summary>
public sealed class ProviderTests(MockModels models)
{
    internal const string Canary = "sk-canary-8d1f2c7ae55b4c0d";

    public static TheoryData<LlmProvider> All => [.. Enum.GetValues<LlmProvider>()];

    [Theory, MemberData(nameof(All))]
    public async Task Call_Text_StreamsInPieces(LlmProvider provider)
    {
        await models.AddAsync(new { match = new { userMessage = $"say {provider}" }, response = new { content = "Hello from the other side of the wire.", reasoning = "Let me think about it." } });
        await using CallBench bench = await BenchAsync(provider, nameof(Call_Text_StreamsInPieces));
        List<string> pieces = [];
        LlmReply reply = await bench.CallAsync(new CallOf($"say {provider}") { OnUpdate = u => pieces.Add(u.Text) });
        Assert.Equal("Hello from the other side of the wire.", reply.Text);
        Assert.True(pieces.Count(p => p.Length > 0) > 1, $"came in {pieces.Count} pieces");
        Assert.Equal("stop", reply.FinishReason);
        Assert.True(reply.Usage.OutputTokenCount > 0, "no usage");
    }

    private async Task<CallBench> BenchAsync(LlmProvider provider, string test, params string?[] faults) => new(TimeProvider.System, await ResourceAsync(provider, new TestTraffic($"{test}-{provider}", faults)));

    private async Task<LlmResource> ResourceAsync(LlmProvider provider, TestTraffic traffic) => new(await EndpointAsync(provider), null, null, false, traffic);

    private async Task<LlmEndpoint> EndpointAsync(LlmProvider provider)
    {
        string url = await models.UrlAsync();
        Environment.SetEnvironmentVariable("MILLSTREAM_TEST_CANARY", Canary);
        return new LlmEndpoint
        {
            Id = "peer",
            Provider = provider,
            Model = provider switch { LlmProvider.Anthropic => "claude-sonnet-4-5", LlmProvider.Ollama => "llama3.2", _ => "gpt-4o-mini" },
            BaseUrl = provider is LlmProvider.OpenAI or LlmProvider.OpenAIResponses ? url + "/v1" : url,
            ApiKey = Secret.FromEnvironment("MILLSTREAM_TEST_CANARY"),
            ApiVersion = provider is LlmProvider.Azure ? "2024-10-21" : null,
        };
    }
}
