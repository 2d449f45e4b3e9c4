using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Millstream;

/// <summary>The connections of an agent's jobs to their MCP servers: one for each job and server, opened when a task needs it and closed when the job ends or uses none of them for a while.</summary>
internal sealed class McpConnections
{
    private const int Tries = 3;

    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10), Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(JobId Job, string Server), Connection> _open = [];

    /// <summary>The tools that a server has now.</summary>
    public async Task<McpTools> ListAsync(McpServer server, string folder, TaskContext context)
    {
        Connection connection = Take(server, folder, context);
        try
        {
            return await (await connection.ClientAsync(context)).ListAsync(context);
        }
        finally
        {
            Give(connection, context.Time);
        }
    }

    /// <summary>Calls a tool, if the server's tools are still those that the job knows. What comes before the call is tried again here; the call itself is sent once.</summary>
    public async Task<McpOutcome> CallAsync(McpServer server, string folder, McpCallInput input, TaskContext context)
    {
        Connection connection = Take(server, folder, context);
        try
        {
            (Client client, McpTools now) = await ReadyAsync(connection, context);
            if (now.Hash != input.Hash)
                return new McpOutcome(null, now);
            return new McpOutcome(await client.CallAsync(input, context), null);
        }
        finally
        {
            Give(connection, context.Time);
        }
    }

    // Asked before each call: a server may change its tools and not say so, or say so a moment too late.
    private static async Task<(Client Client, McpTools Now)> ReadyAsync(Connection connection, TaskContext context)
    {
        for (int failed = 1; ; failed++)
        {
            try
            {
                Client client = await connection.ClientAsync(context);
                return (client, await client.ListAsync(context));
            }
            catch (RetryableTaskException) when (failed < Tries)
            {
                await Task.Delay(Pause * failed, context.Time, context.CancellationToken);
            }
        }
    }

    /// <summary>Closes the connections of a job that has ended. Doing it again changes nothing.</summary>
    public void Close(JobId job)
    {
        Connection[] ended;
        lock (_gate)
        {
            ended = [.. _open.Where(o => o.Key.Job == job).Select(o => o.Value)];
            foreach (Connection connection in ended)
                _open.Remove(connection.Key);
        }
        foreach (Connection connection in ended)
            _ = connection.CloseAsync();
    }

    private Connection Take(McpServer server, string folder, TaskContext context)
    {
        lock (_gate)
        {
            (JobId, string) key = (context.JobId, server.Name);
            if (!_open.TryGetValue(key, out Connection? connection))
                _open.Add(key, connection = new Connection(key, server, folder));
            connection.Users++;
            connection.Timer?.Dispose();
            connection.Timer = null;
            return connection;
        }
    }

    private void Give(Connection connection, TimeProvider time)
    {
        lock (_gate)
        {
            if (--connection.Users == 0)
                connection.Timer = time.CreateTimer(_ => CloseIdle(connection), null, Idle, Timeout.InfiniteTimeSpan);
        }
    }

    private void CloseIdle(Connection connection)
    {
        lock (_gate)
        {
            if (connection.Users > 0 || !_open.Remove(connection.Key))
                return;
        }
        _ = connection.CloseAsync();
    }

    /// <summary>One job's way to one server; a broken client is replaced by the next call.</summary>
    private sealed class Connection((JobId Job, string Server) key, McpServer server, string folder)
    {
        private readonly SemaphoreSlim _one = new(1, 1);
        private Client? _client;

        public (JobId Job, string Server) Key => key;

        public int Users { get; set; }

        public ITimer? Timer { get; set; }

        public async Task<Client> ClientAsync(TaskContext context)
        {
            await _one.WaitAsync(context.CancellationToken);
            try
            {
                if (_client is { IsOver: false } open)
                    return open;
                if (_client is { } broken)
                    await broken.DisposeAsync();
                _client = null;
                return _client = await Client.ConnectAsync(server, folder, context);
            }
            finally
            {
                _one.Release();
            }
        }

        public async Task CloseAsync()
        {
            await _one.WaitAsync();
            try
            {
                Timer?.Dispose();
                if (_client is { } open)
                    await open.DisposeAsync();
                _client = null;
            }
            finally
            {
                _one.Release();
            }
        }
    }

    /// <summary>An open connection.</summary>
    private sealed class Client(McpServer server, IClientTransport transport) : IAsyncDisposable
    {
        // Timers take no longer ones.
        private static readonly TimeSpan Longest = TimeSpan.FromDays(49);

        private McpClient _client = null!;

        public bool IsOver => _client.Completion.IsCompleted;

        public static async Task<Client> ConnectAsync(McpServer server, string folder, TaskContext context)
        {
            IClientTransport transport = McpTransports.Of(server, folder, context);
            Client made = new(server, transport);
            McpClientOptions options = new()
            {
                ClientInfo = new Implementation { Name = "millstream", Version = typeof(McpServer).Assembly.GetName().Version!.ToString(3) },
                InitializationTimeout = server.ConnectTimeout,
                TimeProvider = context.Time,
            };
            try
            {
                made._client = await McpClient.CreateAsync(transport, options, cancellationToken: context.CancellationToken);
                return made;
            }
            catch (Exception e)
            {
                await made.DisposeAsync();
                if (context.CancellationToken.IsCancellationRequested)
                    throw;
                throw new RetryableTaskException($"MCP server {server.Name} ({McpTransports.Where(server)}) does not answer: {e.Message}", inner: e);
            }
        }

        public async Task<McpTools> ListAsync(TaskContext context)
        {
            using CancellationTokenSource limit = new(Limit, context.Time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.CancellationToken);
            try
            {
                return McpTools.Of(server, (await _client.ListToolsAsync(cancellationToken: either.Token)).Select(t => t.ProtocolTool));
            }
            catch (Exception e) when (e is not TerminalTaskException && !context.CancellationToken.IsCancellationRequested)
            {
                throw new RetryableTaskException($"MCP server {server.Name} does not list its tools: {e.Message}", inner: e);
            }
        }

        public async Task<McpResult> CallAsync(McpCallInput input, TaskContext context)
        {
            Dictionary<string, object?> arguments = input.Arguments.EnumerateObject().ToDictionary(a => a.Name, a => (object?)a.Value);
            // Not the policy's timeout, which may be tried again.
            using CancellationTokenSource limit = new(Limit, context.Time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.CancellationToken);
            try
            {
                CallToolResult result = await _client.CallToolAsync(input.Tool, arguments, new Progress(context), cancellationToken: either.Token);
                return McpResult.Of(result);
            }
            catch (McpProtocolException e)
            {
                return new McpResult(JsonSerializer.SerializeToElement(e.Message, AIJson.Options), true);
            }
            catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
            {
                // Whether the call was made is not known, so it is not made again here; the model may.
                if (limit.IsCancellationRequested)
                    throw new TerminalTaskException($"MCP server {server.Name} did not answer the call of {input.Tool} within {nameof(McpServer.CallTimeout)}, {server.CallTimeout}; whether it made the call is not known", e);
                throw new TerminalTaskException($"MCP server {server.Name} went away during the call of {input.Tool}: {e.Message}", e);
            }
        }

        private TimeSpan Limit => server.CallTimeout < Longest ? server.CallTimeout : Longest;

        public async ValueTask DisposeAsync()
        {
            if (_client is not null)
                await _client.DisposeAsync();
            if (transport is IAsyncDisposable owned)
                await owned.DisposeAsync();
        }
    }

    // Not the framework's own, which posts to the pool and may come after the end.
    private sealed class Progress(TaskContext context) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) =>
            context.Delta(FormattableString.Invariant($"{value.Progress}{(value.Total is { } total ? $"/{total}" : "")}{(value.Message is null ? "" : $" {value.Message}")}\n"), "progress");
    }
}
