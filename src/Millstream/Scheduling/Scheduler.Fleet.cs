namespace Millstream;

/// <content>Workers, units and shapes.</content>
internal sealed partial class Scheduler
{
    private readonly List<ResourceType> types;
    private readonly Dictionary<string, ResourceType> typesByName = new(StringComparer.Ordinal);
    private readonly List<WorkerState> workers = [];
    private readonly Dictionary<string, WorkerState> workersById = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ResourceUnit> units = new(StringComparer.Ordinal);
    private readonly List<ResourceUnit> cooling = [];
    private readonly Dictionary<ShapeKey, TaskShape> shapes = [];
    private readonly List<TaskFamily> families = [];
    private readonly ResourceType slots;
    private readonly TaskShape slotOnly;
    private long fleetGeneration;
    private long freeSlots;
    private int shapeLimit = 4096;
    private int shapeSerial;

    /// <summary>The one shape for a list of requirements; the empty list asks for a slot only.</summary>
    /// <exception cref="ArgumentException">The requirements ask for more than 16 resources together.</exception>
    public TaskShape Intern(IReadOnlyList<ResourceRequirement> requirements)
    {
        if (requirements.Count == 0)
        {
            return slotOnly;
        }

        ShapeKey key = new([.. requirements]);
        if (shapes.TryGetValue(key, out TaskShape? shape))
        {
            return shape;
        }

        long members = requirements.Sum(r => r.Shared ? 1 : r.Amount);
        if (members > ResourceRequirement.MaxGang)
        {
            throw new ArgumentException($"The task asks for {members} resources together ({string.Join(", ", requirements)}), but {ResourceRequirement.MaxGang} is the most; split the task or ask for less.", nameof(requirements));
        }

        if (shapes.Count >= shapeLimit)
        {
            foreach ((ShapeKey unused, TaskShape idle) in shapes.Where(s => s.Value.Waiting == 0).ToList())
            {
                shapes.Remove(unused);
            }

            shapeLimit = Math.Max(4096, shapes.Count * 2);
        }

        Need[] needs = [.. requirements.Select(r => new Need(r, TypeOf(r.Type), TypeOf(r.Type).MatchFor(r.Labels)))];
        (ResourceType, long)[] totals = [(slots, 1), .. needs.GroupBy(n => n.Type).Select(g => (g.Key, g.Sum(n => n.Amount)))];
        shape = new TaskShape(++shapeSerial, needs, totals, FamilyOf([.. totals.Select(t => t.Item1)]), table);
        shapes.Add(key, shape);
        return shape;
    }

    private TaskFamily FamilyOf(ResourceType[] wanted)
    {
        Array.Sort(wanted, static (a, b) => a.Index.CompareTo(b.Index));
        foreach (TaskFamily known in families)
        {
            if (known.Types.AsSpan().SequenceEqual(wanted))
            {
                return known;
            }
        }

        TaskFamily family = new(wanted);
        families.Add(family);
        table.Add(family);
        return family;
    }

    /// <summary>Adds a worker with its slots and the units that it owns.</summary>
    public void AddWorker(string id, string name, IReadOnlyList<ResourceUnit> owned, long now, int slotCount = SchedulerOptions.DefaultSlots)
    {
        Advance(now);
        if (slotCount < 1)
        {
            throw new ArgumentException($"Worker {name} has {slotCount} slots; give it 1 or more.", nameof(slotCount));
        }

        if (workersById.ContainsKey(id))
        {
            throw new ArgumentException($"Worker {id} is there already; remove it first or use another id.", nameof(id));
        }

        CheckNew(owned);
        WorkerState worker = new(id, name, slotCount) { Index = workers.Count };
        workers.Add(worker);
        workersById.Add(id, worker);
        freeSlots += slotCount;
        slots.AddCapacity(slotCount);
        FindOpenWorkers();
        MarkDirty(slots);
        slotsCame.Add(worker);
        foreach (ResourceUnit unit in owned)
        {
            unit.Worker = worker;
            worker.Units.Add(unit);
            AddUnit(unit);
        }

        FleetChanged();
    }

