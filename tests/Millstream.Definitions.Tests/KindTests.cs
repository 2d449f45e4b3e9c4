using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class KindTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string In(string name) => Path.Combine(_folder, name);

    private static JsonElement With(object value) => JsonSerializer.SerializeToElement(value);

    [Fact]
    public async Task FileRead_Text_GivesLinesWithoutALastEmptyOne()
    {
        File.WriteAllText(In("a b"), "x\n\nz\n");
        JsonElement output = await FileKinds.ReadAsync(With(new { path = In("a b") }), default);
        Assert.Equal("""["x","","z"]""", output.GetProperty("lines").GetRawText());
        Assert.Equal(5, output.GetProperty("bytes").GetInt32());
    }

    [Fact]
    public async Task FileRead_TooLargeMissingOrBinary_SaysWhy()
    {
        File.WriteAllBytes(In("big"), new byte[2000]);
        File.WriteAllBytes(In("binary"), [0xff, 0xfe, 0xfd]);
        await Fails("has more than 1024 bytes; 'max_bytes' sets the bound", () => FileKinds.ReadAsync(With(new { path = In("big"), max_bytes = "1KiB" }), default));
        await Fails("is not UTF-8 text", () => FileKinds.ReadAsync(With(new { path = In("binary") }), default));
        await Fails("there is no file", () => FileKinds.ReadAsync(With(new { path = In("none") }), default));
        await Fails("is a folder", () => FileKinds.ReadAsync(With(new { path = _folder }), default));
    }

    [Fact]
    public async Task FileWrite_OverAFileOrLink_ReplacesItsTextAndLeavesNothingBeside()
    {
        File.WriteAllText(In("real"), "old");
        File.CreateSymbolicLink(In("link"), In("real"));
        await FileKinds.WriteAsync(With(new { path = In("link"), text = "new ü" }), default);
        Assert.Equal("new ü", File.ReadAllText(In("real")));
        Assert.NotNull(File.ResolveLinkTarget(In("link"), false));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
        await Fails("is a folder", () => FileKinds.WriteAsync(With(new { path = _folder, text = "" }), default));
        await Fails("the folder of", () => FileKinds.WriteAsync(With(new { path = In("no/where"), text = "" }), default));
        await Fails("is no place for files", () => FileKinds.WriteAsync(With(new { path = "/dev/null", text = "" }), default));
    }

    [Fact]
    public async Task Template_WithLoops_StreamsWhatItGives()
    {
        var pieces = new List<string>();
        JsonElement with = With(new { text = "{% for r in rows %}{{ r.name }}={{ r.n | plus: 1 }};{% endfor %}<{{ none }}>", values = new { rows = Enumerable.Range(0, 2000).Select(i => new { name = "ü", n = i }) } });
        JsonElement output = await TemplateText.RunAsync(with, _folder, pieces.Add, default);
        string text = output.GetProperty("text").GetString()!;
        Assert.StartsWith("ü=1;ü=2;", text);
        Assert.EndsWith("ü=2000;<>", text);
        Assert.Equal(text, string.Concat(pieces));
        Assert.True(pieces.Count > 1);
    }

    [Theory]
    [InlineData("{% for i in (1..1000000000) %}x{% endfor %}")]
    [InlineData("{% assign s = 'xxxxxxxx' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}")]
    [InlineData("{% for i in (1..90000) %}{% for i in (1..90000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% include 'secret' %}")]
    public async Task Template_WithoutEndOrFiles_Fails(string template) =>
        await Assert.ThrowsAsync<KindFailureException>(() => TemplateText.RunAsync(With(new { text = template }), _folder, _ => { }, default));

    [Fact]
    public async Task HttpGet_NamedHost_GivesTextAndJson()
    {
        using var server = new Server("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"a\":\"ü\"}");
        JsonElement output = await Get(new { url = server.Url, allow_hosts = new[] { "127.0.0.1" } });
        Assert.Equal(200, output.GetProperty("status").GetInt32());
        Assert.Equal("ü", output.GetProperty("json").GetProperty("a").GetString());
        Assert.Equal("application/json", output.GetProperty("headers").GetProperty("content-type").GetString());
    }

    [Fact]
    public async Task HttpGet_PrivateAddress_IsRefusedAlsoBehindARedirect()
    {
        using var inner = new Server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        await Fails("not a public address", () => Get(new { url = inner.Url }));
        using var outer = new Server($"HTTP/1.1 302 Found\r\nLocation: {inner.Url.Replace("127.0.0.1", "127.0.0.2")}\r\nContent-Length: 0\r\n\r\n");
        await Fails("127.0.0.2 is 127.0.0.2, not a public address", () => Get(new { url = outer.Url, allow_hosts = new[] { "127.0.0.1" } }));
        Assert.Equal(0, inner.Served);
    }

    [Fact]
    public async Task HttpGet_SecretHeaders_GoToTheServerOfTheAddressAlone()
    {
        using var other = new Server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        using var server = new Server($"HTTP/1.1 302 Found\r\nLocation: {other.Url}\r\nContent-Length: 0\r\n\r\n");
        JsonElement output = await Get(new { url = server.Url, headers = new { A = "b" }, allow_hosts = new[] { "127.0.0.1" } }, ("Authorization", "Bearer hush"));
        Assert.Contains("\r\nA: b\r\n", server.Request);
        Assert.Contains("\r\nAuthorization: Bearer hush\r\n", server.Request);
        Assert.Equal((1, false, false), (other.Served, other.Request.Contains("hush", StringComparison.Ordinal), output.GetRawText().Contains("hush", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task HttpGet_TooManyRequests_MayPassAndSaysWhen()
    {
        using var server = new Server("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
        var e = await Assert.ThrowsAsync<KindFailureException>(() => Get(new { url = server.Url, allow_hosts = new[] { "127.0.0.1" } }));
        Assert.Equal((true, TimeSpan.FromSeconds(7)), (e.Passing, e.RetryAfter));
    }

    [Theory]
    [InlineData("Wed, 25 Nov 2026 12:00:30 GMT", 30)]
    [InlineData("Wed, 25 Nov 2026 11:00:00 GMT", 0)]
    [InlineData("Sat, 25 Nov 2028 12:00:00 GMT", 731 * 86_400)]
    public async Task HttpGet_RetryAfterADate_WaitsUntilThen(string after, int seconds)
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 25, 12, 0, 0, TimeSpan.Zero));
        using var server = new Server($"HTTP/1.1 503 Later\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n");
        var e = await Assert.ThrowsAsync<KindFailureException>(() => HttpGet.RunAsync(With(new { url = server.Url, allow_hosts = new[] { "127.0.0.1" } }), [], time, default));
        Assert.Equal((true, TimeSpan.FromSeconds(seconds)), (e.Passing, e.RetryAfter));
    }

    [Fact]
    public async Task HttpGet_TimeoutBeyondTheTimersOfTheSystem_IsTaken()
    {
        using var server = new Server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        Assert.Equal("x", (await Get(new { url = server.Url, timeout = "60d", allow_hosts = new[] { "127.0.0.1" } })).GetProperty("text").GetString());
    }

    [Fact]
    public async Task HttpGet_OverItsBounds_Fails()
    {
        using var large = new Server("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + new string('x', 2000));
        await Fails("more than 1024 bytes; 'max_bytes'", () => Get(new { url = large.Url, max_bytes = "1KiB", allow_hosts = new[] { "127.0.0.1" } }));
        using var loop = new Server("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await Fails("redirects more than 2 times", () => Get(new { url = loop.Url, max_redirects = 2, allow_hosts = new[] { "127.0.0.1" } }));
        await Fails("is no http or https address", () => Get(new { url = "file:///etc/passwd" }));
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:192.168.0.1", false)]
    [InlineData("64:ff9b::10.0.0.1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("fd00::1", false)]
    [InlineData("1.1.1.1", true)]
    [InlineData("2606:4700::1111", true)]
    public void IsPublic_KnowsInnerAddresses(string address, bool expected) => Assert.Equal(expected, NetworkAddresses.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://localhost:80/x", "[\"localhost\"]")]
    [InlineData("http://localhost/${{ input.path }}", "[\"localhost\"]")]
    [InlineData("http://localhost${{ input.path }}", null)]
    [InlineData("http://${{ input.path }}/x", null)]
    [InlineData("${{ input.path }}", null)]
    public void Url_HostWrittenByTheAuthor_IsAllowed(string url, string? allowed)
    {
        WorkflowDefinition workflow = WorkflowFile.Parse(Around($"a: {{ uses: http.get, with: {{ url: \"{url}\" }} }}"));
        JsonElement with = workflow.Tasks[1].With.Evaluate(Scope(Json("""{"path":"p"}""")));
        Assert.Equal(allowed, with.TryGetProperty("allow_hosts", out JsonElement hosts) ? hosts.GetRawText() : null);
    }

    [Theory]
    [InlineData("https://api.example.com/x", true)]
    [InlineData("https://API.example.com:8443/x", true)]
    [InlineData("http://127.0.0.1:8080/x", true)]
    [InlineData("http://api.example.com/x", false)]
    [InlineData("https://api.example.com.evil.com/x", false)]
    [InlineData("https://evil.com/api.example.com", false)]
    [InlineData("https://evil.com/?api.example.com", false)]
    [InlineData("https://evil.com/#@api.example.com", false)]
    [InlineData("https://sub.api.example.com/x", false)]
    [InlineData("http://127.0.0.2/x", false)]
    public void HttpTool_SecretHeaders_AreForNamedHostsWithNobodyListening(string url, bool expected) =>
        Assert.Equal(expected, HttpTool.MayHaveSecrets(new Uri(url), With(new { allow_hosts = new[] { "api.example.com", "127.0.0.1" } })));

    private static Task<JsonElement> Get(object with, params (string, string)[] secrets) => HttpGet.RunAsync(With(with), secrets, TimeProvider.System, default);

    private static async Task Fails(string message, Func<Task> act) => Assert.Contains(message, (await Assert.ThrowsAsync<KindFailureException>(act)).Message);

    /// <summary>Gives the same bytes to every request.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly byte[] _answer;

        public Server(string answer)
        {
            _answer = Encoding.UTF8.GetBytes(answer);
            _listener.Start();
            _ = ServeAsync();
        }

        public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

        public int Served { get; private set; }

        /// <summary>The last request.</summary>
        public string Request { get; private set; } = "";

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using TcpClient client = await _listener.AcceptTcpClientAsync();
                    NetworkStream stream = client.GetStream();
                    byte[] buffer = new byte[4096];
                    int read = await stream.ReadAsync(buffer);
                    if (read == 0)
                        continue;
                    Request = Encoding.UTF8.GetString(buffer, 0, read);
                    Served++;
                    await stream.WriteAsync(_answer);
                    client.Client.Shutdown(SocketShutdown.Send);
                    while (await stream.ReadAsync(buffer) > 0) { }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }
    }
}
