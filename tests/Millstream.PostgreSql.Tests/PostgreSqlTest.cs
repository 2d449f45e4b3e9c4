using System.Globalization;
using Npgsql;

namespace Millstream.PostgreSql.Tests;

/// <summary>A test with a journal in a schema of its own.</summary>
public abstract class PostgreSqlTest : IAsyncLifetime
{
    protected static readonly JobId Job = JobId.Parse("job");

    private static int _schemas;

    protected virtual PrivateServer Server => PrivateServer.Shared;

    protected string Schema { get; } = string.Create(CultureInfo.InvariantCulture, $"t{Interlocked.Increment(ref _schemas)}");

    protected string Url => $"{Server.Url}?schema={Schema}";

    public virtual ValueTask InitializeAsync()
    {
        OrSkip();
        return ValueTask.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await SqlAsync($"DROP SCHEMA IF EXISTS {Schema} CASCADE");
        GC.SuppressFinalize(this);
    }

    internal static void OrSkip() => Assert.SkipWhen(PrivateServer.Missing is not null, PrivateServer.Missing ?? "");

    protected PostgreSqlJournalStorage Open(TimeSpan? ttl = null, TimeSpan? patience = null, string? url = null) =>
        new(url ?? Url, new PostgreSqlJournalOptions { RunnerTtl = ttl ?? TimeSpan.FromSeconds(30), Patience = patience ?? TimeSpan.FromSeconds(60) });

    protected static JobHead Head(JobId job, long runner = 0) => new() { Id = job, AgentId = "agent", AgentVersion = "1", Created = DateTimeOffset.UnixEpoch, Runner = runner };

    protected static JobAppend Made(JobId job, long runner = 0) => new() { Job = job, Epoch = 1, Record = new JournalRecord(1, 1, "made"u8.ToArray()), Head = Head(job, runner) };

    protected static JobAppend More(long number, JobId? job = null, int bytes = 100, long epoch = 1) => new() { Job = job ?? Job, Epoch = epoch, Record = new JournalRecord(number, 1, new byte[bytes]) };

    protected static void Refused(Exception thrown, params string[] words)
    {
        Assert.All(words, word => Assert.Contains(word, thrown.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(PrivateServer.Password, thrown.ToString(), StringComparison.Ordinal);
    }

    protected static async Task<int> CountAsync(IJournalStorage store, JobId? job = null)
    {
        int count = 0;
        await foreach (JournalRecord record in store.ReadAsync(job ?? Job, 1))
            count++;
        return count;
    }

    protected async Task<object?> SqlAsync(string sql, string database = "postgres")
    {
        await using NpgsqlConnection connection = new($"Host=127.0.0.1;Port={Server.Port};Username={PrivateServer.User};Password={PrivateServer.Password};Database={database};Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
