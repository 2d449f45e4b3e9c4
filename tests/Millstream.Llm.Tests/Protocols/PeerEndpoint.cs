namespace Millstream.Llm.Tests.Protocols;

/// <summary>Endpoints at servers of tests, with a key that must never be seen.</summary>
internal static class PeerEndpoint
{
    public const string Canary = "sk-canary-8d1f2c7ae55b4c0d";
    public const string Variable = "MILLSTREAM_TEST_CANARY";

    static PeerEndpoint() => Environment.SetEnvironmentVariable(Variable, Canary);

    public static LlmEndpoint Of(LlmProvider provider, string url) => new()
    {
        Id = "peer",
        Provider = provider,
        Model = provider switch { LlmProvider.Anthropic => "claude-sonnet-4-5", LlmProvider.Ollama => "llama3.2", _ => "gpt-4o-mini" },
        BaseUrl = provider is LlmProvider.OpenAI or LlmProvider.OpenAIResponses ? url + "/v1" : url,
        ApiKey = Secret.FromEnvironment(Variable),
        ApiVersion = provider is LlmProvider.Azure ? "2024-10-21" : null,
        // Nothing takes that long on a clock that goes on by itself.
        FirstTokenTimeout = TimeSpan.FromDays(1),
        StallTimeout = TimeSpan.FromDays(1),
    };
}
