using System.Diagnostics;
using Millstream.PostgreSql.Tests;
using Npgsql;

namespace Millstream;

/// <summary>
/// Journals in a private PostgreSQL server, first without the engine above: appends of records of 100 bytes beside one bare synced INSERT, and beside the same rows in one bare
/// INSERT of a table with the key (job, number), all in the same run.
/// </summary>
internal static class PostgreSqlBench
{
    private const int Jobs = 1_000, Batches = 100, Sequential = 1_000;

    public static async Task RunAsync(Measure measure, PrivateServer server)
    {
        const string commit = "PostgreSQL: one synced INSERT, a bare table", alone = "one job alone, a record and its commit",
            floor = "1,000 rows in one bare INSERT, a row", batch = "1,000 jobs in one batch, a record", read = "reading back, a record";
        int made = 0;
        Rounds rounds = new(measure)
        {
            [commit] = () => NaiveAsync(server, Sequential, 1),
            [alone] = () => WithStoreAsync(store => JournalBench.AppendsAsync(store, 1, Sequential, 1)),
            [floor] = () => NaiveAsync(server, Batches, Jobs),
            [batch] = () => WithStoreAsync(store => JournalBench.AppendsAsync(store, Jobs, Batches, 1)),
            [read] = () => WithStoreAsync(async store =>
            {
                await JournalBench.AppendsAsync(store, Jobs, Batches / 5, 1);
                return await JournalBench.ReadsAsync(store, Jobs);
            }),
        };
        await rounds.RunAsync();
        rounds.Say(commit, null);
        rounds.Say(alone, null);
        rounds.SayRatio("  over the bare INSERT", alone, commit, null);
        rounds.Say(floor, null);
        rounds.Say(batch, 1e6 / 20_000);
        rounds.SayRatio("  over the bare rows with a key", batch, floor, null);
        rounds.Say(read, null);

        async Task<double> WithStoreAsync(Func<IJournalStorage, Task<double>> run)
        {
            await using PostgreSqlJournalStorage store = new($"{server.Url}?schema=records{++made}");
            return await run(store);
        }
    }

    /// <returns>Microseconds a row.</returns>
    public static async Task<double> NaiveAsync(PrivateServer server, int commits, int rows)
    {
        await using NpgsqlConnection connection = new(
            $"Host=127.0.0.1;Port={server.Port};Username={PrivateServer.User};Password={PrivateServer.Password};Database=postgres;Pooling=false;Options=-c synchronous_commit=on");
        await connection.OpenAsync();
        await using (NpgsqlCommand make = new("DROP TABLE IF EXISTS steps; CREATE TABLE steps (job bigint, number bigint, bytes bytea, PRIMARY KEY (job, number))", connection))
            await make.ExecuteNonQueryAsync();
        await using NpgsqlCommand insert = new("INSERT INTO steps SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])", connection);
        NpgsqlParameter<long[]> numbers = new() { TypedValue = new long[rows] };
        insert.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. Enumerable.Range(0, rows).Select(i => (long)i)] });
        insert.Parameters.Add(numbers);
        insert.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. Enumerable.Repeat(new byte[100], rows)] });
        await insert.PrepareAsync();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < commits; i++)
        {
            Array.Fill(numbers.TypedValue!, i);
            await insert.ExecuteNonQueryAsync();
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / ((double)commits * rows);
    }
}
