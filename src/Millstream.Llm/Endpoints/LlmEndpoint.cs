using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>Which protocol an endpoint speaks.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LlmProvider>))]
public enum LlmProvider
{
    /// <summary>OpenAI's chat completions, which many other servers speak too.</summary>
    [JsonStringEnumMemberName("openai")] OpenAI,

    /// <summary>OpenAI's responses.</summary>
    [JsonStringEnumMemberName("openai-responses")] OpenAIResponses,

    /// <summary>OpenAI's chat completions as Azure serves them: a deployment in the path, <c>api-version</c> in the query, the key in the header <c>api-key</c>.</summary>
    [JsonStringEnumMemberName("azure")] Azure,

    /// <summary>Anthropic's messages.</summary>
    [JsonStringEnumMemberName("anthropic")] Anthropic,

    /// <summary>Ollama's chat.</summary>
    [JsonStringEnumMemberName("ollama")] Ollama,
}

/// <summary>A place where a model can be asked, as data: what a models file says of it. It holds no key, only where the key is.</summary>
public sealed record LlmEndpoint
{
    /// <summary>Unique among the endpoints; letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Which protocol it speaks.</summary>
    public LlmProvider Provider { get; init; }

    /// <summary>The model as the server names it; of Azure the deployment.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The address up to where the protocol's own path begins, as <c>https://api.openai.com/v1</c>, <c>https://api.anthropic.com</c>, <c>http://127.0.0.1:11434</c>, and of Azure
    /// <c>https://NAME.openai.azure.com</c>; null for that of the provider, which Azure does not have.
    /// </summary>
    public string? BaseUrl { get; init; }

    /// <summary>Where the key is; null for a server that takes none. It is sent over https only, or to this machine.</summary>
    public Secret? ApiKey { get; init; }

    /// <summary>Words by which work may choose it beside its model and its id, as <c>default</c> or <c>fast</c>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The most calls at the same time.</summary>
    public int MaxConcurrency { get; init; } = 16;

    /// <summary>The most calls that begin in a minute; null for what the server's headers say.</summary>
    public long? RequestsPerMinute { get; init; }

    /// <summary>The most tokens in a minute, in and out together; null for what the server's headers say.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>Of endpoints that will do, those of a lower tier are taken first.</summary>
    public int Tier { get; init; }

    /// <summary>Of endpoints of one tier, this one's share of the load beside the others'.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How long the server may take until its answer begins.</summary>
    public TimeSpan FirstTokenTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long the server may be silent within its answer. Comments and pings of its stream are silence, too.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What it costs; null for the price in the built-in table, where the model is in it.</summary>
    public LlmPrice? Price { get; init; }

    /// <summary>Azure's <c>api-version</c>.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>All that is wrong with it, each in a sentence that names the setting, its value and the remedy; empty where nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [];
        void Check(bool isRight, string fault)
        {
            if (!isRight)
                faults.Add(fault);
        }
        Check(Words.IsId(Id ?? ""), $"id is '{Id}'; give letters, digits, '_', '-' and '.'");
        Check(Enum.IsDefined(Provider), $"provider is {(int)Provider}; give openai, openai-responses, azure, anthropic or ollama");
        Check(!string.IsNullOrWhiteSpace(Model), "model is empty; give the model's name as the server knows it");
        // Never repeated: a key may stand in an address, too.
        Check(BaseUrl is null || IsWeb(BaseUrl), "base url is no http or https address without user, query and fragment; write it as https://host/path");
        Check(ApiKey is null || BaseUrl is null || !IsWeb(BaseUrl) || WebAddress.HidesSecrets(new Uri(BaseUrl)), "base url is plain http to another machine, where the api key could be read on the way; write https://, or leave the api key out");
        Check(BaseUrl is not null || Provider is not LlmProvider.Azure, "base url is missing; Azure has none of its own, write https://NAME.openai.azure.com");
        Check(ApiVersion is null || Provider is LlmProvider.Azure, $"api version is '{ApiVersion}', which only azure has; leave it out");
        Check(!string.IsNullOrWhiteSpace(ApiVersion) || Provider is not LlmProvider.Azure, "api version is missing; give Azure's api-version, as 2024-10-21");
        Check(Labels.All(l => !string.IsNullOrWhiteSpace(l)), "one of its labels is empty; leave it out");
        Check(MaxConcurrency >= 1, $"max concurrency is {MaxConcurrency}; give 1 or more calls");
        Check(RequestsPerMinute is null or >= 1, $"requests per minute is {RequestsPerMinute}; give 1 or more, or leave it out");
        Check(TokensPerMinute is null or >= 1, $"tokens per minute is {TokensPerMinute}; give 1 or more, or leave it out");
        Check(Weight > 0 && double.IsFinite(Weight), $"weight is {Weight}; give a number above zero");
        Check(FirstTokenTimeout > TimeSpan.Zero, $"first token timeout is {FirstTokenTimeout}; give a time above zero");
        Check(StallTimeout > TimeSpan.Zero, $"stall timeout is {StallTimeout}; give a time above zero");
        Check(Price is null or { InputPerMillion: >= 0, OutputPerMillion: >= 0, CachedInputPerMillion: null or >= 0 }, "one of its prices is below zero; give US dollars for a million tokens");
        return faults;
    }

    private static bool IsWeb(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is ("http" or "https") && uri is { UserInfo: "", Query: "", Fragment: "" };
}
