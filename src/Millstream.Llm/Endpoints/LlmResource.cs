using System.Globalization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// A model's endpoint as a pool-wide resource of type <c>llm</c>: calls in flight are its capacity, requests and tokens a minute its rates. A task that
/// requires one calls it with <see cref="CallAsync"/>.
/// </summary>
public sealed class LlmResource : Resource, IDisposable
{
    /// <summary>The type that requirements name.</summary>
    public const string TypeName = "llm";

    /// <summary>The source of the spans of calls.</summary>
    public const string SourceName = "Millstream.Llm";

    internal const string Requests = "requests", Tokens = "tokens";

    // What a rate is until headers say more.
    private const long Unlimited = 1L << 50;

    private readonly IChatClient? _client;
    private readonly Cassette? _cassette;
    private readonly HttpClient? _http;
    private readonly Lock _learning = new();
    private long _requests, _tokens;

    /// <summary>Makes the resource of an endpoint.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="client">Who is asked, as a decorated client of one's own; null for one that speaks the endpoint's protocol. It is not disposed.</param>
    /// <param name="cassette">Records the calls, or answers them.</param>
    /// <param name="captureContent">Whether spans hold prompts and answers; they do, too, where the environment asks for content (<see cref="OrchestratorOptions.CaptureContent"/>).</param>
    /// <exception cref="ArgumentException">The endpoint is wrong; the message lists all faults.</exception>
    public LlmResource(LlmEndpoint endpoint, IChatClient? client = null, Cassette? cassette = null, bool captureContent = false)
        : this(endpoint, client, cassette, captureContent, null)
    {
    }

    internal LlmResource(LlmEndpoint endpoint, IChatClient? client, Cassette? cassette, bool captureContent, HttpMessageHandler? connections)
        : base(Checked(endpoint).Id, TypeName, endpoint.MaxConcurrency, LabelsOf(endpoint), RatesOf(endpoint))
    {
        (Endpoint, _cassette, Breaker) = (endpoint, cassette, new CircuitBreaker(this));
        (Tier, Weight) = (endpoint.Tier, endpoint.Weight);
        (_requests, _tokens) = (endpoint.RequestsPerMinute ?? Unlimited, endpoint.TokensPerMinute ?? Unlimited);
        if (cassette is { IsReplay: true })
            return;
        if (client is null)
            client = LlmClients.Make(endpoint, _http = new HttpClient(new LlmHttpHandler(endpoint.Provider, connections ?? LlmHttpHandler.Connections())) { Timeout = Timeout.InfiniteTimeSpan });
        _client = new ChatClientBuilder(client).UseOpenTelemetry(null, SourceName, c => c.EnableSensitiveData = captureContent || OrchestratorOptions.CapturesByDefault).Build();
    }

    /// <summary>The endpoint.</summary>
    public LlmEndpoint Endpoint { get; }

    internal CircuitBreaker Breaker { get; }

    /// <summary>What a task needs to make one call.</summary>
    /// <param name="modelOrLabel">The model, a label or the id of the endpoint; null for any endpoint.</param>
    /// <param name="tokens">How many tokens the call may use, in and out (<see cref="TokenEstimate"/>); rounded up to three significant bits, so that waiting calls come in few sizes. More than an endpoint takes in a minute never runs there.</param>
    public static ResourceRequirement Requirement(string? modelOrLabel, long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        LabelSelector selector = modelOrLabel is null ? LabelSelector.All : LabelSelector.Parse(Quoted(modelOrLabel));
        return ResourceRequirement.Units(TypeName, 1, selector).WithRate(Requests, 1).WithRate(Tokens, TokenEstimate.Coarse(tokens));
    }

    /// <summary>Calls the model, once for a lease. Text, reasoning and tool calls come through <paramref name="onUpdate"/> while the model speaks.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">How; the model is the endpoint's.</param>
    /// <param name="context">The task, which has a lease on this resource (<see cref="Requirement"/>).</param>
    /// <param name="onUpdate">Called with each piece as it comes, one at a time.</param>
    /// <param name="interrupt">Ends the answer: what has come until then is the reply, without tool calls, with the reason <see cref="LlmReply.Interrupted"/>.</param>
    /// <exception cref="InvalidOperationException">The task has no lease on this resource.</exception>
    /// <exception cref="SecretMissingException">The key is not there; the task waits for it.</exception>
    /// <exception cref="ResourceBusyException">The endpoint has no room; it cools down.</exception>
    /// <exception cref="RetryableTaskException">The endpoint failed, or said nothing for too long.</exception>
    /// <exception cref="TerminalTaskException">The endpoint refused; the message names the setting and the remedy.</exception>
    /// <exception cref="OperationCanceledException">The task is to stop.</exception>
    public Task<LlmReply> CallAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, TaskContext context, Action<ChatResponseUpdate>? onUpdate = null, CancellationToken interrupt = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(context);
        if (!context.Lease.Resources.Contains(this))
            throw new InvalidOperationException($"Task {context.TaskId} has no lease on llm {Id}; give it the requirement LlmResource.Requirement(\"{Endpoint.Model}\", tokens).");
        ChatOptions own = options?.Clone() ?? new ChatOptions();
        own.ModelId = Endpoint.Model;
        return new LlmCall(this, [.. messages], own, context, onUpdate, interrupt).RunAsync(_client, _cassette);
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _http?.Dispose();

    /// <summary>Takes over what the server says of its limits. A limit that the endpoint sets is never raised.</summary>
    internal void Learn(LlmHeaders headers)
    {
        lock (_learning)
        {
            Learn(Requests, headers.Requests, Endpoint.RequestsPerMinute, ref _requests);
            Learn(Tokens, headers.Tokens, Endpoint.TokensPerMinute, ref _tokens);
        }
    }

    private void Learn(string rate, long? said, long? set, ref long known)
    {
        if (said is not >= 1)
            return;
        long limit = Math.Min(said.Value, set ?? Unlimited);
        if (limit != known)
            SetRate(rate, known = limit);
    }

    internal LlmPrice? PriceOf(string model) =>
        Endpoint.Price ?? (Endpoint.Provider is LlmProvider.Ollama ? new LlmPrice(0, 0) : LlmPrice.Of(model) ?? LlmPrice.Of(Endpoint.Model));

    // What a name may mean stands as labels of their own, since a selector knows no "or".
    private static Dictionary<string, string> LabelsOf(LlmEndpoint endpoint)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string label in endpoint.Labels)
            labels[label] = "label";
        labels[endpoint.Id] = "id";
        labels[endpoint.Model] = "model";
        return labels;
    }

    private static RateLimit[] RatesOf(LlmEndpoint endpoint)
    {
        TimeSpan minute = TimeSpan.FromMinutes(1);
        return [new RateLimit(Requests, endpoint.RequestsPerMinute ?? Unlimited, minute), new RateLimit(Tokens, endpoint.TokensPerMinute ?? Unlimited, minute)];
    }

    private static LlmEndpoint Checked(LlmEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return endpoint.Validate() is { Count: > 0 } faults ? throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Endpoint {endpoint.Id} is wrong: {string.Join("; ", faults)}."), nameof(endpoint)) : endpoint;
    }

    private static string Quoted(string name) => $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
