namespace Millstream;

/// <summary>Told what a store made of a job's appends.</summary>
internal interface IJournalOwner
{
    /// <summary>The head to write, or null where it has not changed.</summary>
    /// <param name="hasEnding">Whether the last entry is in what is written; until then the job has not ended for anybody.</param>
    JobHead? TakeHead(bool hasEnding);

    /// <summary>Whether a parent shows its entries.</summary>
    bool HasParent { get; }

    /// <summary>Entries that a parent shows are stored; in their order.</summary>
    void Show(IReadOnlyList<JournalEntry> entries);

    /// <summary>The store has what was taken last.</summary>
    void Written();

    /// <summary>The store refused: somebody else has the job, or nothing can be stored.</summary>
    void Refused(AppendResult result, JournalStorageException? error);
}

/// <summary>
/// A job's journal in a store. Entries get their numbers at once and are shown when the store has them. Only the newest stay in memory; readers
/// that are further behind read from the store.
/// </summary>
internal sealed class StoredJobJournal : JobJournal
{
    private const int Kept = 1024;

    /// <summary>Bytes below which a replay takes about as long as the read of its record, so that a checkpoint is not worth one.</summary>
    public const long MinCheckpoint = 16 * 1024;

    private readonly JournalWriter _writer;
    private readonly IJournalOwner _owner;
    private readonly JobId _job;
    private readonly long _minCheckpoint;
    private readonly Func<StoredReader> _reader;
    private readonly EntryWriter _bytes;
    private readonly List<IDurable> _told = [];
    private readonly Queue<JournalEntry> _unshown = new(0);
    private List<long> _taken = [];
    private readonly List<IDurable> _waiting = [];
    private Chain _chain;
    private long _first;
    private long _last;
    private long _writing;
    private long _sinceCheckpoint;
    private long _checkpointSize;
    private bool _hasEnding;
    private volatile bool _isQueued;
    private volatile bool _isInFlight;

    /// <summary>Continues a journal, or begins a new one.</summary>
    public StoredJobJournal(IExecutor executor, SteadyClock clock, JournalWriter writer, IJournalOwner owner, JobId job, StoredJobState? state, Func<StoredReader> reader, long minCheckpoint, int maxInline = EntryWriter.MaxInline)
        : base(executor, clock)
    {
        (_writer, _owner, _job, _reader, _minCheckpoint) = (writer, owner, job, reader, minCheckpoint);
        _bytes = new EntryWriter(maxInline);
        (Epoch, _last, _chain, _sinceCheckpoint) = state is null ? (1, 0, Chain.Start(job), 0) : (state.Head.Epoch, state.Last, state.Chain, state.ReplayBytes);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ChainNotCarried)) _chain = Chain.Start(job);
        if (PlantedBugs.Is(Bug.NumberNotCarried) && _last > 0) _last--;
