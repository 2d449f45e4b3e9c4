using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millstream.PostgreSql.Tests;

/// <summary>Stands between a store and its server, and lets connections fail where a test says.</summary>
internal sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Link, Task> _links = [];
    private readonly int _port;
    private readonly Task _accepting;
    private volatile bool _isCut;

    public Proxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What happens to the next request that holds a text.</summary>
    public Trap? Next { get; set; }

    /// <summary>Cuts all connections, and new ones until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (Link link in _links.Keys)
            link.Close();
    }

    public void Mend() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting;
        await Task.WhenAll(_links.Values);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync();
                if (_isCut)
                {
                    client.Close(0);
                    continue;
                }
                Link link = new(client);
                _links[link] = RunAsync(link);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task RunAsync(Link link)
    {
        try
        {
            await link.Server.ConnectAsync(IPAddress.Loopback, _port);
            Task back = BackAsync(link);
            byte[] buffer = new byte[1 << 16];
            while (await link.Client.ReceiveAsync(buffer) is var count and > 0)
            {
                if (Next is { } trap && buffer.AsSpan(0, count).IndexOf(Encoding.UTF8.GetBytes(trap.Text)) >= 0)
                {
                    Next = null;
                    link.Trap = trap;
                    if (trap.Kind != TrapKind.LoseAnswer)
                        link.Client.Close(0);
                    if (trap.Kind == TrapKind.LoseRequest)
                        break;
                    await trap.Release;
                    await link.Server.SendAsync(buffer.AsMemory(0, count));
                    if (trap.Kind == TrapKind.DeliverLate)
                    {
                        await back;
                        return;
                    }
                    continue;
                }
                await link.Server.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        link.Close();
    }

    private static async Task BackAsync(Link link)
    {
        try
        {
            byte[] buffer = new byte[1 << 16];
            while (await link.Server.ReceiveAsync(buffer) is var count and > 0)
            {
                if (link.Trap is { } trap)
                {
                    trap.Answered.TrySetResult(Encoding.UTF8.GetString(buffer, 0, count));
                    break;
                }
                await link.Client.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        link.Close();
    }

    private sealed class Link(Socket client)
    {
        public Socket Client { get; } = client;

        public Socket Server { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public Trap? Trap { get; set; }

        public void Close()
        {
            Client.Close(0);
            Server.Close(0);
        }
    }
}

internal enum TrapKind
{
    /// <summary>The server does it; its answer and the connection are lost.</summary>
    LoseAnswer,

    /// <summary>The request and the connection are lost.</summary>
    LoseRequest,

    /// <summary>The connection is lost, and the server gets the request when it is released.</summary>
    DeliverLate,
}

internal sealed class Trap(TrapKind kind, string text)
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TrapKind Kind => kind;

    public string Text => text;

    public Task Release => kind == TrapKind.DeliverLate ? _release.Task : Task.CompletedTask;

    /// <summary>What the server answered, which nobody got.</summary>
    public TaskCompletionSource<string> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Deliver() => _release.TrySetResult();
}
