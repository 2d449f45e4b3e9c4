using Microsoft.Data.Sqlite;

namespace Millstream.Sqlite.Tests;

/// <summary>A test with a journal in a folder of its own.</summary>
public abstract class SqliteTest : IDisposable
{
    protected static readonly JobId Job = JobId.Parse("job");

    protected string Folder { get; } = Directory.CreateTempSubdirectory("millstream-sqlite-").FullName;

    protected string Journal => Path.Combine(Folder, "journal.db");

    public void Dispose()
    {
        Directory.Delete(Folder, true);
        GC.SuppressFinalize(this);
    }

    protected static JobAppend Made(JobId job, long runner = 0) => new()
    {
        Job = job,
        Epoch = 1,
        Record = new JournalRecord(1, 1, "made"u8.ToArray()),
        Head = new JobHead { Id = job, AgentId = "agent", AgentVersion = "1", Created = DateTimeOffset.UnixEpoch, Runner = runner },
    };

    protected static JobAppend More(long number, int bytes = 100) => new() { Job = Job, Epoch = 1, Record = new JournalRecord(number, 1, new byte[bytes]) };

    protected static SqliteConnection Connect(string path)
    {
        SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        return connection;
    }

    protected static void Sql(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    protected static void Sql(string path, string sql)
    {
        using SqliteConnection connection = Connect(path);
        Sql(connection, sql);
    }

    protected static void Refused(Exception thrown, params string[] words) => Assert.All(words, word => Assert.Contains(word, thrown.Message, StringComparison.Ordinal));

    protected static async Task<int> CountAsync(IJournalStorage store)
    {
        int count = 0;
        await foreach (JournalRecord record in store.ReadAsync(Job, 1))
            count++;
        return count;
    }

    /// <summary>A closed journal whose job has records of 4 KiB.</summary>
    protected async Task FillAsync(int records)
    {
        await using SqliteJournalStorage store = new(Journal);
        await store.AppendAsync([Made(Job)]);
        for (int i = 2; i <= records; i++)
            await store.AppendAsync([More(i, 4096)]);
    }
}
