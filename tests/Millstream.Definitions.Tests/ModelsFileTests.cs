using System.Text.Json;

namespace Millstream.Definitions.Tests;

public sealed class ModelsFileTests
{
    private static string[] ModelFaults(string text) => [.. Assert.Throws<WorkflowFileException>(() => ModelsFile.Parse(text, "m.yaml")).Faults.Select(f => f.ToString()["m.yaml:".Length..])];

    private static string One(string rest, string provider = "openai") => $"kind: models\nendpoints:\n- {{ id: a, provider: {provider}, model: m, {rest} }}";

    [Fact]
    public void Read_EveryKey_HasTheNamesOfAnEndpoint()
    {
        IReadOnlyList<JsonElement> endpoints = ModelsFile.Parse("""
            kind: models
            endpoints:
              - id: big
                provider: openai
                model: gpt-5
                base_url: http://127.0.0.1:8080/v1
                api_key: env:OPENAI_API_KEY
                labels: [default, large]
                max_concurrency: 8
                requests_per_minute: 500
                tokens_per_minute: 3000000000
                tier: 1
                weight: 2.5
                first_token_timeout: 90s
                stall_timeout: 30s
                price: { input: 1.25, output: 10, cached_input: 0.125 }
              - { id: local, provider: ollama, model: llama3.2 }
              - { id: az, provider: azure, model: deployed, base_url: "https://x.openai.azure.com", api_version: 2024-10-21, api_key: "file:/run/key" }
            """);
        Assert.Equal(
            [
                """{"id":"big","provider":"openai","model":"gpt-5","baseUrl":"http://127.0.0.1:8080/v1","apiKey":"env:OPENAI_API_KEY","labels":["default","large"],"maxConcurrency":8,"requestsPerMinute":500,"tokensPerMinute":3000000000,"tier":1,"weight":2.5,"firstTokenTimeout":"00:01:30","stallTimeout":"00:00:30","price":{"inputPerMillion":1.25,"outputPerMillion":10,"cachedInputPerMillion":0.125}}""",
                """{"id":"local","provider":"ollama","model":"llama3.2"}""",
                """{"id":"az","provider":"azure","model":"deployed","baseUrl":"https://x.openai.azure.com","apiKey":"file:/run/key","apiVersion":"2024-10-21"}""",
            ],
            endpoints.Select(e => e.GetRawText()));
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "", "1:1: the file is empty; a models file needs at least 'kind: models' and 'endpoints'" },
        { "kind: models", "1:1: 'endpoints' is missing: a list of places where models can be asked" },
        { "kind: models\nendpoints: []", "2:12: 'endpoints' must be a list such as [{ id: local, provider: ollama, model: llama3.2 }], this is an empty one" },
        { "kind: model\nendpoints: [{ id: a, provider: ollama, model: m }]", "1:7: 'kind' is 'model', which is none; did you mean 'models'?" },
        { "kind: models\nendpoints: [{ provider: ollama, model: m }]", "2:13: endpoints[0] needs 'id', a name of its own" },
        { "kind: models\nendpoints: [{ id: a, provider: ollama }]", "2:13: endpoints[0] needs 'model', the model's name as the server knows it" },
        { "kind: models\nendpoints: [{ id: a, provider: openia, model: m }]", "2:32: endpoints[0].provider is 'openia'; write openai, openai-responses, azure, anthropic or ollama; did you mean 'openai'?" },
        { "kind: models\nendpoints: [{ id: a, provider: ollama, model: m }, { id: a, provider: ollama, model: m }]", "2:58: a second endpoint has the id 'a'; the first stands in line 2" },
        { One("base_url: 'http://u:p@x'"), "3:50: endpoints[0].base_url is no http or https address without user, query and fragment; write it as https://host/path" },
        { One("max_concurrency: 0"), "3:57: endpoints[0].max_concurrency must be a whole number of at least 1, this is 0" },
        { One("weight: 0"), "3:48: endpoints[0].weight must be above zero, this is 0" },
        { One("stall_timeout: long"), "3:55: endpoints[0].stall_timeout must be a duration such as 500ms, 30s, 5m or 1h30m, this is the text 'long'" },
        { One("price: { input: 1 }"), "3:47: endpoints[0].price needs 'output', US dollars for a million tokens" },
        { One("labels: fast"), "3:48: endpoints[0].labels must be a list of words such as [default, fast], this is the text 'fast'" },
        { One("api_version: x"), "3:40: endpoints[0].api_version is for azure only; leave it out" },
        { One("api_version: x", "azure"), "3:3: endpoints[0] needs 'base_url'; Azure has none of its own, write https://NAME.openai.azure.com" },
        { One("max_concurency: 1"), "3:40: endpoints[0] has no key 'max_concurency'; did you mean 'max_concurrency'?" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void WrongFile_IsToldWithItsPlace(string text, string fault) => Assert.Equal([fault], ModelFaults(text));

    [Theory]
    [InlineData("sk-hush-hush-hush")]
    [InlineData("\"env:A=hush\"")]
    [InlineData("[hush]")]
    [InlineData("{ hush: hush }")]
    [InlineData("\"${{ hush }}\"")]
    public void LiteralKey_IsAFaultThatDoesNotRepeatIt(string key)
    {
        string fault = Assert.Single(ModelFaults(One($"api_key: {key}")));
        Assert.Contains("env:NAME", fault);
        Assert.DoesNotContain("hush", fault);
    }
}
