using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What a store has of a job by now, without waiting for more.</summary>
internal static class StoredEvents
{
    /// <summary>The entries from a number on.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="head">The job.</param>
    /// <param name="from">The first number wanted.</param>
    public static async IAsyncEnumerable<JobEvent> ReadAsync(IJournalStorage storage, JobHead head, long from = 1)
    {
        StoredReader reader = new(storage, head.Id, null);
        while (await reader.ReadAsync(from, default) is { Count: > 0 } entries)
        {
            foreach (JournalEntry entry in entries)
                yield return FileWorkflowEvent.Show(new EntryEvent(head.Id, entry, entry.Number));
            from = (entries[^1].Payload is TrimmedRange range ? range.To : entries[^1].Number) + 1;
        }
    }

    /// <summary>The records of a job as lines of JSON, byte for byte.</summary>
    public static IAsyncEnumerable<string> RecordLinesAsync(IJournalStorage storage, JobHead head) => RecordLines.ReadAsync(storage, head.Id).Select(RecordLines.Write);

    /// <summary>What a workflow file's job was started with; null for a job of another agent.</summary>
    public static async Task<FileWorkflowInput?> InputAsync(IJournalStorage storage, JobHead head)
    {
        if (head.AgentId != FileWorkflowAgent.AgentId)
            return null;
        return await InputJsonAsync(storage, head) is { } input ? FileWorkflowEvent.InputOf(input) : null;
    }

    /// <summary>What a job was started with; null where its first entry is not there.</summary>
    public static async Task<JsonElement?> InputJsonAsync(IJournalStorage storage, JobHead head)
    {
        IReadOnlyList<JournalEntry> first = await new StoredReader(storage, head.Id, null).ReadAsync(1, default);
        return first is [{ Payload: StartOf { Input: StoredPayload input } }, ..] ? input.Element : null;
    }
}
