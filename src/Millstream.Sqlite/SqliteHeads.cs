using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>Heads as rows. Times are ticks of UTC.</summary>
internal static class SqliteHeads
{
    public const string Columns = "id, agent, version, status, detail, tenant, priority, weight, created, deadline, ended, due, runner, restarts, epoch, key, name, idle, checkpoint";

    public const string Insert = """
        INSERT INTO jobs (id, agent, version, status, detail, tenant, priority, weight, created, deadline, ended, due, runner, restarts, name, idle, checkpoint, epoch)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 1)
        """;

    public const string Update = """
        UPDATE jobs SET agent = ?2, version = ?3, status = ?4, detail = ?5, tenant = ?6, priority = ?7, weight = ?8, created = ?9, deadline = ?10, ended = ?11,
        due = ?12, runner = ?13, restarts = ?14, name = ?15, idle = ?16, checkpoint = ?17 WHERE id = ?1
        """;

    public static object?[] Values(JobHead head) =>
    [
        head.Id.Value, head.AgentId, head.AgentVersion, (int)head.Status, head.Detail, head.Tenant, head.Priority, head.Weight, head.Created.UtcTicks,
        head.Deadline?.UtcTicks, head.Ended?.UtcTicks, head.Due?.UtcTicks, head.Runner, head.Restarts, head.Name, head.IsIdle ? 1 : 0, head.Checkpoint,
    ];

    public static (long Key, JobHead Head) Read(SqliteDataReader row) => (row.GetInt64(15), new JobHead
    {
        Id = JobId.Parse(row.GetString(0)),
        AgentId = row.GetString(1),
        AgentVersion = row.GetString(2),
        Status = (JobStatus)row.GetInt32(3),
        Detail = row.IsDBNull(4) ? null : row.GetString(4),
        Tenant = row.GetString(5),
        Priority = row.GetInt32(6),
        Weight = row.GetDouble(7),
        Created = Time(row.GetInt64(8)),
        Deadline = TimeOrNull(row, 9),
        Ended = TimeOrNull(row, 10),
        Due = TimeOrNull(row, 11),
        Runner = row.GetInt64(12),
        Restarts = row.GetInt32(13),
        Epoch = row.GetInt64(14),
        Name = row.IsDBNull(16) ? null : row.GetString(16),
        IsIdle = row.GetInt64(17) != 0,
        Checkpoint = row.GetInt64(18),
    });

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);

    private static DateTimeOffset? TimeOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : Time(row.GetInt64(column));
}
