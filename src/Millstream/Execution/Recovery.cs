namespace Millstream;

/// <summary>A job as a store has it.</summary>
/// <param name="State">Its head and where its journal ends.</param>
/// <param name="Entries">All its entries.</param>
internal sealed record RecoveredJob(StoredJobState State, JournalEntry[] Entries)
{
    /// <summary>The number of its last entry that its parent's journal shows.</summary>
    public long Shown { get; init; }

    /// <summary>The last entry of a job that has ended, else null.</summary>
    public JournalEntry? Ending => Entries is [.., { IsEnding: true } last] ? last : null;
}

/// <summary>What a process that starts finds of jobs that nobody runs any more.</summary>
internal sealed class Recovery
{
    private readonly Lock _gate = new();
    private readonly Dictionary<JobId, RecoveredJob> _children = [];

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
        new() { Id = head.Id, Tenant = head.Tenant, Priority = head.Priority, Weight = head.Weight, Deadline = head.Deadline };

    /// <summary>Reads a whole job, its chain checked.</summary>
    /// <exception cref="JournalDamagedException">It is not what was written.</exception>
    public static async Task<RecoveredJob> ReadAsync(IJournalStorage storage, JobHead head, CancellationToken token)
    {
        List<JournalEntry> entries = [];
        Chain chain = Chain.Start(head.Id);
        await foreach (JournalRecord record in storage.ReadAsync(head.Id, 1, token))
        {
            if (record.First != entries.Count + 1)
                throw new JournalDamagedException(head.Id, record.First, $"should be at {entries.Count + 1}");
            entries.AddRange(EntryReader.Read(head.Id, record, chain, out chain));
        }
        return new RecoveredJob(new StoredJobState(head, entries.Count, chain), [.. entries]);
    }

    /// <summary>Takes over one child with its own children; null where another runner has it.</summary>
    public async Task<RecoveredJob?> TakeChildAsync(IJournalStorage storage, long runner, JobId id)
    {
        JobHead? head = (await storage.ClaimAsync(runner, id)).FirstOrDefault() ?? await storage.FindAsync(id);
        if (head is null || (head.Ended is null && head.Runner != runner))
            return null;
        RecoveredJob child = await ReadAsync(storage, head, default);
        await ReadChildrenAsync(storage, runner, child, new Dictionary<JobId, JobHead>(), default);
        return child;
    }

    /// <summary>Reads the children that a job has started and not heard of since, and theirs.</summary>
    public async Task ReadChildrenAsync(IJournalStorage storage, long runner, RecoveredJob parent, IReadOnlyDictionary<JobId, JobHead> claimed, CancellationToken token)
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
            JobHead? head = claimed.GetValueOrDefault(id) ?? (await storage.ClaimAsync(runner, id, token)).FirstOrDefault() ?? await storage.FindAsync(id, token);
            if (head is null)
                continue;
            RecoveredJob child = await ReadAsync(storage, head, token) with { Shown = shown.GetValueOrDefault(id) };
            lock (_gate)
                _children[id] = child;
            await ReadChildrenAsync(storage, runner, child, claimed, token);
        }
    }
}
