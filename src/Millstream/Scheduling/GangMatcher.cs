namespace Millstream;

internal enum MatchMode
{
    /// <summary>With what this job could take now.</summary>
    Now,

    /// <summary>With all that there is, whoever uses it.</summary>
    Ever,

    /// <summary>As much as there is now, for holding.</summary>
    Partial,
}

/// <summary>
/// Finds units for all of a shape's needs on one worker and the pool. Exclusive needs with overlapping selectors are a
/// bipartite matching with augmenting paths: taking the first that fits would leave feasible gangs waiting. Shared needs
/// are placed first, by trying; a bound on the trials keeps hostile mixes of amounts from stopping the scheduler.
/// </summary>
internal sealed partial class GangMatcher
{
    private const int MaxTrials = 4096;

    /// <summary>So many units are looked at one by one.</summary>
    public const int Many = 64;

    private readonly Need[] places = new Need[ResourceRequirement.MaxGang];
    private readonly int[] chosen = new int[ResourceRequirement.MaxGang];
    private readonly int[] sharedOrder = new int[ResourceRequirement.MaxGang];
    private readonly List<ResourceUnit> units = [];
    private int[] fits = new int[64];
    private int[] owner = new int[64];
    private long[] used = new long[64];
    private int[] seen = new int[64];
    private readonly Comparison<int> byAmount;
    private long offering;
    private int stamp;
    private int trials;
    private int sharedCount;
    private SchedulingJob? job;
    private MatchMode mode;

    public GangMatcher() => byAmount = (a, b) => places[b].Amount.CompareTo(places[a].Amount);

    /// <summary>The number of units wanted.</summary>
    public int Count { get; private set; }

    public Need NeedAt(int place) => places[place];

    /// <summary>The unit for a place, null where a partial match found none.</summary>
    public ResourceUnit? UnitAt(int place) => chosen[place] < 0 ? null : units[chosen[place]];

    public static long AmountOf(Need need, ResourceUnit unit) => need.Shared ? need.Amount : unit.Capacity;

    public bool TryMatch(TaskShape shape, WorkerState? worker, SchedulingJob? forJob, MatchMode how)
    {
        job = forJob;
        mode = how;
        SetUp(shape, worker);
        if (mode == MatchMode.Partial)
        {
            for (int i = 0; i < sharedCount; i++)
            {
                PlaceLargest(sharedOrder[i]);
            }

            return MatchExclusive() == Count;
        }

        trials = 0;
        return PlaceShared(0);
    }

    /// <summary>How good the units of the shared needs are that were found; less is better.</summary>
    public (int Tier, double Load) Rank()
    {
        (int tier, double load) = (int.MinValue, 0);
        for (int i = 0; i < sharedCount; i++)
        {
            ResourceUnit unit = units[chosen[sharedOrder[i]]];
            tier = Math.Max(tier, unit.Tier);
            load += (unit.Capacity - unit.Free) / unit.Weight;
        }

        return (tier, load);
    }

    private long Room(int unit) => (mode == MatchMode.Now ? units[unit].FreeFor(job!) : mode == MatchMode.Ever ? units[unit].Capacity : units[unit].Free) - used[unit];

    private bool PlaceShared(int index)
    {
        if (index == sharedCount)
        {
            return MatchExclusive() == Count;
        }

        int place = sharedOrder[index];
        long amount = places[place].Amount;
        int after = -1;
        while (++trials <= MaxTrials)
        {
            int best = NextBest(place, amount, after);
            if (best < 0)
            {
                return false;
            }

            after = best;
            used[best] += amount;
            chosen[place] = best;
            if (PlaceShared(index + 1))
            {
                return true;
            }

            used[best] -= amount;
            chosen[place] = -1;
        }

        return false;
    }

    // The unit tried last names the trial that comes next without a list: what it had taken is given back before.
    private int NextBest(int place, long amount, int after)
    {
        int best = -1;
        for (int unit = 0; unit < units.Count; unit++)
        {
            if ((fits[unit] & (1 << place)) != 0 && Room(unit) >= amount && (after < 0 || Precedes(place, after, unit)) && (best < 0 || Precedes(place, unit, best))
                && (places[place].Rates.Length == 0 || RatesFit(place, unit)))
            {
                best = unit;
            }
        }

        return best;
    }

    /// <summary>The order in which units are tried: tier, then the least leased for its weight, then most room, which spreads the load.</summary>
    private bool Precedes(int place, int left, int right)
    {
        ResourceUnit a = units[left];
        ResourceUnit b = units[right];
        if (mode == MatchMode.Now)
        {
            if (a.Tier != b.Tier)
            {
                return a.Tier < b.Tier;
            }

            double taken = (a.Capacity - a.Free + used[left]) * b.Weight, other = (b.Capacity - b.Free + used[right]) * a.Weight;
            if (taken != other)
            {
                return taken < other;
            }
        }
        else if (mode == MatchMode.Partial && places[place].Rates.Length > 0)
        {
            // Held is what will have room first.
            double slack = Slack(places[place], a), other = Slack(places[place], b);
            if (slack != other)
            {
                return slack > other;
            }
        }

        long room = Room(left), otherRoom = Room(right);
        return room != otherRoom ? room > otherRoom : left < right;
    }

    private static double Slack(Need need, ResourceUnit unit)
    {
        double least = 1;
        foreach (RateAmount rate in need.Rates)
        {
            if (unit.RateNamed(rate.Name) is { } window)
            {
                least = Math.Min(least, (double)window.Room / rate.Amount);
            }
        }

        return least;
    }

    /// <summary>Whether the windows of a unit have room for this place beside those that are placed on it already.</summary>
    private bool RatesFit(int place, int unit)
    {
        if (mode == MatchMode.Partial || units[unit].Rates is null)
        {
            return true;
        }

        foreach (RateAmount rate in places[place].Rates)
        {
            if (units[unit].RateNamed(rate.Name) is not { } window)
            {
                continue;
            }

            long room = (mode == MatchMode.Now ? units[unit].RoomFor(window, job) : window.Limit) - rate.Amount;
            for (int i = 0; i < Count; i++)
            {
                if (i != place && chosen[i] == unit && places[i].Shared)
                {
                    room -= Array.Find(places[i].Rates, r => r.Name == rate.Name).Amount;
                }
            }

            if (room < 0)
            {
                return false;
            }
        }

        return true;
    }

    private void PlaceLargest(int place)
    {
        int best = NextBest(place, long.MinValue / 2, -1);
        if (best >= 0)
        {
            used[best] += places[place].Amount;
            chosen[place] = best;
        }
    }

    private int MatchExclusive()
    {
        int matched = sharedCount;
        owner.AsSpan(0, units.Count).Fill(-1);
        for (int place = 0; place < Count; place++)
        {
            if (places[place].Shared)
            {
                continue;
            }

            chosen[place] = -1;
            stamp++;
            if (Augment(place))
            {
                matched++;
            }
            else if (mode != MatchMode.Partial)
            {
                return -1;
            }
        }

        return matched;
    }

    private bool Augment(int place)
    {
        for (int unit = 0; unit < units.Count; unit++)
        {
            if ((fits[unit] & (1 << place)) == 0 || used[unit] != 0 || seen[unit] == stamp)
            {
                continue;
            }

            seen[unit] = stamp;
            if (owner[unit] < 0 || Augment(owner[unit]))
            {
                owner[unit] = place;
                chosen[place] = unit;
                return true;
            }
        }

        return false;
    }
}
