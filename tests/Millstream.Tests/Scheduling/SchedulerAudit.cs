namespace Millstream.Tests;

/// <summary>Looks at the leases from outside, by trying all combinations: slow, and nothing in common with the scheduler's own way.</summary>
internal sealed class SchedulerAudit
{
    private readonly Dictionary<string, (ResourceUnit Unit, string? Worker)> fleet;
    private readonly Dictionary<string, int> slots;
    private readonly HashSet<string> offline;
    private readonly Dictionary<string, long> cooling;
    private readonly List<Grant> live;
    private readonly IReadOnlyList<TenantQuota> quotas;
    private readonly SchedulerSnapshot snapshot;
    private readonly RateModel rates;
    private readonly long now;
    private readonly Dictionary<string, long> used = [];

    public SchedulerAudit(Dictionary<string, (ResourceUnit Unit, string? Worker)> fleet, Dictionary<string, int> slots, HashSet<string> offline,
        Dictionary<string, long> cooling, List<Grant> live, IReadOnlyList<TenantQuota> quotas, SchedulerSnapshot snapshot, RateModel rates, long now)
    {
        (this.rates, this.now) = (rates, now);
        (this.fleet, this.slots, this.offline, this.cooling, this.live, this.quotas, this.snapshot) = (fleet, slots, offline, cooling, live, quotas, snapshot);
        foreach (Grant grant in live)
        {
            foreach (GrantMember member in Own(grant))
            {
                used[member.Unit.Id] = used.GetValueOrDefault(member.Unit.Id) + member.Amount;
            }
        }
    }

    public int HeldUnits => snapshot.Units.Count(u => u.HeldFor is not null);

    /// <summary>What the grant itself took; the units of its session come first and belong to the session's own grant.</summary>
    private static IEnumerable<GrantMember> Own(Grant grant) =>
        grant.Request.Session is { } session ? grant.Members.Skip(session.Grant!.Members.Count) : grant.Members;

    public void Leases()
    {
        foreach ((string id, long amount) in used)
        {
            Assert.True(fleet.ContainsKey(id), $"{id} is leased but gone");
            Assert.True(amount <= fleet[id].Unit.Capacity, $"{id} is leased {amount} of {fleet[id].Unit.Capacity}");
            Assert.False(amount > 0 && offline.Contains(id), $"{id} is leased but offline");
        }

        foreach (IGrouping<string, (string Id, Grant Grant, GrantMember Member)> unit in live.SelectMany(g => Own(g).Select(m => (m.Unit.Id, g, m))).GroupBy(m => m.Id))
        {
            Assert.True(unit.Count() == 1 || unit.All(m => m.Member.Requirement.Shared), $"{unit.Key} is leased exclusively and to another one");
        }

        foreach (Grant grant in live)
        {
            Assert.Same(grant, grant.Request.Grant);
            Assert.Equal(RequestState.Granted, grant.Request.State);
            foreach (GrantMember member in grant.Members)
            {
                Assert.Equal(member.Requirement.Type, member.Unit.Type);
                Assert.True(member.Requirement.Labels.Matches(member.Unit.Labels), $"{member.Unit.Id} does not match {member.Requirement}");
                Assert.True(fleet[member.Unit.Id].Worker is not { } owner || owner == grant.WorkerId, $"{member.Unit.Id} is not of {grant.WorkerId}");
            }

            foreach (ResourceRequirement wanted in grant.Request.Shape.Needs.Select(n => n.Requirement).Distinct())
            {
                int times = grant.Request.Shape.Needs.Count(n => n.Requirement == wanted);
                Assert.Equal(times * (wanted.Shared ? 1 : wanted.Amount), Own(grant).Count(m => m.Requirement == wanted));
            }
        }

        foreach ((string worker, int count) in slots)
        {
            int taken = live.Count(g => g.WorkerId == worker && g.Request.Session is null);
            Assert.True(taken <= count, $"{worker} runs {taken} tasks on {count} slots");
            Assert.Equal(count - taken, snapshot.Workers.Single(w => w.Id == worker).FreeSlots);
        }

        Assert.All(live, g => Assert.True(slots.ContainsKey(g.WorkerId), $"{g.WorkerId} is gone but leases"));
        foreach (UnitSnapshot unit in snapshot.Units)
        {
            Assert.Equal(unit.Capacity - used.GetValueOrDefault(unit.Id), unit.Free);
            Assert.Equal(used.GetValueOrDefault(unit.Id), unit.Holders.Sum(h => h.Amount));
            Assert.Equal(offline.Contains(unit.Id), unit.Status == UnitStatus.Offline);
        }

        foreach (string tenant in live.Select(g => g.Request.Job.Tenant).Distinct())
        {
            foreach (string type in quotas.Select(q => q.Type).Distinct())
            {
                Assert.True(UsedBy(tenant, type) <= QuotaOf(tenant, type), $"{tenant} is over its quota of {type}");
            }
        }
    }

