using System.Text.Json;

namespace Millstream.Simulation;

/// <summary>
/// Reads all that reaches the store, the moment it is durable, and checks it: nobody but a job's owner writes to it, records follow one another, the
/// head says what the journal says.
/// </summary>
internal sealed class StoreAudit(DurableHistory history)
{
    private readonly Dictionary<JobId, StoredRecord> _jobs = [];

    public IEnumerable<StoredRecord> Jobs => _jobs.Values;

    public StoredRecord? Find(JobId id) => _jobs.GetValueOrDefault(id);

    public void Appended(SimulatedProcess? by, IReadOnlyList<JobAppend> batch, AppendResult[] results)
    {
        List<StoredRecord> ended = [];
        for (int i = 0; i < batch.Count; i++)
        {
            if (results[i] == AppendResult.Appended && Append(by!, batch[i]) is { } last)
                ended.Add(last);
        }
        foreach (StoredRecord job in batch.Where((_, i) => results[i] == AppendResult.Appended).Select(a => _jobs[a.Job]))
            CheckPointers(job);
        foreach (StoredRecord job in ended)
            history.Ended(by!, job);
    }

    public void Claimed(IReadOnlyList<JobHead> claimed, long runner)
    {
        foreach (JobHead head in claimed)
        {
            StoredRecord job = _jobs[head.Id];
            if (history.IsAlive(job.Runner))
                Fail(job, $"runner {runner} took it from runner {job.Runner}, which lives");
            if (head.Epoch != ++job.Epoch || head.Runner != runner)
                Fail(job, $"it was claimed by runner {runner} under epoch {job.Epoch}, and its head says runner {head.Runner}, epoch {head.Epoch}");
            (job.Runner, job.ClaimedAt) = (runner, history.Time.Now);
        }
    }

    public void Offered(InboxEntry entry)
    {
        StoredRecord job = _jobs[entry.Job];
        job.Items.Add(entry.Number, (entry.Item, history.Time.Now));
        job.HasCancelOffer |= entry.Item.Kind == InboxKind.Cancel;
        if (entry.Item.Kind == InboxKind.Signal)
            job.OfferedValues.Add(JsonSerializer.Deserialize<int>(entry.Item.Payload.Span));
        else if (entry.Item.Kind == InboxKind.Answer)
            job.OfferedValues.Add(JsonSerializer.Deserialize<JsonElement>(entry.Item.Payload.Span).GetProperty("reply").GetInt32());
    }

    private StoredRecord? Append(SimulatedProcess by, JobAppend append)
    {
        if (!_jobs.TryGetValue(append.Job, out StoredRecord? job))
        {
            _jobs.Add(append.Job, job = new StoredRecord(append.Job));
            history.Ledger.Add(job.Record);
            CheckParent(job);
        }
        if (append.Epoch != job.Epoch)
            Fail(job, $"{by} wrote to it under epoch {append.Epoch}, and it has epoch {job.Epoch}");
        if (job.Ending is not null)
            Fail(job, $"{by} wrote {append.Record.Count} entries to it after its end");
        if (append.Record.Count > 0)
            Read(job, append);
        if (append.Head is { } head)
            CheckHead(job, head);
        foreach (long item in append.Taken)
            CheckTaken(job, item);
        if (append.Record.Count == 0 || job.Ending is null)
            return null;
        if (append.Head?.Ended is null)
            Fail(job, "its last entry was written and its head does not say that it has ended");
        return job;
    }

    private void Read(StoredRecord job, JobAppend append)
    {
        JournalRecord record = append.Record;
        List<(JournalEntry Entry, int Batch)> entries = job.Record.Journal.Entries;
        if (record.First != entries.Count + 1)
            Fail(job, $"a record from {record.First} on follows entry {entries.Count}");
        foreach (JournalEntry entry in EntryReader.Read(job.Record.Id, record, job.Chain, out Chain chain, Beside.Of(append.Blobs)))
        {
            job.Chain = chain;
            job.Add(entry, history.Time.Now);
        }
        if (!entries[^1].Entry.EndsTurn && !entries[^1].Entry.IsNote)
            Fail(job, $"a record ends with {entries[^1].Entry.Kind}, inside a turn");
    }

    private void CheckHead(StoredRecord job, JobHead head)
    {
        if (head.Ended is not null != job.Ending is not null)
            Fail(job, $"its head says {head.Status}, ended {head.Ended}, and its last entry is {job.Record.Journal.Entries[^1].Entry.Kind}");
        if (head.Ended is null && head.Status is JobStatus.Completed or JobStatus.Failed or JobStatus.Cancelled)
            Fail(job, $"its head says {head.Status}, and it has not ended");
        if (job.Head is { } before && (before.Deadline, before.Tenant, before.Priority, before.Weight, before.Created) != (head.Deadline, head.Tenant, head.Priority, head.Weight, head.Created))
            Fail(job, $"its head says {head}, and before {before}");
        job.Head = head;
        job.Runner = head.Runner;
    }

    // What leaves the inbox is in the journal, or has no effect any more.
    private void CheckTaken(StoredRecord job, long number)
    {
        if (!job.Items.Remove(number, out (InboxItem Item, long Time) taken))
        {
            Fail(job, $"item {number} was taken from its inbox twice");
            return;
        }
        InboxItem item = taken.Item;
        bool isThere = item.Kind switch
        {
            InboxKind.Signal => job.Entries.Exists(e => e.Entry.Kind == EntryKind.Signal
                && ((item.SenderId is not null && e.Entry.Subject == item.SenderId) || JobRecord.Int(e.Entry.Payload) == JsonSerializer.Deserialize<int>(item.Payload.Span))),
            InboxKind.Cancel => job.IsCancelling || job.HasReturned || job.Ending is not null,
            _ => !job.Open.Values.Any(e => e.Kind == EntryKind.QuestionAsked && item.SenderId!.StartsWith($"answer:{e.Subject}:", StringComparison.Ordinal)),
        };
        if (!isThere)
            Fail(job, $"item {number} (kind {item.Kind}, {item.SenderId}) was taken from its inbox and is not in its journal");
    }

