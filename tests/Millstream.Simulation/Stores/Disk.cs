namespace Millstream.Simulation;

/// <summary>What simulated processes share: journals that outlive them, and the store objects on it.</summary>
internal sealed class Disk(StoreAudit? audit = null)
{
    public MemoryJournals Journals { get; } = new(long.MaxValue);

    public List<SimulatedStore> Stores { get; } = [];

    public AppendResult[] Append(SimulatedStore by, IReadOnlyList<JobAppend> batch)
    {
        AppendResult[] results = Journals.Append(batch);
        if (results.Contains(AppendResult.Appended))
            TellOthers(by);
        audit?.Appended(by.Process, batch, results);
        return results;
    }

    public IReadOnlyList<JobHead> Claim(SimulatedStore by, long runner, JobId? job)
    {
        IReadOnlyList<JobHead> claimed = Journals.Claim(runner, job);
        if (claimed.Count > 0)
            TellOthers(by);
        audit?.Claimed(claimed, runner);
        return claimed;
    }

    public OfferResult Offer(SimulatedStore by, JobId job, InboxItem item)
    {
        OfferResult result = Journals.Offer(job, item);
        if (result != OfferResult.Accepted)
            return result;
        TellOthers(by);
        audit?.Offered(Journals.Find(job)!.Items[^1]);
        return result;
    }

    public bool Remove(SimulatedStore by, JobId job)
    {
        bool isRemoved = Journals.Remove(job);
        if (isRemoved)
            TellOthers(by);
        return isRemoved;
    }

    /// <summary>From now on the jobs of these runners can be claimed, whether or not they live.</summary>
    public void DeclareDead(SimulatedStore store, IEnumerable<long> runners)
    {
        Journals.Living.ExceptWith(runners);
        TellOthers(store);
    }

    private void TellOthers(SimulatedStore by)
    {
        for (int i = 0; i < Stores.Count; i++)
        {
            if (Stores[i] != by)
                Stores[i].Changed();
        }
    }
}
