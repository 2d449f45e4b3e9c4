namespace Millstream;

/// <content>What units take in a window of time.</content>
internal sealed partial class Scheduler
{
    private readonly List<ResourceUnit> rated = [];

    // Of units that are gone: they may come back while the other side still counts.
    private readonly Dictionary<string, RateWindow[]> gone = new(StringComparer.Ordinal);
    private readonly List<TaskShape> ratedShapes = [];
    private long nextPass = long.MaxValue;
    private long rateWake = long.MaxValue;
    private bool isRateWakeStale;

    /// <summary>The other side has counted what a grant took of rates.</summary>
    /// <param name="grant">The grant.</param>
    /// <param name="name">The requirement's name; null for all.</param>
    /// <param name="now">The time.</param>
    public void Arrived(Grant grant, string? name, long now)
    {
        Advance(now);
        if (!grant.HasEnded)
        {
            Arrive(grant, name);
        }
    }

    /// <summary>Replaces the estimate of what a grant has taken of a rate by what was really used.</summary>
    public void SettleRate(Grant grant, int member, string rate, long amount, long now)
    {
        Advance(now);
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        if (grant.HasEnded || grant.Members[member].Unit.RateNamed(rate) is not { } window)
        {
            return;
        }

        RateTake? take = grant.Takes?.Find(t => t.Member == member && t.Window == window);
        if (take is null)
        {
            (grant.Takes ??= []).Add(take = new RateTake(window, member, 0));
        }

        long before = take.Amount;
        take.Amount = window.Correct(before, amount, take.ArrivedAt, time);
        isRateWakeStale = true;
        if (amount < before)
        {
            // It may have come back as another unit, with the same windows.
            if (units.TryGetValue(grant.Members[member].Unit.Id, out ResourceUnit? unit))
            {
                Came(unit);
            }

            Dispatch();
        }
    }

    /// <summary>The code that had a grant has ended, after the grant itself.</summary>
    public void Ended(Grant grant, long now)
    {
        Advance(now);
        EndRates(grant);
    }

    /// <summary>Sets the limit of a rate.</summary>
    public void SetRate(string unitId, string rate, long limit, long now)
    {
        Advance(now);
        ResourceUnit unit = UnitOf(unitId);
        RateWindow window = unit.RateNamed(rate) ?? throw new ArgumentException($"{unit.Type} {unit.Id} has no rate named {rate}.", nameof(rate));
        if (window.Limit == limit)
        {
            return;
        }

        window.SetLimit(limit);
        fleetGeneration++;
        isRateWakeStale = true;
        Came(unit);
        Dispatch();
    }

    /// <summary>Leases at most so much of a unit's capacity at once; null for all of it.</summary>
    public void Throttle(string unitId, long? most, long now)
    {
        Advance(now);
        ResourceUnit unit = UnitOf(unitId);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ThrottleForgotten)) return;
#endif
        unit.Closed = unit.Capacity - Math.Min(most ?? unit.Capacity, unit.Capacity);
        UnitChanged(unit);
        Came(unit);
        Dispatch();
    }

    private void TakeRates(Grant grant)
    {
        for (int i = grant.Borrowed; i < grant.Members.Count; i++)
        {
            GrantMember member = grant.Members[i];
            foreach (RateAmount rate in member.Requirement.RateAmounts)
            {
                if (member.Unit.RateNamed(rate.Name) is { } window)
                {
                    window.Take(rate.Amount);
                    (grant.Takes ??= []).Add(new RateTake(window, i, rate.Amount));
                    isRateWakeStale = true;
                }
            }
        }
    }

    private void Arrive(Grant grant, string? name)
    {
        if (grant.Takes is null)
        {
            return;
        }

        foreach (RateTake take in grant.Takes)
        {
            if (take.ArrivedAt == long.MaxValue && (name is null || grant.Members[take.Member].Requirement.Name == name))
            {
                take.ArrivedAt = time;
                take.Window.Arrive(take.Amount, time);
                nextPass = Math.Min(nextPass, take.Window.NextEnd);
                isRateWakeStale = true;
            }
        }
    }

    private void EndRates(Grant grant)
    {
        if (grant.HasEnded)
        {
            return;
        }

        Arrive(grant, null);
        grant.HasEnded = true;
    }

    private void PassWindows()
    {
        nextPass = long.MaxValue;
        foreach (ResourceUnit unit in rated)
        {
            bool any = false;
            foreach (RateWindow window in unit.Rates!)
            {
                any |= window.Pass(time);
                nextPass = Math.Min(nextPass, window.NextEnd);
            }

            if (any)
            {
                Came(unit);
                isRateWakeStale = true;
            }
        }

        foreach ((string id, RateWindow[] windows) in gone)
        {
            foreach (RateWindow window in windows)
            {
                window.Pass(time);
                nextPass = Math.Min(nextPass, window.NextEnd);
            }

            if (Array.TrueForAll(windows, w => w.IsIdle))
            {
                gone.Remove(id);
            }
        }
    }

    private void AddRates(ResourceUnit unit)
    {
        if (unit.Rates is null)
        {
            return;
        }

        rated.Add(unit);
        if (gone.Remove(unit.Id, out RateWindow[]? before))
        {
            for (int i = 0; i < unit.Rates.Length; i++)
            {
                RateWindow made = unit.Rates[i];
                if (Array.Find(before, w => w.Name == made.Name && w.Length == made.Length) is { } known)
                {
                    known.SetLimit(made.Limit);
                    unit.Rates[i] = known;
                }
            }
        }
    }

    private void DropRates(ResourceUnit unit)
    {
        if (unit.Rates is not null && rated.Remove(unit) && !Array.TrueForAll(unit.Rates, w => w.IsIdle))
        {
            gone[unit.Id] = unit.Rates;
        }
    }

    private void UnitChanged(ResourceUnit unit)
    {
        unit.TypeState!.Changed(unit);
        isRateWakeStale |= unit.Rates is not null;
    }

    /// <summary>When enough of a window has passed for a request that waits for nothing else of its unit.</summary>
    private long NextRateWake()
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.RateWakeLost)) return long.MaxValue;
#endif
        if (rated.Count == 0 || (ratedShapes.Count == 0 && stuckSessions.Count == 0))
        {
            return long.MaxValue;
        }

        if (isRateWakeStale)
        {
            isRateWakeStale = false;
            rateWake = long.MaxValue;
            foreach (TaskShape shape in ratedShapes)
            {
                WakeFor(shape, holds.Count > 0 ? HeadOf(shape)?.Job : null);
            }

            foreach (Session session in stuckSessions)
            {
                if (session.Waiting.Min is { } head)
                {
                    WakeFor(head.Shape, head.Job);
                }
            }
        }

        return rateWake;
    }

    private void WakeFor(TaskShape shape, SchedulingJob? job)
    {
        foreach (Need need in shape.Needs)
        {
            if (need.Rates.Length == 0 || (shape.ParkedUnder ?? need.Type) != need.Type)
            {
                continue;
            }

            foreach (ResourceUnit unit in need.Type.Units)
            {
                if (unit.Rates is not null && unit.IsOpen && unit.Free - unit.Closed >= need.Amount && need.Match.Contains(unit.Index))
                {
                    WakeAt(unit.WhenRatesGive(need, null));
                    WakeAt(unit.WhenRatesGive(need, job));
                }
            }
        }
    }

    // Where there is room now it lacks something else, whose return wakes it.
    private void WakeAt(long when) => rateWake = when == 0 ? rateWake : Math.Min(rateWake, when);
}
