namespace Millstream;

/// <content>Sessions: the same resources over several tasks.</content>
internal sealed partial class Scheduler
{
    private readonly List<Session> sessions = [];
    private readonly List<Session> stuckSessions = [];

    /// <summary>
    /// Asks for all that a session will ever hold; it is open when its request is granted. Its tasks are submitted with
    /// <see cref="TaskRequest.Session"/> set, run one at a time on these resources and may add shared units.
    /// </summary>
    public Session OpenSession(TaskRequest opening, long now, TimeSpan? idleLimit = null, TimeSpan? totalLimit = null)
    {
        if (opening.Session is not null)
        {
            throw new ArgumentException($"Task {opening.TaskId} runs in a session and cannot open another; a session is opened with all that it will hold.", nameof(opening));
        }

        Session session = new(opening, (idleLimit ?? options.SessionIdleLimit).Ticks, (totalLimit ?? options.SessionTotalLimit).Ticks);
        opening.Opens = session;
        Submit(opening, now);
        return session;
    }

    /// <summary>Ends a session: its resources come back, its running task is revoked, its waiting tasks are refused.</summary>
    public void CloseSession(Session session, long now, string reason = "it was closed")
    {
        Advance(now);
        if (session.State == SessionState.Opening && session.Opening.State == RequestState.Waiting)
        {
            Withdraw(session.Opening, now);
            return;
        }

        EndSession(session, reason);
        Dispatch();
    }

    private void SubmitToSession(TaskRequest request)
    {
        Session session = request.Session!;
        Need? exclusive = Array.Find(request.Shape.Needs, n => !n.Shared);
        if (session.State == SessionState.Closed)
        {
            Refuse(request, $"the session has ended ({session.CloseReason}); open a new one");
        }
        else if (session.Opening.Job != request.Job)
        {
            Refuse(request, $"the session belongs to job {session.Opening.Job.Id}; open one in job {request.Job.Id}");
        }
        else if (exclusive is not null)
        {
            Refuse(request, $"a task in a session may add shared units only, not {exclusive.Requirement}; open the session with it");
        }
        else if ((session.Grant is { } grant ? RefusalOn(request, grant.Worker) : Refusal(request)) is { } reason)
        {
            Refuse(request, reason);
        }
        else
        {
            request.State = RequestState.Waiting;
            request.Job.Waiting++;
            if (request.Job.Waiting == 1)
            {
                waitingJobs++;
            }

            session.Waiting.Add(request);
            ServeSession(session);
        }
    }

    private void ServeSession(Session session)
    {
        stuckSessions.Remove(session);
        if (session.State != SessionState.Open || session.Active is not null || session.Waiting.Min is not { } head)
        {
            return;
        }

        WorkerState worker = session.Grant!.Worker;
        if (!head.Job.TenantState!.AllowsExtra(head.Shape, out _) || !matcher.TryMatch(head.Shape, worker, head.Job, MatchMode.Now))
        {
            stuckSessions.Add(session);
            return;
        }

        int borrowed = session.Grant.Members.Count;
        GrantMember[] members = new GrantMember[borrowed + matcher.Count];
        session.Grant.Own.CopyTo(members);
        FillMembers(members, borrowed);
        session.Waiting.Remove(head);
        LeaveSessionQueue(head);
        Grant grant = Give(head, worker, members, borrowed);
        session.Active = grant;
        decisions.Add(new Decision(DecisionKind.Granted, head, grant, null));
    }

    private void LeaveSessionQueue(TaskRequest request)
    {
        if (--request.Job.Waiting == 0)
        {
            waitingJobs--;
        }
    }

    // Before all others: who holds resources must not wait behind who holds none.
    private void ServeStuckSessions()
    {
        foreach (Session session in stuckSessions.ToArray())
        {
            ServeSession(session);
        }
    }

    private void EndSession(Session session, string reason)
    {
        if (session.State == SessionState.Closed)
        {
            return;
        }

        session.State = SessionState.Closed;
        session.CloseReason = reason;
        sessions.Remove(session);
        stuckSessions.Remove(session);
        string told = $"the session has ended ({reason}); open a new one";
        if (session.Active is { } active)
        {
            GiveBack(active, GrantState.Revoked);
            decisions.Add(new Decision(DecisionKind.Revoked, active.Request, active, told));
            Refuse(active.Request, told);
        }

        foreach (TaskRequest waiting in session.Waiting)
        {
            LeaveSessionQueue(waiting);
            Refuse(waiting, told);
        }

        session.Waiting.Clear();
        if (session.Grant is { State: GrantState.Held } grant)
        {
            GiveBack(grant, GrantState.Revoked);
            grant.Request.State = RequestState.Ended;
            decisions.Add(new Decision(DecisionKind.Revoked, grant.Request, grant, told));
        }
    }

    private void EndSessionsDue()
    {
        for (int i = sessions.Count - 1; i >= 0 && sessions.Count > 0; i--)
        {
            Session session = sessions[Math.Min(i, sessions.Count - 1)];
            if (session.DueAt <= time)
            {
                bool total = time - session.Grant!.GrantedAt >= session.TotalLimit;
                EndSession(session, total ? $"its total limit of {TimeSpan.FromTicks(session.TotalLimit)} is over" : $"it was idle for {TimeSpan.FromTicks(session.IdleLimit)}");
            }
        }
    }

    private long NextSessionEnd()
    {
        long next = long.MaxValue;
        foreach (Session session in sessions)
        {
            next = Math.Min(next, session.DueAt);
        }

        return next;
    }
}
