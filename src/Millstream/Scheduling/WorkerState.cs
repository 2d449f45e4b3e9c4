namespace Millstream;

/// <summary>One worker: its slots, the units it owns and the grants that run on it.</summary>
internal sealed class WorkerState(string id, string name, int slots)
{
    public string Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>The shell's own.</summary>
    public object? Tag { get; set; }

    public int Slots { get; } = slots;

    public int FreeSlots { get; set; } = slots;

    public int Index { get; set; }

    public Hold? HeldBy { get; set; }

    public List<ResourceUnit> Units { get; } = [];

    public Grant? FirstGrant { get; set; }

    public int FreeSlotsFor(SchedulingJob job) => HeldBy is null || HeldBy.Request.Job == job ? FreeSlots : FreeSlots - 1;

    public void Link(Grant grant)
    {
        grant.NextOnWorker = FirstGrant;
        if (FirstGrant is not null)
        {
            FirstGrant.PreviousOnWorker = grant;
        }

        FirstGrant = grant;
    }

    public void Unlink(Grant grant)
    {
        if (grant.PreviousOnWorker is null)
        {
            FirstGrant = grant.NextOnWorker;
        }
        else
        {
            grant.PreviousOnWorker.NextOnWorker = grant.NextOnWorker;
        }

        if (grant.NextOnWorker is not null)
        {
            grant.NextOnWorker.PreviousOnWorker = grant.PreviousOnWorker;
        }

        grant.NextOnWorker = grant.PreviousOnWorker = null;
    }
}
