using System.ClientModel;
using System.ClientModel.Primitives;
using Anthropic;
using Anthropic.Core;
using Microsoft.Extensions.AI;
using OllamaSharp;
using OpenAI;
using OpenAI.Responses;

namespace Millstream;

/// <summary>The client of each provider: without retries, time limits and a key of its own, since the call has these.</summary>
internal static class LlmClients
{
    public static IChatClient Make(LlmEndpoint endpoint, HttpClient http) => endpoint.Provider switch
    {
        LlmProvider.OpenAI => Chat(endpoint, http, new OpenAIClientOptions { Endpoint = Address(endpoint) }),
        LlmProvider.OpenAIResponses => new ResponsesClient(Key, Configured(new ResponsesClientOptions { Endpoint = Address(endpoint) }, http)).AsIChatClient(endpoint.Model),
        LlmProvider.Azure => AzureChat(endpoint, http),
        LlmProvider.Anthropic => new AnthropicClient(new ClientOptions
        {
            HttpClient = http, MaxRetries = 0, ApiKey = LlmHttpHandler.NoKey, BaseUrl = endpoint.BaseUrl?.TrimEnd('/') ?? "https://api.anthropic.com", Timeout = TimeSpan.FromDays(1),
        }).AsIChatClient(endpoint.Model, DefaultAnthropicOutput),
        LlmProvider.Ollama => new OllamaApiClient(Addressed(http, endpoint.BaseUrl ?? LlmEndpoints.DefaultOllama), endpoint.Model),
        _ => throw new ArgumentException($"endpoint {endpoint.Id}: provider is {(int)endpoint.Provider}; give openai, openai-responses, azure, anthropic or ollama"),
    };

    // Anthropic's protocol wants a bound of the answer in each request.
    private const int DefaultAnthropicOutput = 8192;

    /// <summary>The bound of the answer that a request is sent with where the caller sets none; null where there is none then.</summary>
    public static int? OutputBoundOf(LlmEndpoint endpoint) => endpoint.Provider is LlmProvider.Anthropic ? DefaultAnthropicOutput : null;

    private static ApiKeyCredential Key => new(LlmHttpHandler.NoKey);

    private static Uri? Address(LlmEndpoint endpoint) => endpoint.BaseUrl is { } url ? new Uri(url) : null;

    private static IChatClient Chat(LlmEndpoint endpoint, HttpClient http, OpenAIClientOptions options) =>
        new OpenAIClient(Key, Configured(options, http)).GetChatClient(endpoint.Model).AsIChatClient();

    private static IChatClient AzureChat(LlmEndpoint endpoint, HttpClient http)
    {
        OpenAIClientOptions options = new() { Endpoint = new Uri($"{endpoint.BaseUrl!.TrimEnd('/')}/openai/deployments/{Uri.EscapeDataString(endpoint.Model)}") };
        options.AddPolicy(new ApiVersionPolicy(endpoint.ApiVersion!), PipelinePosition.PerCall);
        return Chat(endpoint, http, options);
    }

    private static T Configured<T>(T options, HttpClient http) where T : ClientPipelineOptions
    {
        options.Transport = new HttpClientPipelineTransport(http);
        options.RetryPolicy = new ClientRetryPolicy(0);
        options.NetworkTimeout = Timeout.InfiniteTimeSpan;
        return options;
    }

    private static HttpClient Addressed(HttpClient http, string url)
    {
        http.BaseAddress = new Uri(url.EndsWith('/') ? url : url + "/");
        return http;
    }

    private sealed class ApiVersionPolicy(string version) : PipelinePolicy
    {
        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            Add(message);
            ProcessNext(message, pipeline, currentIndex);
        }

        public override ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            Add(message);
            return ProcessNextAsync(message, pipeline, currentIndex);
        }

        private void Add(PipelineMessage message)
        {
            UriBuilder uri = new(message.Request.Uri!);
            uri.Query = $"{(uri.Query.Length > 1 ? uri.Query[1..] + "&" : "")}api-version={Uri.EscapeDataString(version)}";
            message.Request.Uri = uri.Uri;
        }
    }
}
