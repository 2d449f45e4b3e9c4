using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>
/// Journals in SQLite, without the engine above: appends of records of 100 bytes beside what the same rows cost in a bare table of the same run, and beside
/// one synced commit. On the disk that the temporary folder lies on.
/// </summary>
internal static class JournalBench
{
    private const int Jobs = 1_000, Batches = 200, Sequential = 2_000, Rounds = 5;

    private static readonly byte[] Bytes = new byte[100];

    public static async Task RunAsync(Measure measure)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            // In turn, so that a disk that is busy for a while is so for all of them.
            Dictionary<string, List<double>> times = [];
            for (int round = 0; round <= Rounds; round++)
            {
                string at = Path.Combine(folder, $"{round}");
                Directory.CreateDirectory(at);
                Dictionary<string, double> now = new()
                {
                    ["commit"] = NaiveCommits(at),
                    ["alone"] = await AppendsAsync(at, 1, Sequential, 1),
                    ["log"] = NaiveRows(at, "log"),
                    ["floor"] = NaiveRows(at, "keyed"),
                    ["batch"] = await AppendsAsync(at, Jobs, Batches, 1),
                    ["events"] = await AppendsAsync(at, Jobs, Batches / 10, 10),
                    ["read"] = await ReadsAsync(at),
                };
                foreach ((string name, double time) in round == 0 ? [] : now) // the first warms up
                    (times.TryGetValue(name, out List<double>? all) ? all : times[name] = []).Add(time);
            }
            double Median(string name) => Measure.Median(times[name]);
            double Ratio(string name, string to) => Measure.Median([.. times[name].Zip(times[to], (a, b) => a / b)]);
            measure.Say("one row in one synced commit, a bare table", Median("commit"), "us", null);
            measure.Say("one job alone, a record and its commit", Median("alone"), "us", null);
            measure.Say("  over the bare commit", Ratio("alone", "commit"), "x", 1.5);
            measure.Say($"{Jobs:N0} rows in one transaction, a bare log, a row", Median("log"), "us", null, Rate(Median("log")));
            measure.Say("  the same with the key (job, number), a row", Median("floor"), "us", null, Rate(Median("floor")));
            measure.Say($"{Jobs:N0} jobs in one batch, a record", Median("batch"), "us", 1e6 / 30_000, Rate(Median("batch")));
            measure.Say("  over the bare rows with a key", Ratio("batch", "floor"), "x", 1 / 0.4);
            measure.Say("  over the bare log", Ratio("batch", "log"), "x", null);
            measure.Say($"{Jobs:N0} jobs, records of 10 entries of 100 B, an entry", Median("events"), "us", 10, Rate(Median("events")));
            measure.Say("reading back, a record", Median("read"), "us", 2, Rate(Median("read")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    public static string Rate(double microseconds) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{1e6 / microseconds,9:N0} /s");

    /// <summary>A synced commit of one row: what the disk asks.</summary>
    public static double NaiveCommits(string folder) => Naive(Path.Combine(folder, "commits.db"), "log", Sequential, 1) / Sequential;

    /// <summary>
    /// One row a step, many in a transaction: as a log, which nobody can read by job, and with the key that this takes. The second is the floor.
    /// </summary>
    public static double NaiveRows(string folder, string kind) => Naive(Path.Combine(folder, $"{kind}.db"), kind, Batches, Jobs) / (Batches * Jobs);

    private static double Naive(string path, string kind, int commits, int rows)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE steps (job INTEGER, number INTEGER, bytes BLOB"
            + (kind == "keyed" ? ", PRIMARY KEY (job, number)) WITHOUT ROWID" : ")"));
        using SqliteCommand insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO steps VALUES (?1, ?2, ?3)";
        foreach (string name in (string[])["?1", "?2", "?3"])
            insert.Parameters.Add(new SqliteParameter(name, SqliteType.Integer));
        insert.Parameters[2] = new SqliteParameter("?3", Bytes);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < commits; i++)
        {
            using SqliteTransaction transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            for (int job = 0; job < rows; job++)
            {
                (insert.Parameters[0].Value, insert.Parameters[1].Value) = (job, i);
                insert.ExecuteNonQuery();
            }
            transaction.Commit();
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;

        void Run(string sql)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    private static async Task<double> AppendsAsync(string folder, int jobs, int batches, int entries)
    {
        await using SqliteJournalStorage store = new(Path.Combine(folder, $"{jobs}-{entries}.db"));
        return await AppendsAsync(store, jobs, batches, entries);
    }

    /// <returns>Microseconds an entry, in batches of one record for each job.</returns>
    public static async Task<double> AppendsAsync(IJournalStorage store, int jobs, int batches, int entries, int before = 0)
    {
        JobId[] ids = [.. Enumerable.Range(0, jobs).Select(i => JobId.Parse($"j{i}"))];
        if (before == 0)
            await store.AppendAsync([.. ids.Select(id => new JobAppend
        {
            Job = id, Epoch = 1, Record = new JournalRecord(1, 1, Bytes), Head = new JobHead { Id = id, AgentId = "bench", AgentVersion = "1", Created = DateTimeOffset.UnixEpoch },
        })]);
        byte[] bytes = new byte[entries * Bytes.Length];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < batches; i++)
        {
            JobAppend[] batch = new JobAppend[jobs];
            for (int k = 0; k < jobs; k++)
                batch[k] = new JobAppend { Job = ids[k], Epoch = 1, Record = new JournalRecord(2 + (before + (long)i) * entries, entries, bytes) };
            foreach (AppendResult result in await store.AppendAsync(batch))
            {
                if (result != AppendResult.Appended)
                    throw new InvalidOperationException($"An append was refused: {result}.");
            }
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / ((double)batches * jobs * entries);
    }

    /// <summary>Reads back what the batches wrote.</summary>
    private static async Task<double> ReadsAsync(string folder)
    {
        await using SqliteJournalStorage store = new(Path.Combine(folder, $"{Jobs}-1.db"));
        return await ReadsAsync(store, Jobs);
    }

    /// <returns>Microseconds a record.</returns>
    public static async Task<double> ReadsAsync(IJournalStorage store, int jobs)
    {
        int count = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < jobs; i++)
        {
            await foreach (JournalRecord record in store.ReadAsync(JobId.Parse($"j{i}"), 1))
                count++;
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
    }
}
