using System.Net;
using System.Threading.Channels;

namespace Millstream.Cli.Tests;

/// <summary>A server of a test's own: it tells which paths were asked for, and <c>/gate</c> answers only when it is opened.</summary>
internal sealed class GateServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpListener _listener = new();
    private readonly Channel<string> _asked = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GateServer()
    {
        using (System.Net.Sockets.TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _ = ListenAsync();
    }

    public int Port { get; }

    /// <summary>What a task says under <c>with</c> to ask for a path.</summary>
    public string With(string path) => $"{{ url: \"http://127.0.0.1:{Port}/{path}\", allow_hosts: [127.0.0.1], timeout: 10m }}";

    /// <summary>The next path that was asked for.</summary>
    public async Task<string> AskedAsync() => await _asked.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public bool WasAskedMore(out string? path) => _asked.Reader.TryRead(out path);

    public void Open() => _open.TrySetResult();

    public void Dispose() => _listener.Close();

    private async Task ListenAsync()
    {
        while (true)
        {
            HttpListenerContext request;
            try
            {
                request = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = AnswerAsync(request);
        }
    }

    private async Task AnswerAsync(HttpListenerContext request)
    {
        string path = request.Request.Url!.AbsolutePath.TrimStart('/');
        _asked.Writer.TryWrite(path);
        if (path == "gate")
            await _open.Task;
        try
        {
            request.Response.OutputStream.Write(System.Text.Encoding.UTF8.GetBytes(path));
            request.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            // Whoever asked was killed.
        }
    }
}
