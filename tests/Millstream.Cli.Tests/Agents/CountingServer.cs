using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millstream.Cli.Tests.Agents;

/// <summary>Answers every request on one address of this machine with the same bytes, and keeps what it was asked.</summary>
internal sealed class CountingServer : IDisposable
{
    private readonly TcpListener _listener;
    private readonly byte[] _answer;
    private readonly List<string> _requests = [];

    public CountingServer(string address = "127.0.0.1", string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
    {
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        _answer = Encoding.UTF8.GetBytes(answer);
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://{_listener.LocalEndpoint}/";

    public string[] Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync();
                byte[] buffer = new byte[8192];
                int read = await client.GetStream().ReadAsync(buffer);
                lock (_requests)
                    _requests.Add(Encoding.UTF8.GetString(buffer, 0, read));
                await client.GetStream().WriteAsync(_answer);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
