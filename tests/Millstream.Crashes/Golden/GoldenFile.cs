using System.Text.Json;

namespace Millstream.Crashes.Golden;

/// <summary>
/// The records of a job and of its children as text, for any store: a line with the head of each job, what lies in its inbox, and its records in
/// base64. Beside it lies the stream as it was shown.
/// </summary>
internal sealed class GoldenFile
{
    private sealed record HeadLine(string Id, string AgentId, string AgentVersion, string Status, string? Detail, DateTimeOffset Created, DateTimeOffset? Ended)
    {
        public bool IsIdle { get; init; }

        public long Checkpoint { get; init; }
    }

    public required IReadOnlyList<(JobHead Head, IReadOnlyList<JournalRecord> Records, IReadOnlyList<InboxItem> Inbox)> Jobs { get; init; }

    /// <summary>What lies beside the records.</summary>
    public Dictionary<JobId, List<JournalBlob>> Blobs { get; } = [];

    /// <summary>What a store has of a job.</summary>
    public static async Task<GoldenFile> OfAsync(IJournalStorage store, JobId top, long runner)
    {
        List<(JobHead, IReadOnlyList<JournalRecord>, IReadOnlyList<InboxItem>)> jobs = [];
        GoldenFile file = new() { Jobs = jobs };
        IReadOnlyList<InboxEntry> inbox = await store.ReadInboxAsync(runner);
        await foreach (JobHead head in store.ListAsync(new JobHeadFilter { Children = true }))
        {
            if (head.Id != top && !head.Id.Value.StartsWith(top.Value + "/", StringComparison.Ordinal))
                continue;
            List<JournalRecord> records = [];
            await foreach (JournalRecord record in store.ReadAsync(head.Id, 1))
            {
                records.Add(record);
                foreach (BlobReference named in EntryReader.References(head.Id, record))
                    file.Add(head.Id, new JournalBlob(named.Hash, (await store.ReadBlobAsync(head.Id, named.Hash))!.Value));
            }
            jobs.Add((head, records, [.. inbox.Where(e => e.Job == head.Id).Select(e => e.Item)]));
        }
        return file;
    }

    public void Write(string path)
    {
        using StreamWriter to = new(path) { NewLine = "\n" };
        foreach ((JobHead head, IReadOnlyList<JournalRecord> records, IReadOnlyList<InboxItem> inbox) in Jobs)
        {
            to.WriteLine($"head {JsonSerializer.Serialize(new HeadLine(head.Id.Value, head.AgentId, head.AgentVersion, head.Status.ToString(), head.Detail, head.Created, head.Ended) { IsIdle = head.IsIdle, Checkpoint = head.Checkpoint })}");
            foreach (JournalRecord record in records)
                to.WriteLine(FormattableString.Invariant($"record {record.First} {record.Count} {Convert.ToBase64String(record.Bytes.Span)}"));
            foreach (JournalBlob blob in Blobs.GetValueOrDefault(head.Id) ?? [])
                to.WriteLine($"blob {blob.Hash} {Convert.ToBase64String(blob.Bytes.Span)}");
            foreach (InboxItem item in inbox)
                to.WriteLine(FormattableString.Invariant($"inbox {item.Kind} {item.SenderId ?? "-"} {Convert.ToBase64String(item.Payload.Span)}"));
        }
    }

    public static GoldenFile Read(string path)
    {
        List<(JobHead Head, IReadOnlyList<JournalRecord>, IReadOnlyList<InboxItem>)> jobs = [];
        GoldenFile file = new() { Jobs = jobs };
        List<JournalRecord> records = [];
        List<InboxItem> inbox = [];
        foreach (string line in File.ReadLines(path))
        {
            string[] words = line.Split(' ', 2);
            if (words[0] == "head")
            {
                HeadLine head = JsonSerializer.Deserialize<HeadLine>(words[1])!;
                jobs.Add((new JobHead
                {
                    Id = JobId.Parse(head.Id), AgentId = head.AgentId, AgentVersion = head.AgentVersion, Status = Enum.Parse<JobStatus>(head.Status), Detail = head.Detail,
                    Created = head.Created, Ended = head.Ended, IsIdle = head.IsIdle, Checkpoint = head.Checkpoint,
                }, records = [], inbox = []));
                continue;
            }
            string[] rest = words[1].Split(' ');
            if (words[0] == "record")
                records.Add(new JournalRecord(Number(rest[0]), (int)Number(rest[1]), Convert.FromBase64String(rest[2])));
            else if (words[0] == "blob")
                file.Add(jobs[^1].Head.Id, new JournalBlob(rest[0], Convert.FromBase64String(rest[1])));
            else
                inbox.Add(new InboxItem((byte)Number(rest[0]), rest[1] == "-" ? null : rest[1], Convert.FromBase64String(rest[2])));
        }
        return file;
    }

    /// <summary>A store that holds it, with no runner alive.</summary>
    public async Task<MemoryJournalStorage> StoreAsync()
    {
        MemoryJournalStorage store = new();
        foreach ((JobHead head, IReadOnlyList<JournalRecord> records, IReadOnlyList<InboxItem> inbox) in Jobs)
        {
            foreach (JournalRecord record in records)
                await AppendAsync(new JobAppend { Job = head.Id, Epoch = 1, Record = record, Blobs = record.First == 1 ? Blobs.GetValueOrDefault(head.Id) ?? [] : [], Head = record.First == 1 ? head with { Ended = null } : null });
            foreach (InboxItem item in inbox)
                Assert.Equal(OfferResult.Accepted, await store.OfferAsync(head.Id, item));
            JournalRecord last = records[^1];
            await AppendAsync(new JobAppend { Job = head.Id, Epoch = 1, Record = new JournalRecord(last.First + last.Count, 0, default), Head = head });
        }
        return store;

        async Task AppendAsync(JobAppend append) => Assert.Equal([AppendResult.Appended], await store.AppendAsync([append]));
    }

    private void Add(JobId job, JournalBlob blob)
    {
        if (!Blobs.TryGetValue(job, out List<JournalBlob>? blobs))
            Blobs.Add(job, blobs = []);
        if (!blobs.Exists(b => b.Hash == blob.Hash))
            blobs.Add(blob);
    }

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
