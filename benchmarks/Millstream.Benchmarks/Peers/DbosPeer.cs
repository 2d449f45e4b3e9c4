using Millstream.PostgreSql.Tests;
using Npgsql;

namespace Millstream;

/// <summary>Durable steps beside those of DBOS Transact for TypeScript, in turn on one private PostgreSQL server.</summary>
internal static class DbosPeer
{
    private const string Name = "DBOS Transact 5.3.0";

    public static PeerGroup Group()
    {
        Lazy<PrivateServer> server = new(Start);
        Lazy<Task<NodePeer>> peer = new(() => NodePeer.StartAsync("dbos.js", $"postgresql://{PrivateServer.User}:{PrivateServer.Password}@127.0.0.1:{server.Value.Port}/dbos"));
        int made = 0;
        return new PeerGroup(Line("one job in PostgreSQL, a durable step", 1, 300, null), Line("50 jobs in PostgreSQL, a durable step", 50, 40, null), Line("1,000 jobs in PostgreSQL, a durable step", 1_000, 10, 20))
        {
            Missing = NodePeer.Missing ?? PrivateServer.Missing,
            WarmUp = default,
            Least = default,
            EndAsync = async () =>
            {
                try
                {
                    if (peer.IsValueCreated)
                        (await peer.Value).Dispose();
                }
                finally
                {
                    if (server.IsValueCreated)
                        server.Value.Dispose();
                }
            },
        };

        static PrivateServer Start()
        {
            PrivateServer server = PrivateServer.Start();
            // The test server's commits do not wait for the disk. Ours do so whatever the server says; theirs shall as well.
            using NpgsqlConnection connection = new($"Host=127.0.0.1;Port={server.Port};Username={PrivateServer.User};Password={PrivateServer.Password};Database=postgres;Pooling=false");
            connection.Open();
            using NpgsqlCommand command = new($"ALTER ROLE {PrivateServer.User} SET synchronous_commit = on", connection);
            command.ExecuteNonQuery();
            return server;
        }

        PeerLine Line(string name, int jobs, int steps, double? atLeast) => new(name, Name, new PeerRun($"ours, {name}", () => DurableBench.StepsAsync(new PostgreSqlJournalStorage($"{server.Value.Url}?schema=peer{++made}"), jobs, steps)),
            new PeerRun($"theirs, {name}", async () => await (await peer.Value).AskAsync(jobs, steps)), "us", atLeast);
    }
}
