using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Millstream;

/// <content>Who goes next, and onto what.</content>
internal sealed partial class Scheduler
{
    private readonly GangMatcher matcher = new();
    private readonly List<ResourceType> dirty = [];
    private long round;
    private int nextWorker;

    private void MarkDirty(ResourceType type)
    {
        if (!type.IsDirty)
        {
            type.IsDirty = true;
            dirty.Add(type);
        }
    }

    /// <summary>Gives what has come back to those who wait for it, best first, until nothing that waits fits.</summary>
    private void Dispatch()
    {
        if (batching)
        {
            return;
        }

        if (planned.Count > 0)
        {
            ServePlans();
        }

        if (stuckSessions.Count > 0)
        {
            ServeStuckSessions();
        }

        if (waitingShapes.Count > 0 && (dirty.Count > 0 || joint.Count > 0))
        {
            round++;
            if (holds.Count > 0)
            {
                ServeHolds();
            }

            while (Best() is { } best)
            {
                TaskRequest head = best.Head;
                if (!head.Job.TenantState!.Allows(best, out _))
                {
                    SetOverQuota(best.HeadTenant);
                }
                else if (TryPlace(best, head.Job, out WorkerState? worker))
                {
                    DequeueKeepingPark(head);
                    GrantNow(head, worker);
                }
                else
                {
                    best.TriedIn = round;
                    Park(best, Lacking(best, head.Job));
                }
            }
        }

        foreach (ResourceType type in dirty)
        {
            type.IsDirty = false;
        }

        dirty.Clear();
    }

    private TaskShape? Best()
    {
        TaskShape? best = null;
        for (int i = 0; i < dirty.Count; i++)
        {
            best = BestOf(dirty[i].Parked, best);
        }

        return BestOf(joint, best);
    }

    private TaskShape? BestOf(List<TaskShape> parked, TaskShape? best)
    {
        for (int i = parked.Count - 1; i >= 0; i--)
        {
            TaskShape shape = parked[i];
            if (shape.TriedIn == round || (shape.ParkedUnder is { } under && StillLacks(shape, under)))
            {
                continue;
            }

            if (QuickLack(shape) is { } lacking)
            {
                Park(shape, lacking);
            }
            else if (best is null || Precedes(shape, best))
            {
                best = shape;
            }
        }

        return best;
    }

    private static bool Precedes(TaskShape left, TaskShape right)
    {
        TaskRequest a = left.Head;
        TaskRequest b = right.Head;
        if (a.Class != b.Class)
        {
            return a.Class > b.Class;
        }

        if (a.Job == b.Job)
        {
            return a.Before(b);
        }

        Tenant tenant = a.Job.TenantState!;
        return tenant == b.Job.TenantState ? a.Job.Fair!.Before(b.Job.Fair!) : tenant.Fair.Before(b.Job.TenantState!.Fair);
    }

    private bool StillLacks(TaskShape shape, ResourceType under)
    {
        if (under == slots)
        {
            return freeSlots == 0;
        }

        foreach (Need need in shape.Needs)
        {
            if (need.Type == under && !MayGive(need))
            {
                return true;
            }
        }

        return false;
    }

    private ResourceType? QuickLack(TaskShape shape)
    {
        if (freeSlots == 0)
        {
            return slots;
        }

        foreach (Need need in shape.Needs)
        {
            if (!MayGive(need))
            {
                return need.Type;
            }
        }

        return null;
    }

    // Ignores holds and workers: what it refuses cannot be, what it lets through is looked at exactly.
    private static bool MayGive(Need need)
    {
        ulong[] match = need.Match.Bits;
        if (!need.Shared)
        {
            ulong[] whole = need.Type.Whole;
            long found = 0;
            for (int i = 0; i < match.Length && found < need.Amount; i++)
            {
                found += BitOperations.PopCount(match[i] & whole[i]);
            }

            return found >= need.Amount;
        }

        foreach (ResourceUnit unit in need.Type.Units)
        {
            if (unit.IsOpen && unit.Free - unit.Closed >= need.Amount && need.Match.Contains(unit.Index) && unit.RatesGive(need, null))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first type of which there is not enough, or null where all is there but not together.</summary>
    private ResourceType? Lacking(TaskShape shape, SchedulingJob job)
    {
        if (QuickLack(shape) is { } lacking || holds.Count == 0)
        {
            return QuickLack(shape);
        }

        foreach (Need need in shape.Needs)
        {
            long found = 0;
            foreach (ResourceUnit unit in need.Type.Units)
            {
                if (need.Match.Contains(unit.Index) && unit.Gives(need, job))
                {
                    found += need.Shared ? need.Amount : 1;
                }
            }

            if (found < need.Amount)
            {
                return need.Type;
            }
        }

        return null;
    }

    private bool TryPlace(TaskShape shape, SchedulingJob job, [NotNullWhen(true)] out WorkerState? worker)
    {
        worker = null;
        if (freeSlots == 0 || (!shape.IsSlotOnly && QuickLack(shape) is not null))
        {
            return false;
        }

        bool isRanked = Array.Exists(shape.Needs, static n => n.Shared && n.Type.Ranked > 0);
        (int Tier, double Load) best = default;
        for (int i = 0; i < workers.Count; i++)
        {
            nextWorker = nextWorker + 1 < workers.Count ? nextWorker + 1 : 0;
            WorkerState candidate = workers[nextWorker];
            if (candidate.FreeSlotsFor(job) > 0 && (shape.IsSlotOnly || matcher.TryMatch(shape, candidate, job, MatchMode.Now)))
            {
                if (!isRanked)
                {
                    worker = candidate;
                    return true;
                }

                (int Tier, double Load) rank = matcher.Rank();
                if (worker is null || rank.CompareTo(best) < 0)
                {
                    (worker, best) = (candidate, rank);
                }
            }
        }

        return worker is not null && matcher.TryMatch(shape, worker, job, MatchMode.Now);
    }
}
