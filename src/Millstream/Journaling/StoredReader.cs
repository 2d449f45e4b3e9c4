namespace Millstream;

/// <summary>Reads a job's entries from a store, those of its children looked up.</summary>
/// <param name="storage">The store.</param>
/// <param name="job">The job.</param>
/// <param name="contract">The types of its agent; null where they are not at hand, and then its events stay JSON.</param>
internal sealed class StoredReader(IJournalStorage storage, JobId job, AgentContract? contract)
{
    private const int AtOnce = 512;

    /// <summary>Entries from a number on, some hundred; none where there are none yet.</summary>
    public async Task<IReadOnlyList<JournalEntry>> ReadAsync(long from, CancellationToken token)
    {
        List<JournalEntry> entries = [];
        await foreach (JournalRecord record in storage.ReadAsync(job, from, token))
        {
            foreach (JournalEntry entry in EntryReader.Read(job, record, null, out _, await Beside.LoadAsync(storage, job, record, token)))
            {
#if MILLSTREAM_PLANTED_BUGS
                if (PlantedBugs.Is(Bug.StoredReaderSkips) && entry.Number == from && from > 3) continue;
#endif
                if (entry.Number >= from)
                    entries.Add(Typed(entry));
            }
            if (entries.Count >= AtOnce)
                break;
        }
        await ResolveAsync(entries, from, token);
        return entries;
    }

    private JournalEntry Typed(JournalEntry entry)
    {
        PayloadType? type = entry.Kind switch { EntryKind.Event => contract?.Event, EntryKind.Signal => contract?.Signal, _ => null };
        if (type is null || entry.Payload is not StoredPayload stored)
            return entry;
        return new JournalEntry(entry.Kind, entry.Time) { Number = entry.Number, Subject = entry.Subject, Payload = type.Read(stored.Json.Span), PayloadType = type, EndsTurn = entry.EndsTurn };
    }

    /// <summary>Looks up what entries of the job show of its children.</summary>
    /// <param name="entries">The entries; those that show something are replaced.</param>
    /// <param name="from">The first number wanted.</param>
    /// <param name="token">Stops it.</param>
    public async Task ResolveAsync(IList<JournalEntry> entries, long from, CancellationToken token)
    {
        foreach (IGrouping<JobId, (int Index, long Number)> child in entries.Select((entry, index) => (entry, index)).Where(e => e.entry.Number >= from && e.entry.Payload is ChildPointer)
            .Select(e => (Pointer: (ChildPointer)e.entry.Payload!, e.index)).GroupBy(e => e.Pointer.Child, e => (Index: e.index, e.Pointer.Number)))
        {
            Dictionary<long, JournalEntry> found = await FindAsync(child.Key, [.. child.Select(c => c.Number)], token);
            // A fork shows what the children of the other job have done, and may outlive them.
            bool isGone = found.Count == 0 && await storage.FindAsync(child.Key, token) is null;
            foreach ((int index, long number) in child)
            {
                if (isGone)
                {
                    entries[index] = new JournalEntry(EntryKind.Trimmed, entries[index].Time) { Number = entries[index].Number, Payload = new TrimmedRange("child") { To = entries[index].Number } };
                    continue;
                }
                if (!found.TryGetValue(number, out JournalEntry? entry))
                    throw new JournalDamagedException(child.Key, number, $"is missing, though the journal of job {job} names it");
                entries[index] = new JournalEntry(EntryKind.ChildEntry, entries[index].Time) { Number = entries[index].Number, Subject = child.Key.Value, Payload = new ChildPointer(child.Key, entry, number) };
            }
        }
    }

    private async Task<Dictionary<long, JournalEntry>> FindAsync(JobId child, HashSet<long> wanted, CancellationToken token)
    {
        StoredReader reader = new(storage, child, null);
        Dictionary<long, JournalEntry> found = [];
        long next = wanted.Min();
        while (found.Count < wanted.Count)
        {
            IReadOnlyList<JournalEntry> read = await reader.ReadAsync(next, token);
            if (read.Count == 0)
                return found;
            foreach (JournalEntry entry in read.Where(e => wanted.Contains(e.Number)))
                found[entry.Number] = entry;
            next = read[^1].Number + 1;
        }
        return found;
    }
}
