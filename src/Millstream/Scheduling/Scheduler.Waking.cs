using System.Numerics;

namespace Millstream;

/// <content>Which shapes may fit since something came back.</content>
internal sealed partial class Scheduler
{
    private readonly ShapeTable table = new();
    private readonly List<ResourceType> dirty = [];
    private ulong[] found = [];
    private ulong[] together = [];

    /// <summary>Some of a type came back, nobody says which.</summary>
    private void MarkDirty(ResourceType type)
    {
        SetDirty(type);
        type.ForgetCame();
        type.AllCameBack = true;
    }

    private void Came(ResourceUnit unit)
    {
        SetDirty(unit.TypeState!);
        unit.TypeState!.Came(unit);
    }

    private void SetDirty(ResourceType type)
    {
        if (!type.IsDirty)
        {
            type.IsDirty = true;
            dirty.Add(type);
        }
    }

    /// <summary>Finds the shapes to look at: those that lacked what came back, and those that are fresh.</summary>
    /// <returns>False where there are none.</returns>
    private bool Wake()
    {
        bool mayWake = fresh.Count > 0;
        foreach (ResourceType type in dirty)
        {
            type.Sift();
            mayWake |= type == slots || type.AllCameBack || type.CameBack.Count > 0 || holds.Count > 0;
        }

        if (!mayWake)
        {
            return false;
        }

        if (found.Length < table.Capacity)
        {
            (found, together) = (new ulong[table.Capacity], new ulong[table.Capacity]);
        }

        Span<Vector<ulong>> awake = table.Vectors(table.Awake);
        awake.Clear();
        foreach (ResourceType type in dirty)
        {
            if (type == slots || type.AllCameBack || holds.Count > 0)
            {
                WakeAll(type.Shapes);
                continue;
            }

            foreach (ResourceUnit unit in type.CameBack)
            {
                WakeFor(unit);
            }
        }

        Vector<ulong> any = Vector<ulong>.Zero;
        foreach (Vector<ulong> bits in awake)
        {
            any |= bits;
        }

        for (int i = 1; any != Vector<ulong>.Zero && i < types.Count; i++)
        {
            if (types[i].Available == 0)
            {
                ParkAwake(types[i].Shapes);
            }
        }

        SiftFresh();
        foreach (TaskShape shape in fresh)
        {
            ShapeTable.Set(table.Awake, shape.Id, true);
        }

        return any != Vector<ulong>.Zero || fresh.Count > 0;
    }

    private void WakeAll(ShapeIndex index)
    {
        Span<Vector<ulong>> awake = table.Vectors(table.Awake), parked = table.Vectors(index.Parked), joint = table.Vectors(table.Joint), wanting = table.Vectors(index.Wanting);
        for (int i = 0; i < awake.Length; i++)
        {
            awake[i] |= parked[i] | (joint[i] & wanting[i]);
        }
    }

    /// <summary>
    /// Those that lacked its type or found all but not together, if they could use this unit and what is free beside it on its worker. For the others there is all now, but not together.
    /// </summary>
    private void WakeFor(ResourceUnit unit)
    {
        ShapeIndex index = unit.TypeState!.Shapes;
        Span<Vector<ulong>> candidates = table.Vectors(found);
        candidates.Clear();
        if (!index.AddUsers(unit, index.Parked, table.Joint, found))
        {
            return;
        }

        Span<Vector<ulong>> awake = table.Vectors(table.Awake), parked = table.Vectors(index.Parked), joint = table.Vectors(table.Joint);
        if (unit.Worker is { Units.Count: <= GangMatcher.Many } worker)
        {
            LeaveOut(unit.TypeState, worker, found);
            for (int i = 1; i < types.Count && table.Intersect(found, table.Mixed); i++)
            {
                ResourceType other = types[i];
                if (other == unit.TypeState || other.Pool.Count > GangMatcher.Many || !table.Intersect(found, other.Shapes.Wanting))
                {
                    continue;
                }

                Span<Vector<ulong>> beside = table.Vectors(together), wanting = table.Vectors(other.Shapes.Wanting);
                beside.Clear();
                AddUsers(other, worker.Units);
                AddUsers(other, other.Pool);
                LeaveOut(other, worker, together);
                for (int at = 0; at < candidates.Length; at++)
                {
                    Vector<ulong> alone = candidates[at] & wanting[at] & ~beside[at];
                    joint[at] |= alone;
                    parked[at] &= ~alone;
                    candidates[at] &= ~alone;
                }
            }
        }

        for (int i = 0; i < awake.Length; i++)
        {
            awake[i] |= candidates[i];
        }
    }

    /// <summary>Leaves out those that want more whole units of a type than there are for a task on this worker.</summary>
    private void LeaveOut(ResourceType type, WorkerState worker, ulong[] from)
    {
        int whole = 0;
        if (type.Pool.Count > GangMatcher.Many)
        {
            return;
        }

        foreach (ResourceUnit unit in worker.Units)
        {
            whole += unit.TypeState == type && unit.Room == unit.Capacity ? 1 : 0;
        }

        foreach (ResourceUnit unit in type.Pool)
        {
            whole += unit.Room == unit.Capacity ? 1 : 0;
        }

        if (type.Shapes.WantingMore(whole) is not { } wanting)
        {
            return;
        }

        Span<Vector<ulong>> left = table.Vectors(from), more = table.Vectors(wanting);
        for (int i = 0; i < left.Length; i++)
        {
            left[i] &= ~more[i];
        }
    }

    private void AddUsers(ResourceType type, List<ResourceUnit> units)
    {
        foreach (ResourceUnit unit in units)
        {
            if (unit.TypeState == type && unit.Room > 0)
            {
                type.Shapes.AddUsers(unit, null, null, together);
            }
        }
    }

    /// <summary>Those awake that want a type of which there is nothing at all wait for that one.</summary>
    private void ParkAwake(ShapeIndex lacking)
    {
        Span<Vector<ulong>> awake = table.Vectors(table.Awake), wanting = table.Vectors(lacking.Wanting), joint = table.Vectors(table.Joint), under = table.Vectors(lacking.Parked);
        Span<Vector<ulong>> moved = table.Vectors(found);
        Vector<ulong> any = Vector<ulong>.Zero;
        for (int i = 0; i < awake.Length; i++)
        {
            moved[i] = awake[i] & wanting[i];
            any |= moved[i];
        }

        if (any == Vector<ulong>.Zero)
        {
            return;
        }

        isRateWakeStale = true;
        foreach (ResourceType type in dirty)
        {
            Span<Vector<ulong>> parked = table.Vectors(type.Shapes.Parked);
            for (int i = 0; i < awake.Length; i++)
            {
                parked[i] &= ~moved[i];
            }
        }

        for (int i = 0; i < awake.Length; i++)
        {
            joint[i] &= ~moved[i];
            under[i] |= moved[i];
            awake[i] &= ~moved[i];
        }
    }

    /// <summary>Parks what lacks something for certain.</summary>
    private void SiftFresh()
    {
        for (int i = fresh.Count - 1; i >= 0; i--)
        {
            TaskShape shape = fresh[i];
            if (QuickLack(shape) is { } lacking)
            {
                Park(shape, lacking);
            }
        }
    }

    private bool IsAwake(TaskShape shape) => shape.Id >= 0 && ShapeTable.Has(table.Awake, shape.Id) && shape.TriedIn != round;
}
