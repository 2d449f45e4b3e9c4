namespace Millstream;

/// <content>Ageing of queue heads, and units held for the starved.</content>
internal sealed partial class Scheduler
{
    private readonly List<Hold> holds = [];
    private long nextScan = long.MaxValue;

    private long FirstScan => Math.Min(options.AgeingInterval.Ticks, options.HoldFloor.Ticks);

    private void Scan()
    {
        nextScan = long.MaxValue;
        if (waitingShapes.Count == 0)
        {
            return;
        }

        nextScan = time + FirstScan;
        Age();
        StartHolds();
    }

    private void Age()
    {
        if (waitingJobs < 2)
        {
            return;
        }

        Dictionary<(Tenant Tenant, int Class), TaskRequest> heads = [];
        (SchedulingJob? job, int top, int second) = (null, int.MinValue, int.MinValue);
        foreach (TaskShape shape in waitingShapes)
        {
            foreach (TenantNode node in shape.Tenants)
            {
                TaskRequest oldest = node.Ages.Oldest!;
                if (!heads.TryGetValue((node.Tenant, node.Class), out TaskRequest? other) || Older(oldest, other))
                {
                    heads[(node.Tenant, node.Class)] = oldest;
                }

                foreach (JobNode waiting in node.Jobs)
                {
                    (job, top, second) = waiting.Job == job ? (job, Math.Max(top, node.Class), second)
                        : node.Class > top ? (waiting.Job, node.Class, top) : (job, top, Math.Max(second, node.Class));
                }
            }
        }

        foreach (((Tenant tenant, int priority), TaskRequest head) in heads.OrderBy(h => h.Key.Class))
        {
            long due = Math.Max(head.ClassSince, tenant.Promoted.GetValueOrDefault(priority)) + options.AgeingInterval.Ticks;
            if (due > time)
            {
                nextScan = Math.Min(nextScan, due);
            }
            else if ((head.Job == job ? second : top) >= priority)
            {
                // Nobody to overtake, nothing to gain: so a job alone keeps its own ranks.
                Promote(head);
                tenant.Promoted[priority] = time;
            }
        }
    }

    private static bool Older(TaskRequest left, TaskRequest right) => left.ClassSince != right.ClassSince ? left.ClassSince < right.ClassSince
        : left.SubmittedAt != right.SubmittedAt ? left.SubmittedAt < right.SubmittedAt : left.Number < right.Number;

    private void Promote(TaskRequest request)
    {
        TaskShape shape = request.Shape;
        (ResourceType? under, bool joint, bool parked) = (shape.ParkedUnder, shape.IsJoint, shape.IsParked);
        DequeueKeepingPark(request);
        request.Class++;
        request.ClassSince = time;
        Enqueue(request);
        if (!parked || shape.IsParked)
        {
            return;
        }

        if (under is not null || joint)
        {
            Park(shape, under);
        }
        else
        {
            Freshen(shape);
        }
    }

    private void StartHolds()
    {
        List<TaskRequest> starved = [];
        foreach (TaskShape shape in waitingShapes)
        {
            if (shape.IsSlotOnly || OldestOf(shape) is not { Hold: null } oldest)
            {
                continue;
            }

            long due = oldest.SubmittedAt + PatienceOf(shape);
            if (due > time)
            {
                nextScan = Math.Min(nextScan, due);
            }
            else if (CheckShape(shape) is null)
            {
                starved.Add(oldest);
            }
        }

        foreach (TaskRequest request in starved.OrderBy(r => r.SubmittedAt).ThenBy(r => r.Number))
        {
            // All its types or none: two gangs that hold half each would wait for each other.
            if (Array.TrueForAll(request.Shape.Totals, t => t.Type.Holder is null))
            {
                Hold hold = new(request);
                request.Hold = hold;
                holds.Add(hold);
                foreach ((ResourceType type, _) in request.Shape.Totals)
                {
                    type.Holder = hold;
                }

                Gather(hold);
            }
        }
    }

    private long PatienceOf(TaskShape shape)
    {
        long patience = Math.Max((long)(options.HoldFactor * shape.MedianWait()), options.HoldFloor.Ticks);
        long window = 0;
        foreach (Need need in shape.Needs)
        {
            foreach (ResourceUnit unit in need.Rates.Length == 0 ? [] : need.Type.Units)
            {
                foreach (RateWindow rate in unit.Rates ?? [])
                {
                    window = Math.Max(window, rate.Length);
                }
            }
        }

        // What is taken of a rate comes back by time alone: who waits for two windows is passed by others again and again.
        return window == 0 ? patience : Math.Min(patience, 2 * window);
    }

