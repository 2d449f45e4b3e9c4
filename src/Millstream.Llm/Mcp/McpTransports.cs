using ModelContextProtocol.Client;

namespace Millstream;

/// <summary>How a server is reached. Secrets are read here and go nowhere else.</summary>
internal static class McpTransports
{
    private const int MostErrorLines = 20;

    public static IClientTransport Of(McpServer server, string folder, TaskContext context)
    {
        if (server.Url is { } url)
        {
            return new HttpClientTransport(new HttpClientTransportOptions
            {
                Endpoint = url,
                Name = server.Name,
                ConnectionTimeout = server.ConnectTimeout,
                AdditionalHeaders = Merged(server.Headers, server.SecretHeaders, context),
            }, new HttpClient(Connections(server)) { Timeout = Timeout.InfiniteTimeSpan }, ownsHttpClient: true);
        }
        Dictionary<string, string?> environment = StdioClientTransportOptions.GetDefaultEnvironmentVariables();
        foreach ((string name, string value) in Merged(server.Environment, server.Secrets, context))
            environment[name] = value;
        int lines = 0;
        return new StdioClientTransport(new StdioClientTransportOptions
        {
            Name = server.Name,
            Command = server.Command![0],
            Arguments = [.. server.Command.Skip(1)],
            WorkingDirectory = server.Folder is { } own ? Path.Combine(folder, own) : folder.Length > 0 ? folder : null,
            // The process's own environment holds keys that are no business of the server.
            InheritEnvironmentVariables = false,
            EnvironmentVariables = environment,
            StandardErrorLines = line =>
            {
                if (Interlocked.Increment(ref lines) <= MostErrorLines)
                    context.Delta(line + "\n", "stderr");
            },
        });
    }

    // No redirects: secret headers would go with them. Calls have a time limit of their own.
    private static SocketsHttpHandler Connections(McpServer server) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = server.ConnectTimeout,
    };

    /// <summary>The server in words.</summary>
    public static string Where(McpServer server) => server.Url?.GetLeftPart(UriPartial.Path) ?? server.Command![0];

    private static Dictionary<string, string> Merged(IReadOnlyDictionary<string, string> plain, IReadOnlyDictionary<string, Secret> secrets, TaskContext context)
    {
        Dictionary<string, string> all = new(plain, StringComparer.Ordinal);
        foreach ((string name, Secret secret) in secrets)
            all[name] = context.Reveal(secret);
        return all;
    }
}
