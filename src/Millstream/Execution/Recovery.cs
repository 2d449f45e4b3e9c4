namespace Millstream;

/// <summary>A job as a store has it.</summary>
/// <param name="State">Its head and where its journal ends.</param>
/// <param name="Entries">Its entries, all or from its checkpoint on.</param>
internal sealed record RecoveredJob(StoredJobState State, JournalEntry[] Entries)
{
    /// <summary>The number of its last entry that its parent's journal shows.</summary>
    public long Shown { get; init; }

    /// <summary>What outsiders hold of it.</summary>
    public JobTies Ties { get; init; } = new();

    /// <summary>The last entry of a job that has ended, else null.</summary>
    public JournalEntry? Ending => Entries is [.., { IsEnding: true } last] ? last : null;
}

/// <summary>What is found of a job's children when it is taken up again.</summary>
/// <param name="time">What the clocks of the job and its children must not be behind of, in UTC ticks.</param>
internal sealed class Recovery(long time = 0)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<JobId, RecoveredJob> _children = [];
    private readonly Dictionary<JobId, long> _shown = [];

    /// <summary>The last entry that its parent's journal shows of a child that could not be taken up with it.</summary>
    public long ShownOf(JobId child)
    {
        lock (_gate)
            return _shown.GetValueOrDefault(child);
    }

    /// <summary>The job with a clock that is not behind what it had reached in this process.</summary>
    public RecoveredJob NotBefore(RecoveredJob job) => job.State.Time >= time ? job : job with { State = job.State with { Time = time } };

    /// <summary>A child of a job that is taken up again; each is given once.</summary>
    public RecoveredJob? TakeChild(JobId id)
    {
        lock (_gate)
            return _children.Remove(id, out RecoveredJob? child) ? child : null;
    }

#if MILLSTREAM_PLANTED_BUGS
    public static JobOptions OptionsOf(JobHead head) => PlantedBugs.Is(Bug.DeadlineForgotten) ? Options(head) with { Deadline = null } : Options(head);

    private static JobOptions Options(JobHead head) =>
#else
    public static JobOptions OptionsOf(JobHead head) =>
#endif
        new() { Id = head.Id, Name = head.Name, Tenant = head.Tenant, Priority = head.Priority, Weight = head.Weight, Deadline = head.Deadline };

    /// <summary>Reads what a replay needs of a job, its chain checked.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="head">The job's head.</param>
    /// <param name="from">The first entry wanted; 0 for the head's checkpoint, or the beginning.</param>
    /// <param name="token">Stops reading.</param>
    /// <exception cref="JournalDamagedException">It is not what was written.</exception>
    public static async Task<RecoveredJob> ReadAsync(IJournalStorage storage, JobHead head, long from, CancellationToken token)
    {
        from = Math.Max(1, from == 0 ? head.Checkpoint : Math.Min(from, Math.Max(1, head.Checkpoint)));
        List<JournalEntry> entries = [];
        Chain? chain = Chain.Start(head.Id);
        long next = 1;
        if (from > 1)
            (chain, next) = (null, await RecordBeforeAsync(storage, head.Id, from, token));
        bool isFirst = true;
        long bytes = 0;
        await foreach (JournalRecord record in storage.ReadAsync(head.Id, next, token))
        {
            if (isFirst && from > 1)
                next = record.First;
            if (record.First != next)
                throw new JournalDamagedException(head.Id, record.First, $"should be at {next}");
            Beside? beside = await Beside.LoadAsync(storage, head.Id, record, token);
            List<JournalEntry> read = EntryReader.Read(head.Id, record, isFirst && record.First == 1 ? Chain.Start(head.Id) : chain, out Chain after, beside);
            (chain, next, isFirst) = (after, next + record.Count, false);
            bytes += record.Bytes.Length + (beside?.Size ?? 0);
            entries.AddRange(record.First >= from ? read : read.Where(e => e.Number >= from));
        }
        if (isFirst)
            throw new JournalDamagedException(head.Id, from, "is missing");
        return new RecoveredJob(new StoredJobState(head, next - 1, chain!.Value, bytes, entries[^1].Time), [.. entries]);
    }

    /// <summary>Takes over one child with its own children; null where another runner has it.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="runner">The parent's runner.</param>
    /// <param name="id">The child.</param>
    /// <param name="shown">The last entry of it that its parent's journal shows.</param>
    public async Task<RecoveredJob?> TakeChildAsync(IJournalStorage storage, long runner, JobId id, long shown)
    {
        JobHead? head = (await storage.ClaimAsync(runner, id)).FirstOrDefault() ?? await storage.FindAsync(id);
        if (head is null || (head.Ended is null && head.Runner != runner))
            return null;
        RecoveredJob child = NotBefore(await ReadAsync(storage, head, 1, default) with { Shown = shown });
        await new StoredReader(storage, id, null).ResolveAsync(child.Entries, shown + 1, default);
        await ReadChildrenAsync(storage, runner, child, new Dictionary<JobId, JobHead>(), null, default);
        return child;
    }

    /// <summary>Reads the children that a job has started and not heard of since, and theirs.</summary>
    public async Task ReadChildrenAsync(IJournalStorage storage, long runner, RecoveredJob parent, IReadOnlyDictionary<JobId, JobHead> claimed, DormantJob? dormant, CancellationToken token)
    {
        HashSet<string> open = new(StringComparer.Ordinal);
        Dictionary<JobId, long> shown = [];
        foreach (JournalEntry entry in parent.Entries)
        {
            if (entry.Payload is ChildPointer pointer)
                shown[pointer.Child] = pointer.Number;
            else if (entry.Kind == EntryKind.ChildStarted)
                open.Add(entry.Subject!);
            else if (entry.Kind is EntryKind.ChildCompleted or EntryKind.ChildFailed or EntryKind.ChildCancelled)
                open.Remove(entry.Subject!);
        }
        foreach (JobId id in open.Select(JobId.Parse))
        {
            JobHead? head = claimed.GetValueOrDefault(id) ?? await storage.FindAsync(id, token);
            if (head is { Ended: null } && head.Runner != runner)
                head = (await storage.ClaimAsync(runner, id, token)).FirstOrDefault();
            long known = shown.GetValueOrDefault(id);
            // Where another runner has it, the parent asks for it until it is free.
            if (head is null)
            {
                lock (_gate)
                    _shown[id] = known;
                continue;
            }
            RecoveredJob child = NotBefore(await ReadAsync(storage, head, known + 1, token) with { Shown = known, Ties = dormant?.TiesOf(id) ?? new JobTies() });
            // What its parent does not show yet will be shown, and read from memory.
            await new StoredReader(storage, id, null).ResolveAsync(child.Entries, known + 1, token);
            lock (_gate)
                _children[id] = child;
            await ReadChildrenAsync(storage, runner, child, claimed, dormant, token);
        }
    }

    // The record before the one that holds the entry: from it the chain can be checked.
    private static async Task<long> RecordBeforeAsync(IJournalStorage storage, JobId job, long number, CancellationToken token)
    {
        await foreach (JournalRecord record in storage.ReadAsync(job, number, token))
            return Math.Max(1, record.First - 1);
        throw new JournalDamagedException(job, number, "is missing");
    }
}
