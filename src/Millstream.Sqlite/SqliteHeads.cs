namespace Millstream;

/// <summary>How heads are written; <see cref="JobHeadRow"/> reads them.</summary>
internal static class SqliteHeads
{
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
}
