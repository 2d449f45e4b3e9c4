using System.Data.Common;

namespace Millstream;

/// <summary>Heads as the rows of a store in a database. Times are ticks of UTC, since databases' own times are coarser.</summary>
internal static class JobHeadRow
{
    public const string Columns = "id, agent, version, status, detail, tenant, priority, weight, created, deadline, ended, due, runner, restarts, epoch, key, name, idle, checkpoint";

    public static (long Key, JobHead Head) Read(DbDataReader row) => (row.GetInt64(15), new JobHead
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
        IsIdle = row.GetBoolean(17),
        Checkpoint = row.GetInt64(18),
    });

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);

    private static DateTimeOffset? TimeOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : Time(row.GetInt64(column));
}
