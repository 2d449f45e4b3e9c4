using System.Diagnostics;
using Millstream.PostgreSql.Tests;
using Npgsql;

namespace Millstream;

/// <summary>
/// Journals in a private PostgreSQL server, without the engine above: appends of records of 100 bytes beside one bare synced INSERT, and beside the same rows in one bare
/// INSERT of a table with the key (job, number), all in the same run.
/// </summary>
internal static class PostgreSqlBench
{
    private const int Jobs = 1_000, Batches = 100, Sequential = 1_000, Rounds = 5;

    public static async Task RunAsync(Measure measure)
    {
        if (PrivateServer.Missing is { } missing)
        {
            Console.Out.WriteLine($"postgresql: left out, since {missing}");
            return;
        }
        using PrivateServer server = PrivateServer.Start();
        Dictionary<string, List<double>> times = [];
        for (int round = 0; round <= Rounds; round++)
        {
            Dictionary<string, double> now = new() { ["commit"] = await NaiveAsync(server, Sequential, 1), ["floor"] = await NaiveAsync(server, Batches, Jobs) };
            await using (PostgreSqlJournalStorage store = new($"{server.Url}?schema=alone{round}"))
                now["alone"] = await JournalBench.AppendsAsync(store, 1, Sequential, 1);
            await using (PostgreSqlJournalStorage store = new($"{server.Url}?schema=batch{round}"))
            {
                now["batch"] = await JournalBench.AppendsAsync(store, Jobs, Batches, 1);
                now["read"] = await JournalBench.ReadsAsync(store, Jobs);
            }
            foreach ((string name, double time) in round == 0 ? [] : now) // the first warms up
                (times.TryGetValue(name, out List<double>? all) ? all : times[name] = []).Add(time);
        }
        double Median(string name) => Measure.Median(times[name]);
        double Ratio(string name, string to) => Measure.Median([.. times[name].Zip(times[to], (a, b) => a / b)]);
        measure.Say("PostgreSQL: one synced INSERT, a bare table", Median("commit"), "us", null);
        measure.Say("one job alone, a record and its commit", Median("alone"), "us", null);
        measure.Say("  over the bare INSERT", Ratio("alone", "commit"), "x", null);
        measure.Say($"{Jobs:N0} rows in one bare INSERT, a row", Median("floor"), "us", null, JournalBench.Rate(Median("floor")));
        measure.Say($"{Jobs:N0} jobs in one batch, a record", Median("batch"), "us", 1e6 / 20_000, JournalBench.Rate(Median("batch")));
        measure.Say("  over the bare rows with a key", Ratio("batch", "floor"), "x", null);
        measure.Say("reading back, a record", Median("read"), "us", null, JournalBench.Rate(Median("read")));
    }

    /// <returns>Microseconds a row.</returns>
    private static async Task<double> NaiveAsync(PrivateServer server, int commits, int rows)
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
