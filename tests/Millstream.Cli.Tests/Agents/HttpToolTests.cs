using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Tests.Agents;

/// <summary>Where <c>http.get</c> goes and what it sends when the model that calls it obeys an attacker.</summary>
public sealed class HttpToolTests
{
    // With {port} of a server on 127.0.0.1, which the agent may not ask.
    private static readonly string[] Urls =
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/",
        "http://0x7f.0.0.1:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/", "http://[::1]:{port}/", "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[fe80::1%25lo]:{port}/", "http://user:password@127.0.0.1:{port}/", "http://127.0.0.1@localhost:{port}/",
        "http://example.com@127.0.0.1:{port}/", "http://example.com:80@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.com/", "http://127.0.0.1:{port}?@example.com/", "http:\\\\127.0.0.1:{port}\\", "http:/127.0.0.1:{port}/", "http:127.0.0.1:{port}",
        "//127.0.0.1:{port}/", "127.0.0.1:{port}", "https://127.0.0.1:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://127.0.0.1:{port}/\r\nHost: example.com", "http://127.0.0.1\0.example.com:{port}/", " http://127.0.0.1:{port}/", "http://127.0.0.2:{port}/", "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fd00::1]/", "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/", "unix:///run/docker.sock", "data:text/plain,x", "javascript:alert(1)", "", " ", "http://", "http://:{port}/", "about:blank", "ws://127.0.0.1:{port}/",
    ];

    private static readonly string[] Shapes =
    [
        """{}""", """{"url":null}""", """{"url":["http://127.0.0.1:{port}/"]}""", """{"url":"http://127.0.0.1:{port}/","allow_hosts":["127.0.0.1"]}""", """{"url":"http://127.0.0.1:{port}/","with":{"allow_hosts":["127.0.0.1"]}}""",
        """{"url":"http://127.0.0.1:{port}/","headers":{"Host":"x"}}""", """{"url":"http://127.0.0.1:{port}/","secret_headers":{"A":"env:PATH"}}""", """{"url":"http://127.0.0.1:{port}/","public":true}""", """[]""", """null""",
    ];

    private static ToolKind Kind { get; } = BuiltInTools.All.Single(k => k.Name == "http.get");

    public static TheoryData<string> Hostile() => [.. Urls.Select(u => JsonSerializer.Serialize(new { url = u })), .. Shapes];

    [Fact]
    public void Hostile_IsMany() => Assert.True(Hostile().Count >= 40);

    [Theory, MemberData(nameof(Hostile))]
    public async Task HostileArguments_ReachNothingInside(string arguments)
    {
        await using TrapFolder folder = new();
        using CountingServer inner = new();
        string seen = await folder.CallAsync(Kind, new { timeout = "5s" }, Json(arguments.Replace("{port}", $"{inner.Port}")));
        folder.AssertHarmless(seen);
        Assert.StartsWith("failed: ", seen);
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task HostOfTheFile_IsAskedAndGetsTheSecrets_NoOtherDoes()
    {
        string name = $"MILLSTREAM_TEST_{Guid.NewGuid():N}";
        Environment.SetEnvironmentVariable(name, TrapFolder.Marker);
        await using TrapFolder folder = new();
        using CountingServer named = new(), other = new("127.0.0.2");
        using CountingServer redirects = new("127.0.0.1", $"HTTP/1.1 302 Found\r\nLocation: {other.Url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        object with = new { allow_hosts = new[] { "127.0.0.1" }, secret_headers = new { Authorization = $"env:{name}" } };
        Assert.Equal("""{"status":200,"type":null,"text":"hi"}""", await folder.CallAsync(Kind, with, Url(named.Url)));
        Assert.Contains($"Authorization: {TrapFolder.Marker}", Assert.Single(named.Requests));
        Assert.Contains("not a public address", await folder.CallAsync(Kind, with, Url(redirects.Url)));
        Assert.Contains("not a public address", await folder.CallAsync(Kind, with, Url(other.Url)));
        Assert.Empty(other.Requests);
        // A second name of the same machine is not the one that the file gives.
        Assert.Contains("not a public address", await folder.CallAsync(Kind, with, Url($"http://localhost:{named.Port}/")));
        Assert.Single(named.Requests);
    }

    [Theory]
    [InlineData("http://1.1.1.1/")]
    [InlineData("http://127.0.0.2/")]
    [InlineData("http://127.0.0.1.example.com/")]
    public async Task WithoutThePublic_OnlyHostsOfTheFileAreAsked(string url)
    {
        await using TrapFolder folder = new();
        Assert.Contains("is not among the hosts that this agent may ask: 127.0.0.1", await folder.CallAsync(Kind, new { @public = false, allow_hosts = new[] { "127.0.0.1" } }, Url(url)));
        using CountingServer redirects = new("127.0.0.1", $"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Contains("'public' is false", await folder.CallAsync(Kind, new { @public = false, allow_hosts = new[] { "127.0.0.1" } }, Url(redirects.Url)));
    }

    private static JsonElement Url(string url) => JsonSerializer.SerializeToElement(new { url });

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