    /// <summary>Removes a worker: its grants are revoked and their tasks wait again, with their old number and age.</summary>
    public bool RemoveWorker(string id, long now, string? reason = null)
    {
        Advance(now);
        if (!workersById.Remove(id, out WorkerState? worker))
        {
            return false;
        }

        LetGo(worker.HeldBy);
        freeSlots -= worker.FreeSlots;
        worker.FreeSlots = 0;
        RemoveAt(workers, worker.Index, static (moved, at) => moved.Index = at);
        slotsCame.Remove(worker);
        FindOpenWorkers();
        foreach (ResourceUnit unit in worker.Units)
        {
            unit.OfflineReason = "its worker was removed";
            UnitChanged(unit);
        }

        while (worker.FirstGrant is { } grant)
        {
            Revoke(grant, reason ?? $"worker {worker.Name} was removed");
            freeSlots -= worker.FreeSlots;
            worker.FreeSlots = 0;
        }

        slots.AddCapacity(-worker.Slots);
        foreach (ResourceUnit unit in worker.Units)
        {
            DropUnit(unit);
        }

        FleetChanged();
        return true;
    }

    /// <summary>Adds a unit that any worker may use.</summary>
    public void AddPoolUnit(ResourceUnit unit, long now)
    {
        Advance(now);
        CheckNew([unit]);
        AddUnit(unit);
        FleetChanged();
    }

    /// <summary>Adds a unit to a worker that is there already.</summary>
    public void AddUnit(string workerId, ResourceUnit unit, long now)
    {
        Advance(now);
        CheckNew([unit]);
        WorkerState worker = workersById.TryGetValue(workerId, out WorkerState? found) ? found : throw new ArgumentException($"There is no worker {workerId}; add it first.", nameof(workerId));
        unit.Worker = worker;
        worker.Units.Add(unit);
        AddUnit(unit);
        FleetChanged();
    }

    /// <summary>Removes a unit; whoever leases it loses the whole gang and waits again.</summary>
    public bool RemoveUnit(string unitId, long now, string? reason = null)
    {
        Advance(now);
        if (!units.TryGetValue(unitId, out ResourceUnit? unit))
        {
            return false;
        }

        unit.OfflineReason = reason ?? "it was removed";
        UnitChanged(unit);
        RevokeUsers(unit, reason ?? $"{unit.Type} {unit.Id} was removed");
        LetGo(unit.HeldBy);
        unit.Worker?.Units.Remove(unit);
        DropUnit(unit);
        FleetChanged();
        return true;
    }

    /// <summary>Takes a unit out of use; whoever leases it loses the whole gang and waits again.</summary>
    public void SetOffline(string unitId, string reason, long now)
    {
        Advance(now);
        ResourceUnit unit = UnitOf(unitId);
        unit.OfflineReason = reason;
        UnitChanged(unit);
        RevokeUsers(unit, $"{unit.Type} {unit.Id} went offline: {reason}");
        Dispatch();
    }

    /// <summary>Takes a unit into use again.</summary>
    public void SetOnline(string unitId, long now)
    {
        Advance(now);
        ResourceUnit unit = UnitOf(unitId);
        unit.OfflineReason = null;
        UnitChanged(unit);
        Came(unit);
        Dispatch();
    }

    /// <summary>Gives the unit to nobody new until then; who has it keeps it.</summary>
    public void CoolDown(string unitId, long until, long now, string? reason = null)
    {
        Advance(now);
        ResourceUnit unit = UnitOf(unitId);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.CoolDownForgotten)) return;
