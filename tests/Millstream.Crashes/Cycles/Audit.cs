namespace Millstream.Crashes.Cycles;

/// <summary>Reads a journal that nobody writes: chains checked, all that was shown there, ended tasks put into the ledger.</summary>
internal static class Audit
{
    public static async Task<IReadOnlyList<JobHead>> RunAsync(IJournalStorage store, Ledger ledger, Func<JobId, JournalEntry, string?> key)
    {
        List<JobHead> heads = [];
        await foreach (JobHead head in store.ListAsync(new JobHeadFilter { Children = true }))
        {
            heads.Add(head);
            try
            {
                RecoveredJob job = await Recovery.ReadAsync(store, head, 1, CancellationToken.None);
                foreach (JournalEntry entry in job.Entries.Where(e => e.Kind is EntryKind.TaskCompleted or EntryKind.TaskFailed or EntryKind.TaskCancelled))
                {
                    if (key(head.Id, entry) is { } finished)
                        ledger.Finish(finished);
                }
                // What a killed process had asked a server to commit may be there only after the list was read, but never without its head.
                JobHead now = head.Ended is null && job.Ending is not null ? await store.FindAsync(head.Id) ?? head : head;
                if (job.Ending is null != now.Ended is null)
                    ledger.Fault($"the head of {head.Id} says {head.Status}, and its last entry is {job.Entries[^1].Kind}");
                if (ledger.NextOf(head.Id.Value) > job.Entries.Length + 1)
                    ledger.Fault($"{head.Id} has {job.Entries.Length} entries, and entry {ledger.NextOf(head.Id.Value) - 1} was shown");
            }
            catch (JournalDamagedException e)
            {
                ledger.Fault(e.Message);
            }
        }
        return heads;
    }

    /// <summary>The idempotency key of a task, as its code sees it.</summary>
    public static string KeyOf(JobId job, JournalEntry entry) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{job}/{entry.Command}");

    /// <summary>The stream as it is stored now, as lines.</summary>
    public static async Task<List<string>> LinesAsync(IJournalStorage store, JobHead head)
    {
        List<string> lines = [];
        StoredReader reader = new(store, head.Id, null);
        while (await reader.ReadAsync(lines.Count + 1, default) is { Count: > 0 } entries)
            lines.AddRange(entries.Select(e => new EntryEvent(head.Id, e, e.Number).ToJson()));
        return lines;
    }
}