    /// <summary>Whether the task could run on what is free and held for nobody.</summary>
    public bool CouldRun(TaskRequest request)
    {
        HashSet<string> held = [.. snapshot.Units.Where(u => u.HeldFor is not null).Select(u => u.Id), .. snapshot.Workers.Where(w => w.HeldFor is not null).Select(w => w.Id)];
        List<(ResourceRequirement Need, long Amount)> places = [];
        foreach (ResourceRequirement need in request.Shape.Needs.Select(n => n.Requirement))
        {
            places.AddRange(need.Shared ? [(need, need.Amount)] : Enumerable.Repeat((need, 0L), (int)need.Amount));
        }

        foreach (string type in places.Select(p => p.Need.Type).Distinct())
        {
            long wanted = request.Shape.Needs.Where(n => n.Type.Name == type).Sum(n => n.Amount);
            if (UsedBy(request.Job.Tenant, type) + wanted > QuotaOf(request.Job.Tenant, type))
            {
                return false;
            }
        }

        return slots.Keys.Any(w => !held.Contains(w) && live.Count(g => g.WorkerId == w && g.Request.Session is null) < slots[w] && Fits(places, 0, w, new(used), held, []));
    }

    private bool Fits(List<(ResourceRequirement Need, long Amount)> places, int at, string worker, Dictionary<string, long> taken, HashSet<string> held, List<(string Unit, ResourceRequirement Need)> chosen)
    {
        if (at == places.Count)
        {
            return true;
        }

        (ResourceRequirement need, long amount) = places[at];
        foreach ((ResourceUnit unit, string? owner) in fleet.Values)
        {
            long before = taken.GetValueOrDefault(unit.Id);
            long wanted = need.Shared ? amount : unit.Capacity;
            if (unit.Type == need.Type && (owner is null || owner == worker) && !held.Contains(unit.Id) && !offline.Contains(unit.Id) && !cooling.ContainsKey(unit.Id)
                && need.Labels.Matches(unit.Labels) && before + wanted <= rates.CapacityOf(unit)
                && rates.Fits(unit.Id, need, chosen.Where(c => c.Unit == unit.Id).Select(c => c.Need), now))
            {
                taken[unit.Id] = before + wanted;
                chosen.Add((unit.Id, need));
                bool fits = Fits(places, at + 1, worker, taken, held, chosen);
                chosen.RemoveAt(chosen.Count - 1);
                taken[unit.Id] = before;
                if (fits)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private long UsedBy(string tenant, string type) => live.Where(g => g.Request.Job.Tenant == tenant).SelectMany(Own).Where(m => m.Unit.Type == type).Sum(m => m.Amount);

    private long QuotaOf(string tenant, string type) =>
        (quotas.FirstOrDefault(q => q.Tenant == tenant && q.Type == type) ?? quotas.FirstOrDefault(q => q.Tenant == "*" && q.Type == type))?.Max ?? long.MaxValue;
}
