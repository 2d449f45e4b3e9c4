using System.ClientModel;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Anthropic.Exceptions;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What a failed call means for its endpoint and its task.</summary>
internal enum LlmFailureKind
{
    /// <summary>The endpoint works; no other attempt can do better.</summary>
    Refused,

    /// <summary>The endpoint has no room.</summary>
    Busy,

    /// <summary>The endpoint, or the way to it, is not well.</summary>
    Broken,
}

/// <summary>A failure of a call.</summary>
/// <param name="Kind">What it means.</param>
/// <param name="Message">A sentence.</param>
internal sealed record LlmFailure(LlmFailureKind Kind, string Message);

/// <summary>Reads what went wrong from the status, the error that the server wrote and the exception. Nothing of the exception but its words goes on, and they without the key.</summary>
internal static class LlmFailures
{
    private const int MostWords = 400;

    public static LlmFailure Of(LlmEndpoint endpoint, Exception error, LlmExchange exchange)
    {
        HttpStatusCode? status = exchange.Status ?? StatusOf(error);
        (string? code, string? words) = Said(exchange.ErrorBody);
        string said = Cut(exchange.Clean(words ?? WordsOf(error)));
        if (status is { } answered && (int)answered is < 200 or > 299)
            return OfStatus(endpoint, answered, code, said, exchange.Headers?.RetryAfter is not null);
        if (OfCode($"{code} {said}") is { } kind)
            return new LlmFailure(kind, $"{Name(endpoint)} broke off its answer: {said}");
        if (status is not null)
            return new LlmFailure(LlmFailureKind.Broken, $"{Name(endpoint)} broke off its answer, or sent one that cannot be read: {said}");
        return !exchange.IsSent && error is ArgumentException or NotSupportedException
            ? new LlmFailure(LlmFailureKind.Refused, $"{Name(endpoint)} cannot be asked this: {said}")
            : new LlmFailure(LlmFailureKind.Broken, $"{Name(endpoint)} {(IsUnreachable(error) ? "cannot be reached" : "did not answer")}{At(endpoint)}: {said}");
    }

    /// <summary>An error that came as part of an answer.</summary>
    public static LlmFailure Of(LlmEndpoint endpoint, ErrorContent error, LlmExchange exchange)
    {
        string said = Cut(exchange.Clean(error.Message));
        return new LlmFailure(OfCode($"{error.ErrorCode} {said}") ?? LlmFailureKind.Broken, $"{Name(endpoint)} broke off its answer: {said}");
    }

    /// <summary>The endpoint as errors name it.</summary>
    public static string Name(LlmEndpoint endpoint) => $"endpoint {endpoint.Id} (model {endpoint.Model})";

    private static LlmFailure OfStatus(LlmEndpoint endpoint, HttpStatusCode status, string? code, string said, bool isWaitAsked)
    {
        string what = $"{Name(endpoint)} answered {(int)status}: {said}", clause = what.TrimEnd('.');
        return (int)status switch
        {
            429 when code is "insufficient_quota" or "billing_hard_limit_reached" => Refused($"{clause}. The account of {KeyOf(endpoint)} has nothing left to spend: add to it, or use another endpoint"),
            // Of a request that alone is more than a minute's tokens; it never fits.
            429 when said.StartsWith("Request too large", StringComparison.OrdinalIgnoreCase) => Refused($"{clause}. The request alone is more than the account may use in a minute: send fewer messages, ask for fewer tokens, or use another endpoint"),
            429 or 529 => new LlmFailure(LlmFailureKind.Busy, what),
            503 when isWaitAsked => new LlmFailure(LlmFailureKind.Busy, what),
            408 or 409 or 425 or >= 500 => new LlmFailure(LlmFailureKind.Broken, what),
            401 => Refused(endpoint.ApiKey is null ? $"{clause}. It wants a key: set the endpoint's api key to env:NAME or file:/path" : $"{clause}. The key in {KeyOf(endpoint)} is not accepted: put a valid one there"),
            402 => Refused($"{clause}. The account of {KeyOf(endpoint)} cannot pay: add to it, or use another endpoint"),
            403 => Refused($"{clause}. The key in {KeyOf(endpoint)} may not use this model: allow it there, or set another model"),
            404 => Refused($"{clause}. There is no such model or no such address: check the endpoint's model, '{endpoint.Model}', and its base url, {endpoint.BaseUrl ?? "that of the provider"}"),
            400 or 413 when IsTooLong(code, said) => Refused($"{clause}. The conversation is longer than the model takes: send fewer messages, ask for fewer tokens, or set a model with a longer context"),
            >= 300 and < 400 => Refused($"{clause}. It sends elsewhere, where its key must not go: set the endpoint's base url, {endpoint.BaseUrl ?? "that of the provider"}, to the address that answers itself"),
            _ => Refused($"{clause}. The request does not fit this endpoint: check its provider, model and the options of the call"),
        };
    }

    private static LlmFailure Refused(string message) => new(LlmFailureKind.Refused, message);

    private static string KeyOf(LlmEndpoint endpoint) => endpoint.ApiKey?.Reference ?? "the endpoint, which has no key,";

    private static string At(LlmEndpoint endpoint) => endpoint.BaseUrl is { } url ? $" at {url}" : "";

    private static bool IsTooLong(string? code, string said) => code is "context_length_exceeded" or "request_too_large"
        || ((string[])["context length", "context window", "prompt is too long", "maximum context", "too many tokens", "exceed context limit"]).Any(t => said.Contains(t, StringComparison.OrdinalIgnoreCase));

    // Errors inside an answer that began well carry no status.
    private static LlmFailureKind? OfCode(string text) =>
        text.Contains("rate_limit", StringComparison.OrdinalIgnoreCase) || text.Contains("overloaded", StringComparison.OrdinalIgnoreCase) ? LlmFailureKind.Busy
        : text.Contains("context_length_exceeded", StringComparison.OrdinalIgnoreCase) || text.Contains("invalid_request_error", StringComparison.OrdinalIgnoreCase) || text.Contains("invalid_prompt", StringComparison.OrdinalIgnoreCase) ? LlmFailureKind.Refused
        : null;

    private static bool IsUnreachable(Exception error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException || (cause as HttpRequestException)?.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
                return true;
        }
        return false;
    }

    private static HttpStatusCode? StatusOf(Exception error) => error switch
    {
        ClientResultException { Status: > 0 } e => (HttpStatusCode)e.Status,
        AnthropicApiException e => e.StatusCode,
        HttpRequestException { StatusCode: { } status } => status,
        _ => null,
    };

    // What a client says on top ("An error occurred while …") does not say which error.
    private static string WordsOf(Exception error)
    {
        while (error is (HttpRequestException or ClientResultException or AnthropicIOException or AggregateException) && error.InnerException is { } inner)
            error = inner;
        return error.Message;
    }

    private static (string? Code, string? Words) Said(string? body)
    {
        if (string.IsNullOrWhiteSpace(body))
            return (null, null);
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            JsonElement error = json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.TryGetProperty("error", out JsonElement inner) ? inner : json.RootElement;
            return error.ValueKind is JsonValueKind.Object ? (Text(error, "code") ?? Text(error, "type"), Text(error, "message") ?? body) : (null, error.ValueKind is JsonValueKind.String ? error.GetString() : body);
        }
        catch (JsonException)
        {
            return (null, body);
        }
    }

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static string Cut(string text)
    {
        string line = string.Join(' ', text.Split((char[])['\r', '\n', '\t', ' '], StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= MostWords ? line : line[..MostWords] + "…";
    }
}
