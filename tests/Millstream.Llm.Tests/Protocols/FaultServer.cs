using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Millstream.Llm.Tests.Protocols;

/// <summary>A server on loopback that answers each request with exactly the bytes that a test wrote for it. It says Connection: close by closing.</summary>
internal sealed class FaultServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Func<Stream, Task>> _answers = Channel.CreateUnbounded<Func<Stream, Task>>();
    private readonly List<string> _requests = [];
    private readonly Task _serving;

    public FaultServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>The requests that came, with their headers.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>The next request gets this.</summary>
    public FaultServer Answer(Func<Stream, Task> answer)
    {
        _answers.Writer.TryWrite(answer);
        return this;
    }

    /// <summary>The next request gets this status, headers and body.</summary>
    public FaultServer Answer(int status, string body, params string[] headers) =>
        Answer(stream => WriteAsync(stream, Head(status, [$"Content-Length: {Encoding.UTF8.GetByteCount(body)}", "Content-Type: application/json", .. headers]) + body));

    /// <summary>The next request gets this stream of events, and then the connection is closed.</summary>
    public FaultServer Streams(string body, params string[] headers) => Answer(stream => WriteAsync(stream, Head(200, ["Content-Type: text/event-stream", .. headers]) + body));

    public static string Head(int status, params string[] headers) => $"HTTP/1.1 {status} Something\r\nConnection: close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n";

    public static async Task WriteAsync(Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        await stream.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException || (e is InvalidOperationException && _stop.IsCancellationRequested))
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                string request = await ReadAsync(stream);
                Func<Stream, Task> answer = await _answers.Reader.ReadAsync(_stop.Token);
                lock (_requests)
                    _requests.Add(request);
                await answer(stream).WaitAsync(_stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The other side has gone, or the test is over.
            }
        }
    }

    private async Task<string> ReadAsync(Stream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        StringBuilder text = new();
        while (true)
        {
            int count = await stream.ReadAsync(buffer, _stop.Token);
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
            string all = text.ToString();
            int body = all.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (count == 0 || (body > 3 && IsWhole(all, body)))
                return all;
        }
    }

    private static bool IsWhole(string all, int body)
    {
        string head = all[..body];
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return all.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        int at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        return at < 0 || Encoding.UTF8.GetByteCount(all[body..]) >= int.Parse(head[(at + 16)..head.IndexOf("\r\n", at, StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
    }
}
