namespace Millstream;

/// <summary>One resource as the scheduler sees it: owned by a worker, or pool-wide where <see cref="WorkerId"/> is null.</summary>
internal sealed class ResourceUnit
{
    public ResourceUnit(string id, string type, long capacity = 1, IReadOnlyDictionary<string, string>? labels = null, IReadOnlyList<RateLimit>? rates = null)
    {
        if (capacity < 1)
        {
            throw new ArgumentException($"The capacity of {type} {id} is {capacity}; give 1 or more.", nameof(capacity));
        }

        Id = id;
        Type = type;
        Capacity = capacity;
        Labels = labels ?? LabelSelector.NoLabels;
        Free = capacity;
        Rates = rates is { Count: > 0 } ? [.. rates.Select(r => new RateWindow(r.Name, r.Limit, r.Window.Ticks))] : null;
    }

    public string Id { get; }

    public string Type { get; }

    public long Capacity { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The owner, or null where any worker may take a share.</summary>
    public string? WorkerId => Worker?.Id;

    /// <summary>Shared needs take from a lower one first.</summary>
    public int Tier { get; init; }

    /// <summary>Shared needs take from that of which least is leased, divided by this.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The shell's own.</summary>
    public object? Tag { get; set; }

    /// <summary>What is not leased; below 0 when a settled use was greater than what was there.</summary>
    internal long Free { get; set; }

    /// <summary>What of its capacity is given to nobody.</summary>
    internal long Closed { get; set; }

    /// <summary>What it takes in a window of time; null where nothing limits that.</summary>
    internal RateWindow[]? Rates { get; }

    internal string? CoolReason { get; set; }

    internal string? OfflineReason { get; set; }

    internal long CoolUntil { get; set; }

    internal WorkerState? Worker { get; set; }

    internal ResourceType? TypeState { get; set; }

    /// <summary>The unit's bit in its type's bitmaps.</summary>
    internal int Index { get; set; } = -1;

    internal Hold? HeldBy { get; set; }

    internal long HeldAmount { get; set; }

    /// <summary>Whether it matters which worker's unit is taken.</summary>
    internal bool IsRanked => Worker is not null && (Tier != 0 || Weight != 1);

    internal bool IsOpen => OfflineReason is null && CoolUntil == 0;

    /// <summary>What could be taken now if nothing were held.</summary>
    internal long Room => IsOpen ? Free - Closed : 0;

    /// <summary>Which other units have the same labels.</summary>
    internal UnitKind? Kind { get; set; }

    /// <summary>The match that has looked at it.</summary>
    internal long OfferedIn { get; set; }

    /// <summary>Whether its type counts it among those that have something to give.</summary>
    internal bool IsAvailable { get; set; }

    /// <summary>Whether its type has it among those that came back.</summary>
    internal bool HasCome { get; set; }

    /// <summary>What this job could take now.</summary>
    internal long FreeFor(SchedulingJob job)
    {
        if (!IsOpen)
        {
            return 0;
        }

        return Free - Closed - (HeldBy is null || HeldBy.Request.Job == job ? 0 : HeldAmount);
    }

    internal bool Gives(Need need, SchedulingJob job)
    {
        long free = FreeFor(job);
        return need.Shared ? free >= need.Amount && RatesGive(need, job) : free == Capacity;
    }

    /// <summary>The window of a rate; null where it has none of that name.</summary>
    internal RateWindow? RateNamed(string name) => Rates is null ? null : Array.Find(Rates, w => w.Name == name);

    /// <summary>Whether its windows have room for a need.</summary>
    /// <param name="need">The need.</param>
    /// <param name="job">Whose it is; null to leave out what is held for others.</param>
    internal bool RatesGive(Need need, SchedulingJob? job) => Rates is null || need.Rates.Length == 0 || WhenRatesGive(need, job) == 0;

    /// <summary>When its windows have room: 0 for now, <see cref="long.MaxValue"/> where that depends on more than time.</summary>
    internal long WhenRatesGive(Need need, SchedulingJob? job)
    {
        long when = 0;
        foreach (RateAmount rate in need.Rates)
        {
            if (RateNamed(rate.Name) is { } window)
            {
                when = Math.Max(when, window.When(rate.Amount + window.Room - RoomFor(window, job)));
            }
        }

        return when;
    }

    /// <summary>Whether its limits would ever do.</summary>
    internal bool RatesSuffice(Need need)
    {
        if (Rates is not null)
        {
            foreach (RateAmount rate in need.Rates)
            {
                if (RateNamed(rate.Name) is { } window && window.Limit < rate.Amount)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What of a rate this job could take now.</summary>
    internal long RoomFor(RateWindow window, SchedulingJob? job) => window.Room - (job is null || HeldBy is null || HeldBy.Request.Job == job ? 0 : window.Held);
}
