namespace Millstream.Tests;

/// <summary>What was taken of rates, written down one by one: slow, and nothing in common with the scheduler's own way.</summary>
internal sealed class RateModel
{
    private readonly List<Taken> taken = [];
    private readonly Dictionary<(string Unit, string Rate), (long Limit, long Window)> limits = [];
    private readonly Dictionary<string, long> throttled = [];

    public void Add(ResourceUnit unit, IReadOnlyList<RateLimit> rates)
    {
        foreach (RateLimit rate in rates)
            limits[(unit.Id, rate.Name)] = (rate.Limit, rate.Window.Ticks);
    }

    public IEnumerable<string> RatesOf(string unit) => limits.Keys.Where(k => k.Unit == unit).Select(k => k.Rate);

    public void SetLimit(string unit, string rate, long limit) => limits[(unit, rate)] = (limit, limits[(unit, rate)].Window);

    public void Throttle(string unit, long? most)
    {
        throttled.Remove(unit);
        if (most is { } number)
            throttled[unit] = number;
    }

    /// <summary>What may be leased of a unit at once.</summary>
    public long CapacityOf(ResourceUnit unit) => Math.Min(unit.Capacity, throttled.GetValueOrDefault(unit.Id, long.MaxValue));

    /// <summary>A grant takes what it asked for, and then no window is overfull because of it.</summary>
    public void Granted(Grant grant, int borrowed, long now)
    {
        for (int i = borrowed; i < grant.Members.Count; i++)
        {
            GrantMember member = grant.Members[i];
            foreach ((string rate, long amount) in member.Requirement.Rates)
            {
                if (limits.ContainsKey((member.Unit.Id, rate)))
                    taken.Add(new Taken(grant, i, member.Unit.Id, rate) { Amount = amount });
            }
        }
        foreach ((string unit, string rate) in limits.Keys.Where(k => taken.Exists(t => t.Grant == grant && t.Unit == k.Unit && t.Rate == k.Rate)))
            Assert.True(Room(unit, rate, now, 0) >= 0, $"{rate} of {unit} is overfull by {-Room(unit, rate, now, 0)}");
    }

    public void Arrived(Grant grant, long now)
    {
        foreach (Taken one in taken.Where(t => t.Grant == grant))
            one.ArrivedAt ??= now;
    }

    public void Settled(Grant grant, int member, string unit, string rate, long amount)
    {
        Taken? one = taken.Find(t => t.Grant == grant && t.Member == member && t.Rate == rate);
        if (one is null)
            taken.Add(one = new Taken(grant, member, unit, rate));
        one.Amount = amount;
    }

    /// <summary>Whether a need fits beside what others of the same task take of that unit.</summary>
    public bool Fits(string unit, ResourceRequirement need, IEnumerable<ResourceRequirement> beside, long now) => need.Rates.All(r =>
        !limits.ContainsKey((unit, r.Key)) || Room(unit, r.Key, now, beside.Sum(b => b.Rates.GetValueOrDefault(r.Key))) >= r.Value);

    // The log of the scheduler may be merged, which no history here is long enough for.
    private long Room(string unit, string rate, long now, long beside)
    {
        (long limit, long window) = limits[(unit, rate)];
        return limit - beside - taken.Where(t => t.Unit == unit && t.Rate == rate && (t.ArrivedAt is not { } at || at + window > now)).Sum(t => t.Amount);
    }

    private sealed record Taken(Grant Grant, int Member, string Unit, string Rate)
    {
        public long Amount { get; set; }

        public long? ArrivedAt { get; set; }
    }
}
