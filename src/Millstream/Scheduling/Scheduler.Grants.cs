namespace Millstream;

/// <content>Grants: taking, giving back, and the shares that follow.</content>
internal sealed partial class Scheduler
{
    private static readonly GrantMember[] NoMembers = [];

    private void GrantNow(TaskRequest request, WorkerState worker)
    {
        GrantMember[] members = NoMembers;
        if (!request.Shape.IsSlotOnly)
        {
            members = new GrantMember[matcher.Count];
            FillMembers(members, 0);
            request.Shape.Remember(time - request.SubmittedAt);
        }

        nextWorker = worker.Index;
        EndHold(request);
        Grant grant = Give(request, worker, members, 0);
        if (request.Opens is { } session)
        {
            session.State = SessionState.Open;
            session.Grant = grant;
            session.IdleSince = time;
            sessions.Add(session);
        }

        decisions.Add(new Decision(DecisionKind.Granted, request, grant, null));
        if (request.Opens is { } opened)
        {
            ServeSession(opened);
        }
    }

    private void FillMembers(GrantMember[] members, int from)
    {
        for (int i = 0; i < matcher.Count; i++)
        {
            ResourceUnit unit = matcher.UnitAt(i)!;
            Need need = matcher.NeedAt(i);
            members[from + i] = new GrantMember(unit, GangMatcher.AmountOf(need, unit), need.Requirement);
        }
    }

    private Grant Give(TaskRequest request, WorkerState worker, GrantMember[] members, int borrowed)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.EpochDoesNotRise) && counter % 5 == 4) counter--;
#endif
        Grant grant = new(request, worker, members, borrowed, new LeaseEpoch(runnerEpoch, ++counter), time);
        SchedulingJob job = request.Job;
        if (grant.TakesSlot)
        {
            if (--worker.FreeSlots == 0)
            {
                openWorkers[worker.Index >> 6] &= ~(1UL << worker.Index);
            }

            freeSlots--;
            Count(job, slots, 1);
        }

        foreach (ref readonly GrantMember member in grant.Own)
        {
            TakeUnit(member.Unit, member.Amount);
            Count(job, member.Unit.TypeState!, member.Amount);
        }

        if (request.Shape.IsRated)
        {
            TakeRates(grant);
        }

        if (PlanOf(request) is { } plan)
        {
            plan.Started(request, time);
            Touch(job);
        }

        request.State = RequestState.Granted;
        request.Grant = grant;
        worker.Link(grant);
        Tenant tenant = job.TenantState!;
        job.Fair!.CountGrant(1);
        tenant.Fair.CountGrant(1);
        Watch(job);
        tenant.Level = Math.Max(tenant.Level, job.Fair.Served);
        level = Math.Max(level, tenant.Fair.Served);
        Reorder(job);
        return grant;
    }

    private void GiveBack(Grant grant, GrantState state)
    {
        TaskRequest request = grant.Request;
        SchedulingJob job = request.Job;
        Tenant tenant = job.TenantState!;
        grant.State = state;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.RateEndsWithLostLease)) EndRates(grant);
#endif
        request.Grant = null;
        grant.Worker.Unlink(grant);
        if (grant.TakesSlot)
        {
            SlotCame(grant.Worker);
            Count(job, slots, -1);
        }

        foreach (ref readonly GrantMember member in grant.Own)
        {
            TakeUnit(member.Unit, -member.Amount);
            Count(job, member.Unit.TypeState!, -member.Amount);
        }

        double charge = DominantOf(request) * Math.Max(1, time - grant.GrantedAt);
        job.Fair!.Charge(charge);
        tenant.Fair.Charge(charge);
        job.Fair.CountGrant(-1);
        tenant.Fair.CountGrant(-1);
        Watch(job);
        if (PlanOf(request) is { } plan)
        {
            plan.Ended(request);
            Touch(job);
        }

        Reorder(job);
        WakeQuota(tenant);
        if (request.Session is { } session)
        {
            session.Active = null;
            session.IdleSince = time;
            ServeSession(session);
        }
    }

    private static double DominantOf(TaskRequest request)
    {
        double most = 0;
        foreach ((ResourceType type, long amount) in request.Shape.Totals)
        {
            if (request.Session is null || type.Index != 0)
            {
                most = Math.Max(most, amount * type.Inverse);
            }
        }

        return most;
    }

    /// <summary>Ends a grant whose resources are gone; the task waits again with its old number and age.</summary>
    private void Revoke(Grant grant, string reason)
    {
        if (grant.State != GrantState.Held)
        {
            return;
        }

        TaskRequest request = grant.Request;
        if (request.Opens is { } session)
        {
            EndSession(session, reason);
            return;
        }

        if (request.Session is { } inside)
        {
            // What a task did in a session went with it, so it cannot simply go on elsewhere.
            EndSession(inside, reason);
            return;
        }

        GiveBack(grant, GrantState.Revoked);
        decisions.Add(new Decision(DecisionKind.Revoked, request, grant, reason));
        PlanOf(request)?.Ready(request);
        Enqueue(request);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.RevokedNotQueued)) { DequeueKeepingPark(request); request.State = RequestState.Ended; return; }
#endif
        if (request.Node!.Tenant is { IsOverQuota: false } node && !node.Tenant.Allows(request.Shape, out _))
        {
            SetOverQuota(node);
        }

        if (request.Shape.HasHead && !request.Shape.IsParked)
        {
            Freshen(request.Shape);
        }
    }

    private void TakeUnit(ResourceUnit unit, long amount)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.UnitLeasedTwice) && unit.Capacity == 1) return;
#endif
        unit.Free -= amount;
        UnitChanged(unit);
        if (amount < 0)
        {
            Came(unit);
        }
    }

    private static void Count(SchedulingJob job, ResourceType type, long amount)
    {
        job.Fair!.Add(type, amount);
        job.TenantState!.Fair.Add(type, amount);
    }

    private void Reorder(SchedulingJob job)
    {
        Tenant tenant = job.TenantState!;
        job.Fair!.Recompute(types);
        tenant.Fair.Recompute(types);
        foreach (JobLine line in job.Attached)
        {
            line.Tenant.Jobs.Moved(line);
        }

        if (waitingTenants > 1)
        {
            foreach (TenantLine line in tenant.Attached)
            {
                line.In!.Tenants.Moved(line);
            }
        }
    }
}
