using System.Globalization;

namespace Millstream;

/// <content>What a request waits for, in one sentence.</content>
internal sealed partial class Scheduler
{
    /// <summary>How far the wall clock is ahead of the times that are handed in, in ticks; for sentences only.</summary>
    public long WallAhead { get; set; }

    /// <summary>One plain sentence: where the task runs, or which of the four answers it has.</summary>
    public string Explain(TaskRequest request) => request.State switch
    {
        RequestState.Granted => $"runs on worker {request.Grant!.Worker.Name}",
        RequestState.Waiting when request.Session is not null => ExplainInSession(request, request.Session),
        RequestState.Waiting => ExplainWaiting(request),
        RequestState.Later => "waits for its turn in the plan of its job: started now it would be in the way of a task that more depends on",
        RequestState.New => "is not submitted yet",
        _ => request.Opens?.CloseReason ?? "has ended",
    };

    private string ExplainInSession(TaskRequest request, Session session)
    {
        if (session.State == SessionState.Opening)
        {
            return $"waits until its session is open, which {Explain(session.Opening)}";
        }

        if (session.Active is { } active)
        {
            return $"waits for task {active.Request.TaskId} in the same session";
        }

        return ExplainQuota(request) ?? ExplainNeeds(request) ?? $"waits for {string.Join(" and ", request.Shape.Needs.Select(n => n.Requirement))} on worker {session.Grant!.Worker.Name}";
    }

    private string ExplainWaiting(TaskRequest request)
    {
        if (workers.Count == 0)
        {
            return "waits for a worker: there is none";
        }

        if (CheckShape(request.Shape) is { } fault)
        {
            return $"waits for the fleet to change: {fault}";
        }

        if (ExplainQuota(request) is { } quota)
        {
            return quota;
        }

        if (ExplainNeeds(request) is { } lack)
        {
            return lack;
        }

        long total = workers.Sum(w => (long)w.Slots);
        if (freeSlots == 0)
        {
            return $"waits for 1 slot: {total} of {total} busy";
        }

        if (slots.Holder is { } hold && hold.Request.Job != request.Job && !workers.Exists(w => w.FreeSlotsFor(request.Job) > 0))
        {
            return $"waits for 1 slot: the free one is held for task {hold.Request.TaskId} of job {hold.Request.Job.Id}";
        }

        return request.Shape.IsSlotOnly
            ? "waits for its turn"
            : $"waits for 1 slot and {string.Join(" and ", request.Shape.Needs.Select(n => n.Requirement))} to be free on one worker together";
    }

    private string? ExplainQuota(TaskRequest request)
    {
        Tenant tenant = request.Job.TenantState!;
        bool allowed = request.Session is null ? tenant.Allows(request.Shape, out string type) : tenant.AllowsExtra(request.Shape, out type);
        return allowed ? null : $"over quota: tenant {tenant.Name} uses {tenant.Fair.Leased(typesByName[type].Index)} of {tenant.Quotas![type]} {type}";
    }

    private string? ExplainNeeds(TaskRequest request)
    {
        foreach (Need need in request.Shape.Needs)
        {
            List<ResourceUnit> matching = need.Type.Units.FindAll(u => need.Match.Contains(u.Index));
            long given = matching.Count(u => u.Gives(need, request.Job));
            if (given >= (need.Shared ? 1 : need.Amount))
            {
                continue;
            }

            string with = need.Requirement.Labels == LabelSelector.All ? "" : $" with {need.Requirement.Labels}";
            string wanted = need.Shared ? $"{string.Concat(need.Rates.Select(r => $"{r.Amount} {r.Name} and "))}{need.Amount} units of one {need.Type.Name}{with}" : Words.Counted(need.Amount, need.Type.Name) + with;
            List<ResourceUnit> cooling = matching.FindAll(u => u.CoolUntil != 0 && u.OfflineReason is null);
            if (cooling.Count > 0 && cooling.Count + matching.Count(u => u.OfflineReason is not null) == matching.Count)
            {
                ResourceUnit first = cooling.MinBy(u => u.CoolUntil)!;
                return $"cooling down until {Time(first.CoolUntil)}{Why(first.CoolReason)}: waits for {wanted} ({first.Id} is the first of {cooling.Count})";
            }

            return $"waits for {wanted}: {State(need, matching, request)}";
        }

        return null;
    }

    private string State(Need need, List<ResourceUnit> matching, TaskRequest request)
    {
        int offline = matching.Count(u => u.OfflineReason is not null);
        int cool = matching.Count(u => u.CoolUntil != 0 && u.OfflineReason is null);
        int held = matching.Count(u => u.IsOpen && u.HeldBy is { } h && h.Request.Job != request.Job && u.Free >= (need.Shared ? need.Amount : u.Capacity));
        List<string> parts = [];
        if (need.Shared)
        {
            List<ResourceUnit> spent = matching.FindAll(u => u.FreeFor(request.Job) >= need.Amount);
            if (spent.Count > 0)
            {
                parts.Add(Spent(need, spent, request.Job));
            }

            if (spent.Count < matching.Count(u => u.IsOpen))
            {
                long most = matching.Where(u => u.IsOpen && !spent.Contains(u)).Select(u => Math.Max(0, u.Free - u.Closed)).DefaultIfEmpty(0).Max();
                parts.Add($"at most {most} free on one");
            }

            if (matching.Find(u => u.IsOpen && u.Closed > 0) is { } throttled)
            {
                parts.Add($"{throttled.Id} is throttled to {throttled.Capacity - throttled.Closed} of {throttled.Capacity}");
            }
        }
        else
        {
            int busy = matching.Count(u => u.IsOpen && u.Free != u.Capacity);
            parts.Add($"{busy} of {matching.Count} busy");
        }

        if (held > 0)
        {
            TaskRequest holder = matching.Find(u => u.HeldBy is not null)!.HeldBy!.Request;
            parts.Add($"{held} held for task {holder.TaskId} of job {holder.Job.Id}");
        }

        if (cool > 0)
        {
            parts.Add($"{cool} cooling down");
        }

        if (offline > 0)
        {
            parts.Add($"{offline} offline ({matching.Find(u => u.OfflineReason is not null)!.OfflineReason})");
        }

        return string.Join(", ", parts);
    }

    /// <summary>What of its rates has been taken, and when there is room.</summary>
    private string Spent(Need need, List<ResourceUnit> units, SchedulingJob job)
    {
        List<RateWindow> windows = [.. units.SelectMany(u => need.Rates.Select(r => (Unit: u, r.Amount, Window: u.RateNamed(r.Name))))
            .Where(p => p.Window is not null && p.Unit.RoomFor(p.Window, job) < p.Amount).Select(p => p.Window!)];
        IEnumerable<string> limits = windows.Select(w => $"{w.Limit} {w.Name} in {Words.Duration(TimeSpan.FromTicks(w.Length))}").Distinct();
        long next = units.Min(u => u.WhenRatesGive(need, job));
        return $"{string.Join(", ", limits)}{(units.Count > 1 ? " on each" : "")}, {(next == long.MaxValue ? "next when what is under way has arrived" : $"next at {Time(next)}")}";
    }

    private static string Why(string? reason) => reason is null ? "" : $" ({reason})";

    private string Time(long ticks) => new DateTime(Math.Clamp(ticks + WallAhead, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
