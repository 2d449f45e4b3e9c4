using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>Endpoints that are found without a file: by keys in the environment, and an Ollama on this machine.</summary>
public static class LlmEndpoints
{
    /// <summary>Where Ollama listens unless told otherwise.</summary>
    public const string DefaultOllama = "http://127.0.0.1:11434";

    /// <summary>What is said where there is no endpoint.</summary>
    public const string NoneMessage =
        """
        There is no model. Provide one in one of three ways:
          a key in the environment: OPENAI_API_KEY or ANTHROPIC_API_KEY;
          a local Ollama with a model: `ollama serve`, then `ollama pull llama3.2` (OLLAMA_HOST where it listens elsewhere than at http://127.0.0.1:11434);
          a models file, or OPENAI_BASE_URL and OPENAI_MODEL, for any server that speaks OpenAI's protocol.
        """;

    // A local port answers at once or not at all.
    private static readonly TimeSpan OllamaTimeout = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The endpoints that the environment names: OPENAI_API_KEY (OPENAI_BASE_URL, OPENAI_MODEL), ANTHROPIC_API_KEY (ANTHROPIC_BASE_URL, ANTHROPIC_MODEL), and the models of the
    /// Ollama at OLLAMA_HOST or on this machine. The first one has the label <c>default</c>; work that names no model takes it before the others. Each provider has
    /// its small model with the label <c>fast</c>, unless a variable names its model.
    /// </summary>
    /// <param name="read">Reads a variable; the process's own when null.</param>
    /// <param name="time">Bounds how long Ollama is asked; the system's when null.</param>
    /// <param name="token">Ends it.</param>
    /// <returns>None where there is nothing; see <see cref="NoneMessage"/>.</returns>
    public static async Task<IReadOnlyList<LlmEndpoint>> FromEnvironmentAsync(Func<string, string?>? read = null, TimeProvider? time = null, CancellationToken token = default)
    {
        string? Read(string name) => (read ?? Environment.GetEnvironmentVariable)(name)?.Trim() is { Length: > 0 } value ? value : null;
        List<LlmEndpoint> found = [];
        string? address = Read("OPENAI_BASE_URL"), model = Read("OPENAI_MODEL");
        // A server of one's own may want no key.
        if (Read("OPENAI_API_KEY") is not null || (address is not null && model is not null))
        {
            Secret? key = Read("OPENAI_API_KEY") is not null ? Secret.FromEnvironment("OPENAI_API_KEY") : null;
            found.AddRange(Pair("openai", LlmProvider.OpenAI, key, address, model, "gpt-5", "gpt-5-mini"));
        }
        if (Read("ANTHROPIC_API_KEY") is not null)
            found.AddRange(Pair("anthropic", LlmProvider.Anthropic, Secret.FromEnvironment("ANTHROPIC_API_KEY"), Read("ANTHROPIC_BASE_URL"), Read("ANTHROPIC_MODEL"), "claude-sonnet-4-5", "claude-haiku-4-5"));
        string ollama = AddressOf(Read("OLLAMA_HOST"));
        foreach (string name in await OllamaModelsAsync(ollama, time ?? TimeProvider.System, token).ConfigureAwait(false))
            found.Add(new LlmEndpoint { Id = IdOf("ollama-" + name), Provider = LlmProvider.Ollama, Model = name, BaseUrl = ollama, MaxConcurrency = 2 });
        // What is first is the default, and the others stand behind it in order.
        return [.. found.Select((endpoint, i) => endpoint with { Labels = i == 0 ? ["default", .. endpoint.Labels] : endpoint.Labels, Tier = i })];
    }

    private static IEnumerable<LlmEndpoint> Pair(string id, LlmProvider provider, Secret? key, string? address, string? model, string usual, string fast)
    {
        LlmEndpoint endpoint = new() { Id = id, Provider = provider, Model = model ?? usual, BaseUrl = address, ApiKey = key };
        yield return endpoint;
        if (model is null)
            yield return endpoint with { Id = id + "-fast", Model = fast, Labels = ["fast"] };
    }

    // OLLAMA_HOST is a host, a host and a port, a port alone, or an address; of a server it may mean all interfaces.
    internal static string AddressOf(string? host)
    {
        if (host is null)
            return DefaultOllama;
        string text = host.Contains("://", StringComparison.Ordinal) ? host : "http://" + (host.StartsWith(':') ? "127.0.0.1" + host : host);
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri))
            return DefaultOllama;
        bool isPortSaid = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..].TrimEnd('/').Contains($":{uri.Port}", StringComparison.Ordinal);
        string name = uri.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : uri.Host;
        return new UriBuilder(uri.Scheme, name, isPortSaid || host.Contains("://", StringComparison.Ordinal) ? uri.Port : 11434).Uri.GetLeftPart(UriPartial.Authority);
    }

    private static async Task<IReadOnlyList<string>> OllamaModelsAsync(string address, TimeProvider time, CancellationToken token)
    {
        using CancellationTokenSource limit = new(OllamaTimeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        using HttpClient http = new(LlmHttpHandler.Connections()) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            await using Stream body = await http.GetStreamAsync(new Uri(address + "/api/tags"), both.Token).ConfigureAwait(false);
            Tags? tags = await JsonSerializer.DeserializeAsync<Tags>(body, AIJson.Options, both.Token).ConfigureAwait(false);
            return [.. (tags?.Models ?? []).Select(m => m.Name).Where(n => !string.IsNullOrWhiteSpace(n) && !n.Contains("embed", StringComparison.OrdinalIgnoreCase)).Distinct()];
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !token.IsCancellationRequested))
        {
            return [];
        }
    }

    private static string IdOf(string text) => string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' ? c : '-'));

    private sealed record Tags([property: JsonPropertyName("models")] IReadOnlyList<TagOf>? Models);

    private sealed record TagOf([property: JsonPropertyName("name")] string Name);
}