    private static TaskRequest? OldestOf(TaskShape shape)
    {
        TaskRequest? oldest = null;
        foreach (TenantNode node in shape.Tenants)
        {
            TaskRequest candidate = node.Ages.Oldest!;
            if (oldest is null || candidate.SubmittedAt < oldest.SubmittedAt)
            {
                oldest = candidate;
            }
        }

        return oldest;
    }

    /// <summary>Keeps what is free on the worker where most of the gang is free.</summary>
    private void Gather(Hold hold)
    {
        LetGo(hold);
        TaskShape shape = hold.Request.Shape;
        SchedulingJob job = hold.Request.Job;
        WorkerState? target = null;
        int most = -1;
        foreach (WorkerState worker in workers)
        {
            if (worker.HeldBy is not null || !matcher.TryMatch(shape, worker, job, MatchMode.Ever))
            {
                continue;
            }

            matcher.TryMatch(shape, worker, job, MatchMode.Partial);
            int found = 0;
            for (int i = 0; i < matcher.Count; i++)
            {
                found += matcher.UnitAt(i) is not null ? 2 : 0;
            }

            found += worker.FreeSlots > 0 ? 1 : 0;
            if (found > most)
            {
                (target, most) = (worker, found);
            }
        }

        if (target is null)
        {
            return;
        }

        hold.Target = target;
        target.HeldBy = hold;
        matcher.TryMatch(shape, target, job, MatchMode.Partial);
        for (int i = 0; i < matcher.Count; i++)
        {
            if (matcher.UnitAt(i) is { } unit)
            {
                if (unit.HeldBy is null)
                {
                    unit.HeldBy = hold;
                    hold.Units.Add(unit);
                }

                Need need = matcher.NeedAt(i);
                unit.HeldAmount += GangMatcher.AmountOf(need, unit);
                foreach (RateAmount rate in need.Rates)
                {
                    if (unit.RateNamed(rate.Name) is { } window)
                    {
                        window.Held += rate.Amount;
                        isRateWakeStale = true;
                    }
                }
            }
        }
    }

    private void ServeHolds()
    {
        for (int i = holds.Count - 1; i >= 0; i--)
        {
            Hold hold = holds[i];
            TaskRequest request = hold.Request;
            if (request.Job.TenantState!.Allows(request.Shape, out _) && QuickLack(request.Shape) is null && TryPlace(request.Shape, request.Job, false, out WorkerState? worker))
            {
                DequeueKeepingPark(request);
                GrantNow(request, worker);
                continue;
            }

            Gather(hold);
            ServeHolderJob(request.Job);
        }
    }

    // Held units are closed to other jobs only: a finite job cannot starve itself.
    private void ServeHolderJob(SchedulingJob job)
    {
        HashSet<JobNode> tried = [];
        while (true)
        {
            JobNode? best = null;
            foreach (JobNode node in job.Attached.SelectMany(l => l.Nodes.Items))
            {
                if (!tried.Contains(node) && (best is null || node.Tenant.Class > best.Tenant.Class
                    || (node.Tenant.Class == best.Tenant.Class && node.Queue.Head.Before(best.Queue.Head))))
                {
                    best = node;
                }
            }

            if (best is null)
            {
                return;
            }

            TaskRequest head = best.Queue.Head;
            if (job.TenantState!.Allows(head.Shape, out _) && QuickLack(head.Shape) is null && TryPlace(head.Shape, job, false, out WorkerState? worker))
            {
                DequeueKeepingPark(head);
                GrantNow(head, worker);
            }
            else
            {
                tried.Add(best);
            }
        }
    }

    private void EndHold(TaskRequest request)
    {
        if (request.Hold is not { } hold)
        {
            return;
        }

        request.Hold = null;
        round++;
        LetGo(hold);
        holds.Remove(hold);
        foreach ((ResourceType type, _) in request.Shape.Totals)
        {
            type.Holder = null;
        }
    }

    /// <summary>Opens what was held to all again; it is gathered anew at the next dispatch while the hold lasts.</summary>
    private void LetGo(Hold? hold)
    {
        if (hold is null)
        {
            return;
        }

        isRateWakeStale = true;
        if (hold.Target is not null)
        {
            foreach ((ResourceType type, _) in hold.Request.Shape.Totals)
            {
                MarkDirty(type);
            }
        }

        hold.Drop();
    }
}
