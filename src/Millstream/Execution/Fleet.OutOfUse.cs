namespace Millstream;

/// <content>
/// Why a resource is out of use: somebody said so, it could not be cleaned up, or code that has lost its lease may still be at work on it.
/// It is in use again when the last reason is gone.
/// </content>
internal sealed partial class Fleet
{
    private static readonly object Said = new();
    private static readonly object Unclean = new();

    // By the resource's id, so that a worker that comes back does not bring a resource into use that old code still uses.
    private readonly Dictionary<string, List<(object Key, string Reason)>> _outOfUse = new(StringComparer.Ordinal);

    public void SetOffline(string resourceId, string reason) => DoAsOne((scheduler, now) =>
    {
        scheduler.SetOffline(resourceId, reason, now);
        TakeOut(resourceId, Said, reason, now);
    });

    /// <summary>Takes back what was said, and what was found when it was cleaned up; not that code is still at work on it.</summary>
    public void SetOnline(string resourceId) => DoAsOne((scheduler, now) =>
    {
        if (!_resources.ContainsKey(resourceId))
            scheduler.SetOnline(resourceId, now);
        PutBack(resourceId, Said, now);
        PutBack(resourceId, Unclean, now);
    });

    /// <summary>Takes what a task held out of use, since its code goes on.</summary>
    public void Quarantine(Grant grant, string reason) => TakeOut(grant, grant, reason);

    /// <summary>Takes what a task held out of use until somebody has looked at it.</summary>
    public void Retire(Grant grant, string reason) => TakeOut(grant, Unclean, reason);

    /// <summary>The code that held it has ended after all.</summary>
    public void EndQuarantine(Grant grant) => DoAsOne((scheduler, now) =>
    {
        scheduler.Ended(grant, now);
        foreach (string id in Exclusive(grant))
            PutBack(id, grant, now);
    });

    private static IEnumerable<string> Exclusive(Grant grant) => grant.Members.Where(m => !m.Requirement.Shared).Select(m => m.Unit.Id);

    private void TakeOut(Grant grant, object key, string reason) => DoAsOne((scheduler, now) =>
    {
        // Together, so that nobody is given a unit that somebody else may still use.
        bool isAtWork = !grant.HasEnded;
        scheduler.Release(grant, now, isAtWork);
        // Its code may have ended between the decision that it goes on and now; nobody would put its units back.
        if (key == grant && !isAtWork)
            return;
        foreach (string id in Exclusive(grant))
            TakeOut(id, key, reason, now);
    });

    /// <summary>Does something by which leases may be lost: what they held is given to nobody until the code that had it has stopped.</summary>
    private void DoAsOne(Action<Scheduler, long> what)
    {
        List<Decision>? decisions = null;
        lock (_gate)
        {
            long now = Now;
            _scheduler.BeginBatch();
            try
            {
                what(_scheduler, now);
                decisions = Drain(now);
                foreach (Decision decision in decisions ?? [])
                {
#if MILLSTREAM_PLANTED_BUGS
                    if (PlantedBugs.Is(Bug.UnitGivenWhileStopping)) continue;
#endif
                    if (decision.Kind == DecisionKind.Revoked)
                        HoldBack(decision.Grant!, now);
                }
            }
            finally
            {
                _scheduler.EndBatch();
            }
            decisions = Drain(now, decisions);
        }
        Act(decisions);
    }

    private void HoldBack(Grant lost, long now)
    {
        foreach (string id in Exclusive(lost))
            TakeOut(id, lost, $"task {lost.Request.TaskId} of job {lost.Request.Job.Id} is still stopping", now);
    }

    private void TakeOut(string id, object key, string reason, long now)
    {
        if (!_outOfUse.TryGetValue(id, out List<(object Key, string Reason)>? reasons))
            _outOfUse.Add(id, reasons = []);
        reasons.RemoveAll(r => r.Key == key);
        reasons.Add((key, reason));
        StayOut(id, now);
    }

    private void PutBack(string id, object key, long now)
    {
        if (!_outOfUse.TryGetValue(id, out List<(object Key, string Reason)>? reasons) || reasons.RemoveAll(r => r.Key == key) == 0)
            return;
        if (reasons.Count > 0)
        {
            StayOut(id, now);
            return;
        }
        _outOfUse.Remove(id);
        if (_resources.ContainsKey(id))
            _scheduler.SetOnline(id, now);
    }

    private void StayOut(string id, long now)
    {
        if (_resources.ContainsKey(id) && _outOfUse.TryGetValue(id, out List<(object Key, string Reason)>? reasons))
            _scheduler.SetOffline(id, reasons[^1].Reason, now);
    }
}
