using System.Numerics;

namespace Millstream;

/// <content>Who goes next.</content>
internal sealed partial class Scheduler
{
    // Up to so many places where shapes wait that may fit all are compared; beyond, jobs are gone through in their order until one fits, and all are compared when it was none of so many.
    private const int MostListed = 32, FewNodes = 64, SomeNodes = 2048, FewJobs = 64, PerLookUp = 4;

    private readonly List<TaskShape> candidates = [];
    private readonly List<TaskShape> passed = [];
    private readonly IndexedHeap<TenantLine, FairShare.Live>.Walk tenantWalk = new();
    private readonly IndexedHeap<JobLine, FairKey>.Walk jobWalk = new();
    // What was placed last: its units are still in the matcher.
    private JobNode? placedFor;
    private WorkerState? placedOn;
    private long round;

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

        do
        {
            GrantAll();
        }
        while (withLater.Count > 0 && LineStuck());
    }

    private void GrantAll()
    {
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
                WorkerState? worker = placedOn;
                if (placedFor != best && !TryPlace(best.Shape, head.Job, !best.Shape.IsFresh, out worker))
                {
                    throw new InvalidOperationException($"Task {head.TaskId} was found to fit and does not.");
                }

                DequeueKeepingPark(head);
                GrantNow(head, worker!);
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
        if (!Wake())
        {
            return null;
        }

        JobNode? best = null;
        foreach (TaskFamily family in families)
        {
            if (family.Classes.Count > 0 && table.Intersect(table.Awake, family.Shapes))
            {
                best = FirstIn(family, best) ?? best;
            }
        }

        return best;
    }

    private int CountNodes()
    {
        int count = 0;
        foreach (TaskShape shape in candidates)
        {
            count += shape.Competitors;
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

    /// <summary>The first of a family that fits, if it goes before another one; else null.</summary>
    private JobNode? FirstIn(TaskFamily family, JobNode? before)
    {
        candidates.Clear();
        family.Awake = table.List(table.Awake, family.Shapes, candidates, MostListed);
        int nodes = family.Awake <= MostListed ? CountNodes() : int.MaxValue;
        JobNode? best = nodes <= FewNodes ? BestOfCandidates() : FirstInLine(family, before, nodes);
        return best is not null && (before is null || Precedes(best, before)) ? best : null;
    }

    private JobNode? FirstInLine(TaskFamily family, JobNode? before, int nodes)
    {
        int jobs = 0;
        foreach (ClassLine line in family.Classes)
        {
            tenantWalk.Begin(line.Tenants);
            while (tenantWalk.TryNext(out TenantLine? tenant))
            {
                PassOverQuota(tenant);
                jobWalk.Begin(tenant.Jobs);
                while (family.Awake > 0 && jobWalk.TryNext(out JobLine? job) && (before is null || Precedes(job.Nodes.First, before)))
                {
                    if (FirstIn(job) is { } found && (before is null || Precedes(found, before)))
                    {
                        return found;
                    }

                    if (++jobs == FewJobs && nodes <= SomeNodes)
                    {
                        WakePassed();
                        return BestOfCandidates();
                    }
                }

                WakePassed();
            }
        }

        return null;
    }

    private void WakePassed()
    {
        foreach (TaskShape shape in passed)
        {
            ShapeTable.Set(table.Awake, shape.Id, true);
        }
    }

    /// <summary>While a tenant's jobs are gone through, what it has too much of already counts as not awake.</summary>
    private void PassOverQuota(TenantLine tenant)
    {
        passed.Clear();
        foreach (TenantNode node in tenant.Tenant.OverQuota)
        {
            if (node.Class == tenant.Class && node.Shape.Family == tenant.Family)
            {
                Pass(node.Shape);
            }
        }
    }

    private void Pass(TaskShape shape)
    {
        if (IsAwake(shape))
        {
            passed.Add(shape);
            ShapeTable.Set(table.Awake, shape.Id, false);
        }
    }

    private JobNode? FirstIn(JobLine job)
    {
        int awake = job.Tenant.Family.Awake;
        bool lookUp = awake <= MostListed && job.Nodes.Count > awake * PerLookUp;
        while (true)
        {
            JobNode? first = lookUp ? FirstListed(job) : job.Nodes.FirstOf(new AwakeOnly(table.Awake));
            if (first is null || CanStart(first))
            {
                return first;
            }

            if (first.Tenant.IsOverQuota)
            {
                Pass(first.Shape);
            }
        }
    }

    private JobNode? FirstListed(JobLine job)
    {
        JobNode? best = null;
        foreach (TaskShape shape in candidates)
        {
            if (IsAwake(shape) && job.Job.FindNode(shape, job.Tenant.Class) is { IsListed: true } node && (best is null || node.Queue.Head.Before(best.Queue.Head)))
            {
                best = node;
            }
        }

        return best;
    }

    private readonly struct AwakeOnly(ulong[] awake) : IKeyFilter<LineKey>
    {
        public bool Lets(in LineKey key) => ShapeTable.Has(awake, key.Shape);
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
        if (lacking is null && TryPlace(shape, node.Job, !shape.IsFresh, out WorkerState? worker))
        {
            (placedFor, placedOn) = (node, worker);
            return true;
        }

        shape.TriedIn = round;
        shape.Family.Awake--;
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
