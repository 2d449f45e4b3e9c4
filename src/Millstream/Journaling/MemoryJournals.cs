namespace Millstream;

/// <summary>What store objects in memory share. All is called under <see cref="Gate"/>.</summary>
internal sealed class MemoryJournals(long maxBytes)
{
    // What the objects around the bytes cost, roughly: without it, many small records would use several times the bound.
    private const int JobBytes = 512, RecordBytes = 64, ItemBytes = 128;

    private readonly Dictionary<JobId, MemoryJob> _jobs = [];
    private readonly SortedDictionary<long, MemoryJob> _inOrder = [];
    private long _lastJob;
    private long _lastItem;
    private long _bytes;

    public Lock Gate { get; } = new();

    public List<MemoryJournalStorage> Stores { get; } = [];

    public HashSet<long> Living { get; } = [];

    public long LastRunner { get; set; }

    public IEnumerable<MemoryJob> Jobs => _inOrder.Values;

    public MemoryJob? Find(JobId id) => _jobs.GetValueOrDefault(id);

    public AppendResult[] Append(IReadOnlyList<JobAppend> batch)
    {
        AppendResult[] results = [.. batch.Select(Judge)];
        long more = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            if (results[i] != AppendResult.Appended)
                continue;
            more += batch[i].Record.Count > 0 ? batch[i].Record.Bytes.Length + RecordBytes : 0;
            more += New(batch[i]).Sum(b => b.Bytes.Length + (long)ItemBytes);
            more += Find(batch[i].Job) is { } job ? -job.Items.Where(e => batch[i].Taken.Contains(e.Number)).Sum(Cost) : JobBytes;
        }
        Reserve(more, "append");
        for (int i = 0; i < batch.Count; i++)
        {
            if (results[i] == AppendResult.Appended)
                Append(batch[i]);
        }
        return results;
    }

    public IReadOnlyList<JournalRecord> Read(JobId id, long from, int most)
    {
        if (Find(id) is not { } job)
            return [];
        int low = 0, high = job.Records.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (job.Records[middle].First + job.Records[middle].Count <= from)
                low = middle + 1;
            else
                high = middle;
        }
        return job.Records.GetRange(low, Math.Min(most, job.Records.Count - low));
    }

    public ReadOnlyMemory<byte>? ReadBlob(JobId id, string hash) => Find(id)?.Blobs.GetValueOrDefault(hash) is { } bytes ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null;

    public IReadOnlyList<JobHead> Claim(long runner, JobId? id)
    {
        IEnumerable<MemoryJob> asked = id is { } one ? Find(one) is { } job ? [job] : [] : Jobs;
        List<JobHead> claimed = [];
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ClaimsLivingJobs)) Living.RemoveWhere(r => r != runner);
#endif
        foreach (MemoryJob free in asked.Where(j => j.Head.Ended is null && !Living.Contains(j.Head.Runner)))
        {
            free.Head = free.Head with { Runner = runner, Epoch = free.Head.Epoch + 1, Restarts = free.Head.Restarts + (free.Head.Runner == 0 ? 0 : 1) };
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.ClaimKeepsEpoch)) free.Head = free.Head with { Epoch = free.Head.Epoch - 1 };
#endif
            claimed.Add(free.Head);
        }
        return claimed;
    }

    public OfferResult Offer(JobId id, InboxItem item)
    {
        if (Find(id) is not { } job)
            return OfferResult.UnknownJob;
        if (job.Head.Ended is not null)
            return OfferResult.JobEnded;
        if (item.SenderId is not null && job.Items.Any(e => e.Item.SenderId == item.SenderId))
            return OfferResult.Duplicate;
        InboxEntry entry = new(id, _lastItem + 1, item with { Payload = item.Payload.ToArray() });
        Reserve(Cost(entry), "offer");
        _lastItem++;
        job.Items.Add(entry);
        return OfferResult.Accepted;
    }

    public IReadOnlyList<InboxEntry> ReadInbox(long runner) =>
        [.. Jobs.Where(j => j.Head.Runner == runner && j.Items.Count > 0).SelectMany(j => j.Items).OrderBy(e => e.Number)];

    public bool Remove(JobId id)
    {
        if (Find(id) is not { Head.Ended: not null } job)
            return false;
        _bytes -= JobBytes + job.Records.Sum(r => (long)r.Bytes.Length + RecordBytes) + job.Items.Sum(Cost) + job.Blobs.Values.Sum(b => b.Length + (long)ItemBytes);
        _inOrder.Remove(job.Order);
        return _jobs.Remove(id);
    }

    private AppendResult Judge(JobAppend append)
    {
        bool creates = append is { Epoch: 1, Record: { First: 1, Count: > 0 } };
        if (Find(append.Job) is not { } job)
            return creates ? AppendResult.Appended : AppendResult.UnknownJob;
        if (creates)
            return AppendResult.Conflict;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.EpochNotChecked)) return append.Record.First == job.Next ? AppendResult.Appended : AppendResult.Conflict;
#endif
        if (append.Epoch < job.Head.Epoch)
            return AppendResult.Fenced;
        return append.Epoch == job.Head.Epoch && append.Record.First == job.Next ? AppendResult.Appended : AppendResult.Conflict;
    }

    private void Append(JobAppend append)
    {
        if (Find(append.Job) is not { } job)
        {
            job = new MemoryJob(++_lastJob, append.Head! with { Epoch = 1 });
            _inOrder.Add(job.Order, job);
            _jobs.Add(append.Job, job);
        }
        else if (append.Head is { } head)
        {
            job.Head = head with { Epoch = job.Head.Epoch };
        }
        if (append.Record.Count > 0)
            job.Records.Add(append.Record with { Bytes = append.Record.Bytes.ToArray() });
        foreach (JournalBlob blob in New(append))
            job.Blobs[blob.Hash] = blob.Bytes.ToArray();
        if (append.Taken.Count > 0)
            job.Items.RemoveAll(e => append.Taken.Contains(e.Number));
    }

    // What is not there yet, each once.
    private IEnumerable<JournalBlob> New(JobAppend append) =>
        append.Blobs.Count == 0 ? [] : append.Blobs.DistinctBy(b => b.Hash).Where(b => Find(append.Job)?.Blobs.ContainsKey(b.Hash) != true).ToArray();

    private void Reserve(long more, string what)
    {
        if (more > 0 && _bytes + more > maxBytes)
            throw new JournalStorageException($"The {what} does not fit into the journals in memory: they use {_bytes} bytes, it needs {more} more, and {nameof(maxBytes)} is {maxBytes}. "
                + $"Nothing of it was stored. Remove ended jobs, give new {nameof(MemoryJournalStorage)}({nameof(maxBytes)}) more, or use a store on disk.");
        _bytes += more;
    }

    private static long Cost(InboxEntry entry) => entry.Item.Payload.Length + ItemBytes;
}

/// <summary>A job's journal in memory.</summary>
internal sealed class MemoryJob(long order, JobHead head)
{
    public long Order { get; } = order;

    public JobHead Head { get; set; } = head;

    public List<JournalRecord> Records { get; } = [];

    public List<InboxEntry> Items { get; } = [];

    public Dictionary<string, byte[]> Blobs { get; } = new(StringComparer.Ordinal);

    public long Next => Records.Count == 0 ? 1 : Records[^1].First + Records[^1].Count;
}
