using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>
/// Journals in SQLite, without the engine above: appends of records of 100 bytes beside what the same rows cost in a bare table of the same run, and beside
/// one synced commit. On the disk that the temporary folder lies on.
/// </summary>
internal static class JournalBench
{
    private const int Jobs = 1_000, Batches = 200, Sequential = 2_000;

    private static readonly byte[] Bytes = new byte[100];

    public static async Task RunAsync(Measure measure)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            const string commit = "one row in one synced commit, a bare table", alone = "one job alone, a record and its commit", log = "1,000 rows in one transaction, a bare log, a row",
                floor = "  the same with the key (job, number), a row", batch = "1,000 jobs in one batch, a record", events = "1,000 jobs, records of 10 entries of 100 B, an entry",
                read = "reading back, a record";
            int made = 0;
            Rounds rounds = new(measure)
            {
                [commit] = () => Task.FromResult(NaiveCommits(Fresh())),
                [alone] = () => AppendsAsync(Fresh(), 1, Sequential, 1),
                [log] = () => Task.FromResult(NaiveRows(Fresh(), "log")),
                [floor] = () => Task.FromResult(NaiveRows(Fresh(), "keyed")),
                [batch] = () => AppendsAsync(Fresh(), Jobs, Batches, 1),
                [events] = () => AppendsAsync(Fresh(), Jobs, Batches / 10, 10),
                [read] = () => ReadsAsync(Fresh()),
            };
            await rounds.RunAsync();
            rounds.Say(commit, null);
            rounds.Say(alone, null);
            rounds.SayRatio("  over the bare commit", alone, commit, 1.5);
            rounds.Say(log, null);
            rounds.Say(floor, null);
            rounds.Say(batch, 1e6 / 30_000);
            rounds.SayRatio("  over the bare rows with a key", batch, floor, 1 / 0.4);
            rounds.SayRatio("  over the bare log", batch, log, null);
            rounds.Say(events, 10);
            rounds.Say(read, 2);

            string Fresh() => Directory.CreateDirectory(Path.Combine(folder, $"{++made}")).FullName;
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
    public static double NaiveRows(string folder, string kind, int commits = Batches) => Naive(Path.Combine(folder, $"{kind}.db"), kind, commits, Jobs) / ((double)commits * Jobs);

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

    private static async Task<double> ReadsAsync(string folder)
    {
        await using SqliteJournalStorage store = new(Path.Combine(folder, "read.db"));
        await AppendsAsync(store, Jobs, Batches / 5, 1);
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
