using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary><c>http.get</c> for a model: it gives an address and nothing else. Where that may lead, and what is sent along, is for the agent's file to say.</summary>
internal static class HttpTool
{
    private const int MostCharacters = 4096;

    public static async Task<JsonElement> RunAsync(JsonElement given, ToolKindUse use, TaskContext context)
    {
        string url = given.Text("url")!;
        Uri uri = Check(url);
        JsonObject with = use.With.ValueKind is JsonValueKind.Object ? (JsonObject)Json.Node(use.With)! : [];
        with["url"] = uri.AbsoluteUri;
        if (!IsNamed(uri, use.With) && use.With.Find("public") is { ValueKind: JsonValueKind.False })
            throw new KindFailureException($"http.get: {uri.DnsSafeHost} is not among the hosts that this agent may ask: {string.Join(", ", use.With.Texts("allow_hosts"))}");
        (string, string)[] secrets = MayHaveSecrets(uri, use.With) ? [.. use.With.Secrets("http.get", "secret_headers", context)] : [];
        JsonElement answer = await HttpGet.RunAsync(JsonSerializer.SerializeToElement(with), secrets, context.Time, context.CancellationToken);
        return JsonSerializer.SerializeToElement(new
        {
            status = answer.GetProperty("status").GetInt32(),
            type = answer.GetProperty("headers").TryGetProperty("content-type", out JsonElement type) ? type.GetString() : null,
            text = answer.Text("text"),
        });
    }

    private static Uri Check(string url)
    {
        if (url.Length > MostCharacters)
            throw new KindFailureException($"http.get: the address has {url.Length} characters; at most {MostCharacters} are allowed");
        if (url.AsSpan().IndexOfAnyInRange('\0', ' ') >= 0 || !Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
            throw new KindFailureException($"http.get: '{OneLine(url)}' is no http or https address");
        return uri.UserInfo.Length == 0 ? uri : throw new KindFailureException("http.get: the address has a user or password in it; leave that out");
    }

    /// <summary>Whether an address gets secret headers: they are for the hosts that the file names, and for nobody who listens on the way.</summary>
    internal static bool MayHaveSecrets(Uri uri, JsonElement with) =>
        IsNamed(uri, with) && (uri.Scheme == "https" || uri.IsLoopback && IPAddress.TryParse(uri.DnsSafeHost, out _));

    private static bool IsNamed(Uri uri, JsonElement with) => with.Texts("allow_hosts").Contains(uri.DnsSafeHost, StringComparer.OrdinalIgnoreCase);

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