    // A child is made after its command is durable.
    private void CheckParent(StoredRecord job)
    {
        string id = job.Record.Id.Value;
        int slash = id.LastIndexOf('/');
        if (slash >= 0 && Find(JobId.Parse(id[..slash]))?.Record.Commands.ContainsKey(int.Parse(id.AsSpan(slash + 1), provider: null)) != true)
            Fail(job, "it was started before its command was durable");
    }

    // What a parent shows of a child is there.
    private void CheckPointers(StoredRecord job)
    {
        foreach ((JobId child, long number) in job.NewPointers)
        {
            if (Find(child) is not { } known || known.Record.Journal.Entries.Count < number)
                Fail(job, $"it shows entry {number} of {child}, which is not durable");
        }
        job.NewPointers.Clear();
    }

    private void Fail(StoredRecord job, string what) => history.Fail($"{job.Record.Id}: {what}", job.Record);
}

/// <summary>What is durable of one job.</summary>
internal sealed class StoredRecord : IJournalView
{
    private int _batch;

    public StoredRecord(JobId id)
    {
        Record = new JobRecord(id, this);
        Chain = Chain.Start(id);
    }

    public JobRecord Record { get; }

    public List<(JournalEntry Entry, int Batch)> Entries { get; } = [];

    public List<long> AddedAt { get; } = [];

    public long Written => Entries.Count;

    public bool IsSettled => true;

    public bool IsClosed => Ending is not null;

    public Chain Chain { get; set; }

    public long Epoch { get; set; } = 1;

    public long Runner { get; set; }

    public long ClaimedAt { get; set; }

    public JobHead? Head { get; set; }

    public JournalEntry? Ending { get; private set; }

    public bool IsCancelling { get; private set; }

    public bool HasReturned { get; private set; }

    /// <summary>Whether a replay may begin in the middle.</summary>
    public bool HasCheckpoint { get; private set; }

    /// <summary>The last attempt of each task that a note tells of, and the epoch in which it began.</summary>
    public Dictionary<int, (int Attempt, long Epoch)> Attempts { get; } = [];

    /// <summary>The commands that have ended.</summary>
    public HashSet<int> Finished { get; } = [];

    /// <summary>The questions and timers that are open, by command.</summary>
    public Dictionary<int, JournalEntry> Open { get; } = [];

    public List<int> Events { get; } = [];

    /// <summary>Pointers to entries of children, each child's in order.</summary>
    public Dictionary<JobId, List<long>> Shown { get; } = [];

    public List<(JobId Child, long Number)> NewPointers { get; } = [];

    /// <summary>What lies in the inbox, and since when.</summary>
    public Dictionary<long, (InboxItem Item, long Time)> Items { get; } = [];

    /// <summary>Signals and answers that were ever put into the inbox.</summary>
    public HashSet<int> OfferedValues { get; } = [];

    public bool HasCancelOffer { get; set; }

    /// <summary>How often in a row something of it was found overdue.</summary>
    public int Overdue { get; set; }

    /// <summary>Since when.</summary>
    public long OverdueSince { get; set; }

    /// <summary>What readers saw, by number.</summary>
    public Dictionary<long, string> Seen { get; } = [];

    public void Add(JournalEntry entry, long now)
    {
        Entries.Add((entry, _batch));
        AddedAt.Add(now);
        if (entry.EndsTurn || entry.IsNote)
            _batch++;
        switch (entry.Kind)
        {
            case EntryKind.TaskStarted:
                Attempts[entry.Command] = (entry.Attempt, Epoch);
                break;
            case EntryKind.TimerSet or EntryKind.QuestionAsked:
                Open.Add(entry.Command, entry);
                break;
            case EntryKind.Event:
                Events.Add(((StoredPayload)entry.Payload!).Element.ValueKind == JsonValueKind.Number ? JobRecord.Int(entry.Payload) : 0);
                break;
            case EntryKind.ChildEntry:
                ChildPointer pointer = (ChildPointer)entry.Payload!;
                if (!Shown.TryGetValue(pointer.Child, out List<long>? shown))
                    Shown.Add(pointer.Child, shown = []);
                shown.Add(pointer.Number);
                NewPointers.Add((pointer.Child, pointer.Number));
                break;
            case EntryKind.JobCancelling:
                IsCancelling = true;
                break;
            case EntryKind.Checkpoint:
                HasCheckpoint = true;
                break;
            case EntryKind.JobReturned:
                HasReturned = true;
                break;
        }
        if (entry.IsDelivery && entry.Command > 0)
        {
            Open.Remove(entry.Command);
            Finished.Add(entry.Command);
        }
        if (entry.IsEnding)
            Ending = entry;
        bool isStop = entry.Kind is EntryKind.TaskStopping or EntryKind.TimerStopping or EntryKind.QuestionWithdrawing or EntryKind.ChildStopping;
        if (entry.IsCommand && entry.Command > 0)
            (isStop ? Record.Stops : Record.Commands).TryAdd(entry.Command, entry.Number);
    }
}
