using System.Net;
using System.Text;

namespace Millstream.Crashes.Cycles;

/// <summary>
/// The world outside of the jobs: each task of a workflow asks it for <c>/job/task</c>, and so it knows what was run how often. Some tasks are refused
/// once, some wait, and a gate is answered only when it is opened.
/// </summary>
internal sealed class EffectServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Ledger _ledger;
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskCompletionSource> _gates = new(StringComparer.Ordinal);

    public EffectServer(Ledger ledger)
    {
        _ledger = ledger;
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

    public void Open(string job) => Gate(job).TrySetResult();

    public void Dispose() => _listener.Close();

    private TaskCompletionSource Gate(string job)
    {
        lock (_gates)
            return _gates.TryGetValue(job, out TaskCompletionSource? gate) ? gate : _gates[job] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        string key = context.Request.Url!.AbsolutePath.TrimStart('/');
        lock (_refused)
            _ledger.Effect(key);
        try
        {
            string[] words = key.Split('/');
            if (words[1] == "gate")
                await Gate(words[0]).Task;
            bool isRefused;
            lock (_refused)
                isRefused = words[1].StartsWith("flaky", StringComparison.Ordinal) && _refused.Add(key);
            context.Response.StatusCode = isRefused ? 503 : 200;
            context.Response.OutputStream.Write(Encoding.UTF8.GetBytes($"{key} é漢🙂"));
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Whoever asked was killed.
        }
    }
}
