namespace Millstream;

/// <summary>One resource as the scheduler sees it: owned by a worker, or pool-wide where <see cref="WorkerId"/> is null.</summary>
internal sealed class ResourceUnit
{
    public ResourceUnit(string id, string type, long capacity = 1, IReadOnlyDictionary<string, string>? labels = null)
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
    }

    public string Id { get; }

    public string Type { get; }

    public long Capacity { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The owner, or null where any worker may take a share.</summary>
    public string? WorkerId => Worker?.Id;

    /// <summary>The shell's own.</summary>
    public object? Tag { get; set; }

    /// <summary>What is not leased; below 0 when a settled use was greater than what was there.</summary>
    internal long Free { get; set; }

    internal string? OfflineReason { get; set; }

    internal long CoolUntil { get; set; }

    internal WorkerState? Worker { get; set; }

    internal ResourceType? TypeState { get; set; }

    /// <summary>The unit's bit in its type's bitmaps.</summary>
    internal int Index { get; set; } = -1;

    internal Hold? HeldBy { get; set; }

    internal long HeldAmount { get; set; }

    internal bool IsOpen => OfflineReason is null && CoolUntil == 0;

    /// <summary>What this job could take now.</summary>
    internal long FreeFor(SchedulingJob job)
    {
        if (!IsOpen)
        {
            return 0;
        }

        return HeldBy is null || HeldBy.Request.Job == job ? Free : Free - HeldAmount;
    }

    internal bool Gives(Need need, SchedulingJob job)
    {
        long free = FreeFor(job);
        return need.Shared ? free >= need.Amount : free == Capacity;
    }
}
