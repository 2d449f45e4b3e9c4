namespace Millstream;

/// <summary>
/// Decides who gets which resources when. Pure: no clock, thread or I/O; <c>now</c> is UTC ticks and handed in; the shell
/// calls it under one lock and drains <see cref="TryTake"/> after each call. Rules and constants: docs/resources.md.
/// </summary>
internal sealed partial class Scheduler
{
    private readonly SchedulerOptions options;
    private long runnerEpoch;
    private readonly DecisionQueue decisions = new();
    private long counter;
    private long time;
    private bool batching;

    public Scheduler(SchedulerOptions options, long runnerEpoch)
    {
        this.options = options;
        this.runnerEpoch = runnerEpoch;
        fromNext = FromNext;
        slots = new ResourceType(ResourceRequirement.SlotType, 0, table);
        types = [slots];
        typesByName.Add(slots.Name, slots);
        slotOnly = new TaskShape(0, [], [(slots, 1)], FamilyOf([slots]), table);
    }

    /// <summary>The runner for which it leases has a number of its own now. To be called before the first grant.</summary>
    public void SetRunner(long epoch) => runnerEpoch = epoch;

    /// <summary>Takes the next decision; false when all are taken.</summary>
    public bool TryTake(out Decision decision) => decisions.TryTake(out decision);

    /// <summary>Asks for what a task needs. The answer is a decision at once, or the task waits.</summary>
    public void Submit(TaskRequest request, long now)
    {
        if (request.State != RequestState.New)
        {
            throw new InvalidOperationException($"Task {request.TaskId} was submitted before (it is {request.State}); make a new request for each submission.");
        }

        Advance(now);
        if (rated.Count > 0 && dirty.Count > 0)
        {
            // Who waited for what has passed goes first.
            Dispatch();
        }

        request.SubmittedAt = request.ClassSince = now;
        request.Class = request.Priority;
        Join(request.Job);
        if (request.Session is not null)
        {
            SubmitToSession(request);
            return;
        }

        if (Refusal(request) is { } reason)
        {
            Refuse(request, reason);
            return;
        }

        TaskShape shape = request.Shape;
        if (PlanOf(request) is { } plan)
        {
            plan.Ready(request);
            request.Rank = plan.RankOf(request.PlanTask);
            Touch(request.Job);
            Line(request);
            Dispatch();
            return;
        }

        bool allowed = request.Job.TenantState!.Allows(shape, out _);
        if (allowed && !batching && (!shape.IsParked || holds.Count > 0) && QuickLack(shape) is null && TryPlace(shape, request.Job, false, out WorkerState? worker))
        {
            GrantNow(request, worker);
            LineLater();
            return;
        }

        Enqueue(request);
        if (!allowed && !request.Node!.Tenant.IsOverQuota)
        {
            SetOverQuota(request.Node.Tenant);
        }

        if (shape.HasHead && !shape.IsParked)
        {
            if (batching)
            {
                Freshen(shape);
            }
            else
            {
                Park(shape, Lacking(shape, request.Job));
            }
        }

        LineLater();
    }

    /// <summary>
    /// Until <see cref="EndBatch"/> nothing is granted to who waits in line. For what happens at one moment: the end of a
    /// task and its successors, or all commands of a turn, compete by their order and not by who was named first.
    /// </summary>
    public void BeginBatch() => batching = true;

    /// <summary>Decides on all that came since <see cref="BeginBatch"/>.</summary>
    public void EndBatch()
    {
        batching = false;
        Dispatch();
    }

    /// <summary>Takes back a request that waits; false where it does not wait (a grant is released instead).</summary>
    public bool Withdraw(TaskRequest request, long now)
    {
        Advance(now);
        if (request.State is not (RequestState.Waiting or RequestState.Later))
        {
            return false;
        }

        PlanOf(request)?.Withdrawn(request);
        if (request.State == RequestState.Later)
        {
            // It is in no line.
        }
        else if (request.Session is not null)
        {
            request.Session.Waiting.Remove(request);
            LeaveSessionQueue(request);
        }
        else
        {
            DequeueKeepingPark(request);
        }

        request.State = RequestState.Ended;
        if (request.Opens is { } session)
        {
            EndSession(session, "its opening was withdrawn");
        }

        EndHold(request);
        Dispatch();
        return true;
    }

    /// <summary>Gives a grant back. Doing it twice, or after a revocation, changes nothing.</summary>
    /// <param name="grant">The grant.</param>
    /// <param name="now">The time.</param>
    /// <param name="isAtWork">Whether the code that had it goes on: what it took of rates counts as under way until <see cref="Ended"/>.</param>
    public void Release(Grant grant, long now, bool isAtWork = false)
    {
        Advance(now);
        if (grant.State != GrantState.Held)
        {
            return;
        }

        if (grant.Request.Opens is { } session)
        {
            EndSession(session, "it was closed");
        }
        else
        {
            GiveBack(grant, GrantState.Released);
            if (!isAtWork)
            {
                EndRates(grant);
            }

            grant.Request.State = RequestState.Ended;
        }

        Dispatch();
    }

    /// <summary>Replaces the estimate of a shared member by what was really used, while the grant is held.</summary>
    public void Settle(Grant grant, int member, long trueAmount, long now)
    {
        Advance(now);
        if (grant.State != GrantState.Held)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(member, grant.Borrowed);
        ArgumentOutOfRangeException.ThrowIfNegative(trueAmount);
        ref GrantMember settled = ref grant.Own[member - grant.Borrowed];
        if (!settled.Requirement.Shared)
        {
            throw new ArgumentException($"{settled.Unit.Type} {settled.Unit.Id} is leased exclusively; only shared units are settled.", nameof(member));
        }

        long more = trueAmount - settled.Amount;
        settled = settled with { Amount = trueAmount };
        TakeUnit(settled.Unit, more);
        Count(grant.Request.Job, settled.Unit.TypeState!, more);
        Reorder(grant.Request.Job);
        if (more < 0)
        {
            WakeQuota(grant.Request.Job.TenantState!);
        }

        Dispatch();
    }

    /// <summary>Does what is due by time: ageing, holding, ends of cool-downs and limits of sessions.</summary>
    public void Tick(long now)
    {
        Advance(now);
        EndCoolDowns();
        EndSessionsDue();
        if (now >= nextScan)
        {
            Scan();
        }

        Dispatch();
    }

    /// <summary>When <see cref="Tick"/> must be called next, in UTC ticks, or null while nothing depends on time.</summary>
    public long? NextWake(long now)
    {
        long next = Math.Min(Math.Min(nextScan, NextRateWake()), Math.Min(NextCoolDown(), NextSessionEnd()));
        return next == long.MaxValue ? null : Math.Max(next, now);
    }

    private void Advance(long now)
    {
        time = Math.Max(time, now);
        if (time >= nextPass)
        {
            PassWindows();
        }
    }

    private void Refuse(TaskRequest request, string reason)
    {
        request.State = RequestState.Ended;
        if (request.Opens is { } session)
        {
            session.State = SessionState.Closed;
            session.CloseReason = reason;
        }

        decisions.Add(new Decision(DecisionKind.NeverFeasible, request, null, reason));
    }
}
