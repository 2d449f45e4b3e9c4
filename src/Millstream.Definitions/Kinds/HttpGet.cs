using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>
/// http.get: a bounded fetch. The address is checked where the connection is made, after the name is resolved and at each
/// redirect, so that neither a redirect nor a second look-up leads into the host's own network.
/// </summary>
internal static class HttpGet
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);
    public const int DefaultRedirects = 5;

    /// <param name="with">What the task got.</param>
    /// <param name="secrets">Headers beside those under <c>with</c>.</param>
    /// <param name="time">Times its bounds.</param>
    /// <param name="token">Ends it.</param>
    public static async Task<JsonElement> RunAsync(JsonElement with, IEnumerable<(string Name, string Text)> secrets, TimeProvider time, CancellationToken token)
    {
        (string Name, string Text)[] headers = [.. with.TextMap("headers"), .. secrets];
        string url = with.Text("url")!;
        TimeSpan timeout = with.Duration("timeout", DefaultTimeout);
        // Never disposed, since the timer's call may come that late; it holds nothing.
        var timer = new CancellationTokenSource();
        using IDisposable due = LongTimer.Start(time, static state => ((CancellationTokenSource)state!).Cancel(), timer, timeout);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, token);
        try
        {
            return await FetchAsync(with, url, headers, time, both.Token);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw new KindFailureException($"http.get: {url} did not answer in {timeout.TotalSeconds:0.###} s; 'timeout' sets the bound", passing: true);
        }
        catch (HttpRequestException e) when (e.InnerException is KindFailureException refused)
        {
            throw refused;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KindFailureException($"http.get: {url}: {e.Message}", passing: true);
        }
    }

    private static async Task<JsonElement> FetchAsync(JsonElement with, string url, (string Name, string Text)[] headers, TimeProvider time, CancellationToken token)
    {
        var allowed = with.Texts("allow_hosts").ToHashSet(StringComparer.OrdinalIgnoreCase);
        bool isPublic = with.Find("public")?.GetBoolean() ?? true;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectCallback = (context, cancel) => ConnectAsync(context.DnsEndPoint, allowed, isPublic, cancel),
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        Uri uri = Check(url, null);
        for (int hop = 0; ; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            // They are meant for that server, and a redirect may lead to another one.
            foreach ((string name, string text) in hop == 0 || uri.Authority == new Uri(url).Authority ? headers : [])
                request.Headers.TryAddWithoutValidation(name, text);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
                return await AnswerAsync(response, with, url, time, token);
            int redirects = with.Whole("max_redirects", DefaultRedirects);
            if (hop >= redirects)
                throw new KindFailureException($"http.get: {url} redirects more than {redirects} times; 'max_redirects' sets the bound");
            uri = Check(new Uri(uri, location).AbsoluteUri, uri);
        }
    }

    /// <summary>Finds a constant address that is none before anything runs.</summary>
    public static void Check(FaultList faults, MapValue with, string name)
    {
        if (with.Entries.FirstOrDefault(e => e.Key == "url").Value is ConstantValue { Value: { ValueKind: JsonValueKind.String } url } constant && AddressOf(url.GetString()!) is null)
            faults.Add(constant.Mark, $"{name}.with.url: '{url.GetString()}' is no http or https address");
    }

    private static Uri? AddressOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is ("http" or "https") ? uri : null;

    private static Uri Check(string url, Uri? from)
    {
        if (AddressOf(url) is not { } uri)
            throw new KindFailureException($"http.get: '{url}' is no http or https address");
        if (from?.Scheme == "https" && uri.Scheme == "http")
            throw new KindFailureException($"http.get: {from} redirects to {uri}, which is not encrypted");
        return uri;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint end, HashSet<string> allowed, bool isPublic, CancellationToken token)
    {
        if (!isPublic && !allowed.Contains(end.Host))
            throw new KindFailureException($"http.get: {end.Host} is not among the hosts under 'allow_hosts', and 'public' is false");
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(end.Host, token);
        if (!allowed.Contains(end.Host))
        {
            if (addresses.FirstOrDefault(a => !NetworkAddresses.IsPublic(a)) is { } inner)
                throw new KindFailureException($"http.get: {end.Host} is {inner}, not a public address; to allow it, write the host in 'url' as a constant or add it to 'allow_hosts'");
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage response, JsonElement with, string url, TimeProvider time, CancellationToken token)
    {
        int status = (int)response.StatusCode;
        if (status is < 200 or > 299)
            throw new KindFailureException($"http.get: {url} answered {status} {response.ReasonPhrase}", passing: status is 408 or 429 or >= 500, RetryAfter(response.Headers.RetryAfter, time));
        long bound = with.Size("max_bytes", FileKinds.DefaultBytes);
        await using Stream body = await response.Content.ReadAsStreamAsync(token);
        byte[] bytes = await FileKinds.ReadBoundedAsync(body, bound, token)
            ?? throw new KindFailureException($"http.get: {url} answered more than {bound} bytes; 'max_bytes' sets the bound");
        MediaTypeHeaderValue? type = response.Content.Headers.ContentType;
        string text = Encoded(type?.CharSet).GetString(bytes);
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key.ToLowerInvariant(), h => string.Join(", ", h.Value));
        return JsonSerializer.SerializeToElement(new { status, headers, text, json = type?.MediaType?.Contains("json", StringComparison.OrdinalIgnoreCase) == true ? AsJson(text, url) : null });
    }

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header, TimeProvider time)
    {
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static Encoding Encoded(string? name)
    {
        try
        {
            return name is null ? Encoding.UTF8 : Encoding.GetEncoding(name.Trim('"'));
        }
        catch (ArgumentException)
        {
            return Encoding.UTF8;
        }
    }

    private static JsonElement? AsJson(string text, string url)
    {
        try
        {
            return Json.Parse(text);
        }
        catch (JsonException e)
        {
            throw new KindFailureException($"http.get: {url} says it answers JSON, but it is none: {e.Message}");
        }
    }
}
