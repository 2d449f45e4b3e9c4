using Millstream.Llm.Tests.Protocols;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class LlmEndpointsTests
{
    [Fact]
    public async Task FromEnvironment_KeysAndOllama_GiveTheirModels()
    {
        await using FaultServer ollama = new FaultServer().Answer(200, """{"models":[{"name":"llama3.2:3b"},{"name":"nomic-embed-text:latest"}]}""");
        IReadOnlyList<LlmEndpoint> found = await FindAsync(("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_MODEL", "claude-opus-4-5"), ("OLLAMA_HOST", ollama.Url));
        Assert.Equal(
            ["openai gpt-5 default 0", "openai-fast gpt-5-mini fast 1", "anthropic claude-opus-4-5  2", "ollama-llama3.2-3b llama3.2:3b  3"],
            found.Select(e => $"{e.Id} {e.Model} {string.Join(',', e.Labels)} {e.Tier}"));
        Assert.Equal(["env:OPENAI_API_KEY", "env:OPENAI_API_KEY", "env:ANTHROPIC_API_KEY", null], found.Select(e => e.ApiKey?.Reference));
        Assert.All(found, e => Assert.Empty(e.Validate()));
        Assert.StartsWith("GET /api/tags ", Assert.Single(ollama.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FromEnvironment_CompatibleServer_NeedsNoKey()
    {
        LlmEndpoint only = Assert.Single(await FindAsync(("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"), ("OPENAI_MODEL", "qwen3")));
        Assert.Equal(("qwen3", "http://127.0.0.1:8000/v1", null), (only.Model, only.BaseUrl, only.ApiKey));
    }

    [Fact]
    public async Task FromEnvironment_Nothing_GivesNoneAndTheMessageNamesThreeWays()
    {
        Assert.Empty(await FindAsync());
        foreach (string way in (string[])["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "Ollama", "a models file", "OPENAI_BASE_URL"])
            Assert.Contains(way, LlmEndpoints.NoneMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "http://127.0.0.1:11434")]
    [InlineData("0.0.0.0", "http://127.0.0.1:11434")]
    [InlineData("gpu-box", "http://gpu-box:11434")]
    [InlineData("gpu-box:8080", "http://gpu-box:8080")]
    [InlineData("gpu-box:80", "http://gpu-box")]
    [InlineData(":8080", "http://127.0.0.1:8080")]
    [InlineData("https://gpu-box", "https://gpu-box")]
    public void AddressOf_OllamaHost_IsAnAddress(string? host, string address) => Assert.Equal(address, LlmEndpoints.AddressOf(host));

    [Theory]
    [InlineData("https://models.example.com/v1", true)]
    [InlineData("http://localhost:8000/v1", true)]
    [InlineData("http://127.3.2.1:8000", true)]
    [InlineData("http://[::1]:8000", true)]
    [InlineData("http://models.example.com/v1", false)]
    [InlineData("http://localhost.example.com/v1", false)]
    [InlineData("http://10.0.0.1:8000", false)]
    public void Validate_KeyAndPlainHttp_OnlyWithinThisMachine(string url, bool isRight)
    {
        LlmEndpoint endpoint = new() { Id = "one", Model = "m", BaseUrl = url };
        Assert.Empty(endpoint.Validate());
        IReadOnlyList<string> faults = (endpoint with { ApiKey = Secret.FromEnvironment("KEY") }).Validate();
        Assert.Equal(isRight ? [] : ["base url is plain http to another machine, where the api key could be read on the way; write https://, or leave the api key out"], faults);
        McpServer server = new() { Name = "one", Url = new Uri(url), SecretHeaders = new Dictionary<string, Secret> { ["x-key"] = Secret.FromEnvironment("KEY") } };
        Assert.Equal(isRight, server.Fault() is null);
    }

    // Port 9 of this machine: nobody listens there.
    private static Task<IReadOnlyList<LlmEndpoint>> FindAsync(params (string Name, string Value)[] variables) =>
        LlmEndpoints.FromEnvironmentAsync(name => variables.FirstOrDefault(v => v.Name == name).Value ?? (name == "OLLAMA_HOST" ? "127.0.0.1:9" : null));
}