#endif
        _first = _last + 1;
        StartAfter(_last);
    }

    /// <summary>The job's epoch under which it is written.</summary>
    public long Epoch { get; }

    /// <summary>Whether the last entry is stored.</summary>
    public bool IsEnded
    {
        get
        {
            lock (Gate)
                return _hasEnding && Last == _last;
        }
    }

    /// <summary>Whether the writer knows that there is something. The writer's.</summary>
    public bool IsQueued
    {
        get => _isQueued;
        set => _isQueued = value;
    }

    /// <summary>The writer is about to take what there is. To be called before it is no longer queued.</summary>
    public void BeginWrite() => _isInFlight = true;

    /// <summary>Whether everything is stored.</summary>
    public bool IsWritten
    {
        get
        {
            // In this order: from one it goes into the other.
            if (_isQueued || _isInFlight)
                return false;
            lock (Gate)
                return _first == _last + 1 && _waiting.Count == 0;
        }
    }

    /// <summary>Whether what a replay would read is more than the last checkpoint's state, and enough to be worth one.</summary>
    public bool IsCheckpointDue
    {
        get
        {
            lock (Gate)
                return _sinceCheckpoint > Math.Max(_minCheckpoint, _checkpointSize);
        }
    }

    /// <summary>An item of the inbox is in what is appended next.</summary>
    public void TakeFromInbox(long number)
    {
        lock (Gate)
            _taken.Add(number);
    }

    /// <summary>The head has changed: it is written soon.</summary>
    public void Touch() => _writer.Enqueue(this, isForced: false, isInline: false);

    /// <summary>What is to be written, as one record. The writer's.</summary>
    public JobAppend Take()
    {
        bool hasEnding;
        lock (Gate)
            hasEnding = _hasEnding;
        JobHead? head = _owner.TakeHead(hasEnding);
        lock (Gate)
        {
            // The last entry came in between: it and the head are one commit.
            if (_hasEnding && !hasEnding)
                head = _owner.TakeHead(hasEnding: true);
            int count = (int)(_last + 1 - _first);
            Memory<byte> bytes = default;
            IReadOnlyList<JournalBlob> blobs = [];
            if (count > 0)
            {
                bytes = _bytes.Take(out blobs);
                _chain = _chain.Next(bytes.Span[EntryWriter.HeaderSize..]);
                _chain.WriteTo(bytes.Span[1..]);
            }
            JobAppend append = new() { Job = _job, Epoch = Epoch, Record = new JournalRecord(_first, count, bytes), Blobs = blobs, Head = head, Taken = _taken };
            _taken = [];
            _told.AddRange(_waiting);
            _waiting.Clear();
            _first = _last + 1;
            _writing = _last;
            return append;
        }
    }

    /// <summary>What the store made of what was taken. The writer's.</summary>
    public void Written(AppendResult result)
    {
        if (result != AppendResult.Appended)
        {
            _owner.Refused(result, null);
            TellLost();
            return;
        }
        List<JournalEntry>? shown = null;
        lock (Gate)
        {
            Publish(_writing);
            Forget(Kept);
            while (_unshown.TryPeek(out JournalEntry? entry) && entry.Number <= _writing)
                (shown ??= []).Add(_unshown.Dequeue());
        }
        Wake();
        // Before anybody hears of an end.
        if (shown is not null)
            _owner.Show(shown);
        IDurable[] told = [.. _told];
        _told.Clear();
        foreach (IDurable durable in told)
            durable.Durable();
        _isInFlight = false;
        Interlocked.MemoryBarrier();
        _owner.Written();
    }

    /// <summary>The store failed. The writer's.</summary>
    public void Failed(JournalStorageException error)
    {
        _owner.Refused(default, error);
        TellLost();
    }

    private void TellLost()
    {
        foreach (IDurable lost in _told)
            lost.Lost();
        _told.Clear();
    }

    protected override bool Commit(long upTo, IDurable? whenDurable)
    {
        if (whenDurable is not null)
            _waiting.Add(whenDurable);
        return false;
    }

    protected override void Added(JournalEntry entry)
    {
        long before = _bytes.Size;
        _bytes.Write(entry);
        long size = _bytes.Size - before;
        (_sinceCheckpoint, _checkpointSize) = entry.Kind == EntryKind.Checkpoint ? (0, size) : (_sinceCheckpoint + size, _checkpointSize);
        _last = entry.Number;
        _hasEnding |= entry.IsEnding;
        if (_owner.HasParent && entry.IsShownInParent)
            _unshown.Enqueue(entry);
    }

    // Whoever reads sees an attempt's first output at once. A commit costs as much as many pieces, so further ones wait for company.
    protected override void Appended(DeltaChunk? delta, IDurable? whenDurable) =>
        _writer.Enqueue(this, isForced: delta is null ? whenDurable is not null : delta.Index == 0, isInline: whenDurable is not null && delta is null);

    protected override async ValueTask<IReadOnlyList<JournalEntry>> LoadAsync(long from, CancellationToken token) => await _reader().ReadAsync(from, token);
}
