using System.Net.Http.Headers;
using System.Text;

namespace Millstream;

/// <summary>The one way out of an endpoint: it puts the key of the call into each request, and tells the call what came back.</summary>
internal sealed class LlmHttpHandler(LlmProvider provider, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Stands where a client of a provider wants a key.</summary>
    public const string NoKey = "set-with-each-call";

    private const int MostErrorBytes = 64 * 1024;

    /// <summary>The connections of one endpoint. No redirects: the key would go with them.</summary>
    public static SocketsHttpHandler Connections() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(15),
    };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        LlmExchange? exchange = LlmExchange.Current;
        SetKey(request.Headers, exchange?.Key);
        if (exchange is null)
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        exchange.IsSent = true;
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        exchange.Progress();
        exchange.Answered(response);
        if (response.IsSuccessStatusCode)
            response.Content = new WatchedContent(response.Content, exchange);
        else
            await ReplaceErrorAsync(response, exchange, cancellationToken).ConfigureAwait(false);
        return response;
    }

    private void SetKey(HttpRequestHeaders headers, string? key)
    {
        string? name = provider switch { LlmProvider.Azure => "api-key", LlmProvider.Anthropic => "x-api-key", _ => null };
        headers.Authorization = null;
        headers.Remove("api-key");
        headers.Remove("x-api-key");
        if (string.IsNullOrEmpty(key))
            return;
        if (name is null)
            headers.TryAddWithoutValidation("Authorization", "Bearer " + key);
        else
            headers.TryAddWithoutValidation(name, key);
    }

    // Servers repeat keys in what they say about them.
    private static async Task ReplaceErrorAsync(HttpResponseMessage response, LlmExchange exchange, CancellationToken token)
    {
        byte[] bytes = new byte[MostErrorBytes];
        int count;
        await using (Stream body = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false))
            count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, token).ConfigureAwait(false);
        string text = exchange.Clean(Encoding.UTF8.GetString(bytes, 0, count));
        exchange.ErrorBody = text;
        StringContent clean = new(text);
        clean.Headers.ContentType = response.Content.Headers.ContentType;
        response.Content.Dispose();
        response.Content = clean;
        if (response.ReasonPhrase is { } reason)
            response.ReasonPhrase = exchange.Clean(reason);
    }
}
