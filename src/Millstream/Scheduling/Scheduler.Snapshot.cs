namespace Millstream;

/// <content>The derived view.</content>
internal sealed partial class Scheduler
{
    /// <summary>The state of all workers, units and queues, and who leases what.</summary>
    public SchedulerSnapshot Snapshot()
    {
        List<Grant> grants = [];
        foreach (WorkerState worker in workers)
        {
            for (Grant? grant = worker.FirstGrant; grant is not null; grant = grant.NextOnWorker)
            {
                grants.Add(grant);
            }
        }

        grants.Sort(static (a, b) => a.Epoch.CompareTo(b.Epoch));
        ILookup<ResourceUnit, UnitHolder> holders = grants
            .SelectMany(g => g.Own.ToArray().Select(m => (m.Unit, Holder: new UnitHolder(g.Request.Job.Id, g.Request.TaskId, m.Amount, g.Epoch))))
            .ToLookup(p => p.Unit, p => p.Holder);
        return new SchedulerSnapshot(
            [.. workers.OrderBy(w => w.Id, StringComparer.Ordinal).Select(w => new WorkerSnapshot(w.Id, w.Name, w.Slots, w.FreeSlots, HeldFor(w.HeldBy)))],
            [.. units.Values.OrderBy(u => u.Id, StringComparer.Ordinal).Select(u => View(u, [.. holders[u]]))],
            Queues(),
            [.. grants.GroupBy(g => g.Request.Job).Select(g => LeasedBy(g.Key)).OrderBy(l => l.JobId, StringComparer.Ordinal)]);
    }

    /// <summary>What is leased and free of each type, slots included, without a look at who waits. What is offline is not free.</summary>
    public IReadOnlyList<ResourceUse> Use() =>
    [
        .. units.Values.GroupBy(u => u.Type, StringComparer.Ordinal).Select(g => new ResourceUse(g.Key, g.Sum(u => u.Capacity - u.Free), g.Sum(u => u.OfflineReason is null ? Math.Max(0, u.Free) : 0))),
        new ResourceUse("slot", workers.Sum(w => (long)(w.Slots - w.FreeSlots)), workers.Sum(w => (long)w.FreeSlots)),
    ];

    /// <summary>What one unit is doing, without a look at the others; null where there is none of that id.</summary>
    public UnitStatus? StatusOf(string unitId) => units.TryGetValue(unitId, out ResourceUnit? unit) ? StatusOf(unit) : null;

    private static UnitStatus StatusOf(ResourceUnit unit) =>
        unit.OfflineReason is not null ? UnitStatus.Offline : unit.CoolUntil != 0 || unit.Free - unit.Closed <= 0 ? UnitStatus.Busy : UnitStatus.Available;

    private UnitSnapshot View(ResourceUnit unit, IReadOnlyList<UnitHolder> holders)
    {
        string? detail = unit.OfflineReason ?? (unit.CoolUntil != 0 ? $"cooling down until {Time(unit.CoolUntil)}{Why(unit.CoolReason)}" : null);
        return new UnitSnapshot(unit.Id, unit.Type, unit.WorkerId, StatusOf(unit), unit.Capacity, unit.Free, detail, holders, HeldFor(unit.HeldBy));
    }

    private static string? HeldFor(Hold? hold) => hold is null ? null : $"task {hold.Request.TaskId} of job {hold.Request.Job.Id}";

    private List<QueueSnapshot> Queues()
    {
        List<QueueSnapshot> queues = [];
        foreach (TaskShape shape in waitingShapes)
        {
            string wanted = shape.IsSlotOnly ? "1 slot" : string.Join(", ", shape.Needs.Select(n => n.Requirement));
            IEnumerable<TenantNode> waiting = shape.Tenants
                .Concat(tenants.Values.SelectMany(t => t.OverQuota).Where(n => n.Shape == shape));
            queues.AddRange(waiting.Select(n => new QueueSnapshot(n.Tenant.Name, n.Class, wanted, n.Jobs.Sum(j => j.Queue.All().Count()))));
        }

        foreach (Session session in sessions.Where(s => s.Waiting.Count > 0))
        {
            TaskRequest opening = session.Opening;
            queues.Add(new QueueSnapshot(opening.Job.Tenant, opening.Class, $"the session of task {opening.TaskId}", session.Waiting.Count));
        }

        return [.. queues.OrderByDescending(q => q.Class).ThenBy(q => q.Tenant, StringComparer.Ordinal).ThenBy(q => q.Requirements, StringComparer.Ordinal)];
    }

    private LeasedSnapshot LeasedBy(SchedulingJob job) =>
        new(job.Tenant, job.Id, types.Where(t => job.Fair!.Leased(t.Index) != 0).ToDictionary(t => t.Name, t => job.Fair!.Leased(t.Index)));
}
