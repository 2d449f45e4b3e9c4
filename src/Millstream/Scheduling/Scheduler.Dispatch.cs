using System.Numerics;

namespace Millstream;

/// <content>Who goes next.</content>
internal sealed partial class Scheduler
{
    // Up to so many shapes, and places where they wait, all are compared; beyond, jobs are gone through in their order until one fits.
    private const int MostShapes = 16, MostNodes = 64, FewNodes = 32;

    private readonly List<ResourceType> dirty = [];
    private readonly List<TaskShape> candidates = [];
    private readonly IndexedHeap<TenantLine, FairShare.Live>.Walk tenantWalk = new();
    private readonly IndexedHeap<JobLine, FairKey>.Walk jobWalk = new();
    private readonly IndexedHeap<JobNode, TaskRequest.Place>.Walk nodeWalk = new();
    private bool hasFewShapes;
    private long round;

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

        if (waitingShapes.Count > 0 && (dirty.Count > 0 || fresh.Count > 0))
        {
            round++;
            if (holds.Count > 0)
            {
                ServeHolds();
            }

            while (freeSlots > 0 && Best() is { } best)
            {
                TaskRequest head = best.Queue.Head;
                if (!TryPlace(best.Shape, head.Job, !best.Shape.IsFresh, out WorkerState? worker))
                {
                    throw new InvalidOperationException($"Task {head.TaskId} was found to fit and does not.");
                }

                DequeueKeepingPark(head);
                GrantNow(head, worker);
            }

            if (freeSlots == 0 && waitingShapes.Count > 0)
            {
                // What came back is looked at when there is a slot again.
                return;
            }
        }

        foreach (ResourceType type in dirty)
        {
            type.IsDirty = false;
            type.ForgetCame();
        }