#endif
        if (until <= time)
        {
            return;
        }

        if (unit.CoolUntil == 0)
        {
            cooling.Add(unit);
        }

        if (until >= unit.CoolUntil)
        {
            (unit.CoolUntil, unit.CoolReason) = (until, reason);
        }

        UnitChanged(unit);
    }

    private void EndCoolDowns()
    {
        for (int i = cooling.Count - 1; i >= 0; i--)
        {
            ResourceUnit unit = cooling[i];
            if (unit.CoolUntil <= time)
            {
                cooling.RemoveAt(i);
                (unit.CoolUntil, unit.CoolReason) = (0, null);
                UnitChanged(unit);
                Came(unit);
            }
        }
    }

    private long NextCoolDown()
    {
        long next = long.MaxValue;
        foreach (ResourceUnit unit in cooling)
        {
            next = Math.Min(next, unit.CoolUntil);
        }

        return next;
    }

    private void RevokeUsers(ResourceUnit unit, string reason)
    {
        // One at a time: a session's end takes its task's grant with it.
        foreach (WorkerState worker in unit.Worker is null ? workers : [unit.Worker])
        {
            for (Grant? grant = worker.FirstGrant; grant is not null;)
            {
                Grant current = grant;
                bool uses = current.Members.Any(m => m.Unit == unit);
                grant = grant.NextOnWorker;
                if (uses)
                {
                    Revoke(current, reason);
                    grant = worker.FirstGrant;
                }
            }
        }
    }

    private ResourceType TypeOf(string name)
    {
        if (!typesByName.TryGetValue(name, out ResourceType? type))
        {
            type = new ResourceType(name, types.Count, table);
            types.Add(type);
            typesByName.Add(name, type);
        }

        return type;
    }

    private ResourceUnit UnitOf(string id) => units.TryGetValue(id, out ResourceUnit? unit) ? unit : throw new ArgumentException($"There is no resource {id}; it was never added or is removed.", nameof(id));

    private void CheckNew(IReadOnlyList<ResourceUnit> added)
    {
        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach (ResourceUnit unit in added)
        {
            if (unit.Type == ResourceRequirement.SlotType)
            {
                throw new ArgumentException($"Resource {unit.Id} has type \"{unit.Type}\", which stands for a worker's slots; use another type.", nameof(added));
            }

            if (!ids.Add(unit.Id) || units.ContainsKey(unit.Id))
            {
                throw new ArgumentException($"Resource {unit.Id} is there already; ids are unique in the fleet.", nameof(added));
            }
        }
    }

    private void AddUnit(ResourceUnit unit)
    {
        units.Add(unit.Id, unit);
        ResourceType type = TypeOf(unit.Type);
        AddRates(unit);
        type.Add(unit);
        Came(unit);
    }

    private void DropUnit(ResourceUnit unit)
    {
        units.Remove(unit.Id);
        cooling.Remove(unit);
        DropRates(unit);
        unit.TypeState!.Remove(unit);
        unit.Worker = null;
    }

    // Capacities are the base of all shares, so every order is made anew.
    private void FleetChanged()
    {
        fleetGeneration++;
        foreach (Tenant tenant in tenants.Values)
        {
            tenant.Fair.Recompute(types);
        }

        foreach (TaskFamily family in families)
        {
            foreach (ClassLine line in family.Classes)
            {
                foreach (TenantLine tenant in line.Tenants.Items)
                {
                    RecomputeJobs(tenant);
                }

                line.Tenants.Rebuild();
            }
        }

        Dispatch();
    }

    private void RecomputeJobs(TenantLine node)
    {
        foreach (JobLine job in node.Jobs.Items)
        {
            job.Job.Fair!.Recompute(types);
        }

        node.Jobs.Rebuild();
    }

    private readonly record struct ShapeKey(ResourceRequirement[] Requirements)
    {
        public bool Equals(ShapeKey other) => Requirements.AsSpan().SequenceEqual(other.Requirements);

        public override int GetHashCode() => Requirements.Aggregate(0, static (hash, r) => hash * 31 + r.GetHashCode());
    }
}
