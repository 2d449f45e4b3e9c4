using System.Net;
using System.Text;

namespace Millstream.Cli.Tests;

/// <summary>A collector of a test's own: it keeps what was sent to each path. Names and values stand in the bytes of OTLP as they are.</summary>
internal sealed class CollectorServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _sent = new(StringComparer.Ordinal);
    private readonly int _answer;

    /// <param name="answer">The status that it answers with.</param>
    public CollectorServer(int answer = 200)
    {
        _answer = answer;
        Url = $"http://127.0.0.1:{FreePort()}";
        _listener.Prefixes.Add($"{Url}/");
        _listener.Start();
        _ = ListenAsync();
    }

    public string Url { get; }

    /// <summary>All that came to a path, a byte a character.</summary>
    public string SentTo(string path)
    {
        lock (_gate)
            return _sent.GetValueOrDefault(path, "");
    }

    /// <summary>A port on which nobody listens.</summary>
    public static int FreePort()
    {
        using System.Net.Sockets.TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }

    public void Dispose() => _listener.Close();

    private async Task ListenAsync()
    {
        try
        {
            while (await _listener.GetContextAsync() is { } request)
            {
                using MemoryStream body = new();
                await request.Request.InputStream.CopyToAsync(body);
                lock (_gate)
                    _sent[request.Request.RawUrl!] = _sent.GetValueOrDefault(request.Request.RawUrl!, "") + $"{request.Request.ContentType} {Encoding.Latin1.GetString(body.ToArray())}";
                request.Response.StatusCode = _answer;
                request.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