        dirty.Clear();
        slotsCame.Clear();
    }

    /// <summary>The first in line of those that fit.</summary>
    private JobNode? Best()
    {
        SiftFresh();
        foreach (ResourceType type in dirty)
        {
            if (type == slots)
            {
                type.Shapes.Gather(null);
            }
            else
            {
                type.Sift();
                type.Shapes.Gather(type.AllCameBack || holds.Count > 0 ? null : type.CameBack);
            }

            for (int i = 1; type.Shapes.HasCandidates && i < types.Count; i++)
            {
                if (types[i].Available == 0)
                {
                    type.Shapes.MoveTo(types[i].Shapes);
                    isRateWakeStale = true;
                }
            }
        }

        hasFewShapes = ListCandidates();
        return hasFewShapes && CountNodes() <= MostNodes ? BestOfCandidates() : BestInOrder();
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

    private bool ListCandidates()
    {
        candidates.Clear();
        if (fresh.Count > MostShapes)
        {
            return false;
        }

        candidates.AddRange(fresh);
        foreach (ResourceType type in dirty)
        {
            if (!type.Shapes.List(candidates, MostShapes))
            {
                return false;
            }
        }

        return true;
    }

    private int CountNodes()
    {
        int count = 0;
        foreach (TaskShape shape in candidates)
        {
            foreach (TenantNode tenant in shape.Tenants)
            {
                count += tenant.Jobs.Count;
            }
        }

        return count;
    }

    private JobNode? BestOfCandidates()
    {
        while (true)
        {
            JobNode? best = null;
            foreach (TaskShape shape in candidates)
            {
                if (IsAwake(shape))
                {
                    best = FirstOf(shape, best);
                }
            }

            if (best is null || CanStart(best))
            {
                return best;
            }
        }
    }

    private static JobNode? FirstOf(TaskShape shape, JobNode? best)
    {
        foreach (TenantNode tenant in shape.Tenants)
        {
            foreach (JobNode node in tenant.Jobs)
            {
                if (best is null || Precedes(node, best))
                {
                    best = node;
                }
            }
        }

        return best;
    }

    private static TaskRequest? HeadOf(TaskShape shape) => FirstOf(shape, null)?.Queue.Head;

    private JobNode? BestInOrder()
    {
        JobNode? best = null;
        foreach (TaskFamily family in families)
        {
            if (family.Classes.Count > 0 && family.IsWanted())
            {
                best = FirstIn(family, best) ?? best;
            }
        }

        return best;
    }

    /// <summary>The first of a family that fits, if it goes before another one; else null.</summary>
    private JobNode? FirstIn(TaskFamily family, JobNode? before)
    {
        foreach (ClassLine line in family.Classes)
        {
            tenantWalk.Begin(line.Tenants);
            while (tenantWalk.TryNext(out TenantLine? tenant))
            {
                jobWalk.Begin(tenant.Jobs);
                while (jobWalk.TryNext(out JobLine? job))
                {
                    if (before is not null && !Precedes(job.Nodes.First, before))
                    {
                        // Nor does what comes behind it, but for the job's own other tasks and other tenants'.
                        break;
                    }

                    if (FirstIn(job) is { } found && (before is null || Precedes(found, before)))
                    {
                        return found;
                    }
                }
            }
        }

        return null;
    }

    private JobNode? FirstIn(JobLine job)
    {
        if (hasFewShapes && job.Nodes.Count > FewNodes)
        {
            return FirstOfCandidates(job);
        }

        nodeWalk.Begin(job.Nodes);
        while (nodeWalk.TryNext(out JobNode? node))
        {
            if (IsAwake(node.Shape) && !node.Tenant.IsOverQuota && CanStart(node))
            {
                return node;
            }
        }

        return null;
    }

    private JobNode? FirstOfCandidates(JobLine job)
    {
        while (true)
        {
            JobNode? best = null;
            foreach (TaskShape shape in candidates)
            {
                if (IsAwake(shape) && shape.Family == job.Tenant.Family && job.Job.FindNode(shape, job.Tenant.Class) is { HeapIndex: >= 0 } node
                    && !node.Tenant.IsOverQuota && (best is null || node.Queue.Head.Before(best.Queue.Head)))
                {
                    best = node;
                }
            }

            if (best is null || CanStart(best))
            {
                return best;
            }
        }
    }

    private bool IsAwake(TaskShape shape)
    {
        if (shape.TriedIn == round)
        {
            return false;
        }

        if (shape.IsFresh)
        {
            return true;
        }

        foreach ((ResourceType type, _) in shape.Totals)
        {
            if (type.IsDirty && shape.Id >= 0 && type.Shapes.IsCandidate(shape.Id))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the first of a shape can start now. If not, nobody of its shape is looked at again in this round, or nobody of its tenant.</summary>
    private bool CanStart(JobNode node)
    {
        TaskShape shape = node.Shape;
        if (!node.Tenant.Tenant.Allows(shape, out _))
        {
            SetOverQuota(node.Tenant);
            return false;
        }

        ResourceType? lacking = QuickLack(shape);
        if (lacking is null && TryPlace(shape, node.Job, !shape.IsFresh, out _))
        {
            return true;
        }

        shape.TriedIn = round;
        Park(shape, lacking ?? Lacking(shape, node.Job));
        return false;
    }

    private static bool Precedes(JobNode left, JobNode right)
    {
        if (left.Tenant.Class != right.Tenant.Class)
        {
            return left.Tenant.Class > right.Tenant.Class;
        }

        (SchedulingJob a, SchedulingJob b) = (left.Job, right.Job);
        if (a == b)
        {
            return left.Queue.Head.Before(right.Queue.Head);
        }

        (Tenant tenant, Tenant other) = (left.Tenant.Tenant, right.Tenant.Tenant);
        return tenant == other ? a.Fair!.Before(b.Fair!) : tenant.Fair.Before(other.Fair);
    }

    private ResourceType? QuickLack(TaskShape shape)
    {
        foreach (Need need in shape.Needs)
        {
            if (!MayGive(need))
            {
                return need.Type;
            }
        }

        return freeSlots == 0 ? slots : null;
    }

    // Units come first: who waits for a slot alone is looked at whenever there is one. Ignores holds and workers: what it refuses cannot be, what it lets through is looked at exactly.
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

        RoomIndex room = need.Type.Room;
        int at = room.Next(0, match, need.Amount);
        while (at >= 0 && !need.Type.Units[at].RatesGive(need, null))
        {
            at = room.Next(at + 1, match, need.Amount);
        }

        return at >= 0;
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
}
