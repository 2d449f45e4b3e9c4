namespace Millstream;

/// <summary>Told when what it appended is durable.</summary>
internal interface IDurable
{
    void Durable();

    /// <summary>It will never be durable: the store refused it.</summary>
    void Lost();
}

/// <summary>
/// One job's journal: append-only, numbered without gaps. Readers have cursors and see durable entries only; appending wakes them and
/// costs the writer the same however many there are.
/// </summary>
/// <param name="executor">What wakes readers.</param>
/// <param name="clock">The job's clock, which the journal guards from here on: entries get their times in the order of their numbers.</param>
internal abstract class JobJournal(IExecutor executor, SteadyClock clock) : IThreadPoolWorkItem
{
    private const int MaxSegment = 512;

    private readonly Lock _gate = new();
    private Segment _first = new(1, 8);
    private Segment? _last;
    private TaskCompletionSource? _changed;
    private long _appended;
    private long _durable;
    private int _closed;
    private int _waking;

    protected Lock Gate => _gate;

    protected IExecutor Executor => executor;

    /// <summary>The number of the last durable entry; 0 for none.</summary>
#if MILLSTREAM_PLANTED_BUGS
    public long Last => PlantedBugs.Is(Bug.ReaderSeesUndurable) ? _appended : Volatile.Read(ref _durable);
#else
    public long Last => Volatile.Read(ref _durable);
#endif

    /// <summary>Whether no entry will follow.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>The job's time in UTC ticks. It never goes back, and stands still while a turn runs.</summary>
    public long Time
    {
        get
        {
            lock (_gate)
                return clock.Read();
        }
    }

    /// <summary>The number that the next entry gets.</summary>
    public long Next
    {
        get
        {
            lock (_gate)
                return _appended + 1;
        }
    }

    /// <summary>Begins a turn: what else is appended before its record has the same time, so that none is before another.</summary>
    /// <returns>The turn's time.</returns>
    public long BeginTurn()
    {
        lock (_gate)
            return clock.Stop();
    }

    /// <summary>Ends a turn that records nothing.</summary>
    public void EndTurn()
    {
        lock (_gate)
            clock.Go();
    }

    /// <summary>Appends the entries of a turn in one piece, which ends it.</summary>
    /// <returns>Whether they are durable already; else <paramref name="whenDurable"/> is told later.</returns>
    public bool Append(IReadOnlyList<JournalEntry> entries, IDurable? whenDurable)
    {
        bool durable;
        lock (_gate)
        {
            for (int i = 0; i < entries.Count; i++)
                Add(entries[i]);
            clock.Go();
            durable = Commit(_appended, whenDurable);
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.LostWakeUp) && entries.Count > 3) return durable;
#endif
        if (durable)
            Wake();
        else
            Appended(null, whenDurable);
        return durable;
    }

    /// <summary>Appends a note.</summary>
    /// <returns>Whether it is durable already; else <paramref name="whenDurable"/> is told later.</returns>
    public bool Append(JournalEntry note, IDurable? whenDurable = null)
    {
        bool durable;
        lock (_gate)
        {
            Add(note);
            durable = Commit(_appended, whenDurable);
        }
        if (durable)
            Wake();
        else
            Appended(note.Payload as DeltaChunk, whenDurable);
        return durable;
    }

    /// <summary>Says that no entry will follow, so that readers end.</summary>
    public void Close()
    {
        Volatile.Write(ref _closed, 1);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.LostWakeUpAtEnd)) return;
#endif
        Wake();
    }

    /// <summary>A cursor that reads from a number on.</summary>
    public Cursor ReadFrom(long number) => new(this, Math.Max(1, number));

    /// <summary>Wakes the readers that wait.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _waking, 0);
        Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    /// <summary>Makes entries durable, now (true, after <see cref="Publish"/>) or later. Called under the gate.</summary>
    protected abstract bool Commit(long upTo, IDurable? whenDurable);

    /// <summary>Called outside the gate after an append that is not durable yet.</summary>
    protected virtual void Appended(DeltaChunk? delta, IDurable? whenDurable)
    {
    }

    /// <summary>Reads entries that are not in memory any more, from a number on; at least that one.</summary>
    protected virtual ValueTask<IReadOnlyList<JournalEntry>> LoadAsync(long from, CancellationToken token) => throw new InvalidOperationException($"Entry {from} is not in memory.");

    /// <summary>Starts behind entries that are durable elsewhere.</summary>
    protected void StartAfter(long last)
    {
        _first = new Segment(last + 1, 8);
        _appended = _durable = last;
    }

    /// <summary>Forgets the oldest entries, whole segments of them, so that about so many stay. Called under the gate.</summary>
    protected void Forget(int kept)
    {
        while (_first.Next is { } next && next.From <= _durable + 1 && _appended - next.From >= kept)
        {
            Segment old = _first;
            Volatile.Write(ref _first, next);
            // Else a slow reader would keep all that followed.
            old.Next = null;
        }
    }

    /// <summary>Called under the gate for each entry that was added.</summary>
    protected abstract void Added(JournalEntry entry);

    /// <summary>Shows entries to readers.</summary>
    protected void Publish(long upTo) => Volatile.Write(ref _durable, upTo);

    protected void Wake()
    {
        Interlocked.MemoryBarrier();
        if (_changed is not null && Interlocked.Exchange(ref _waking, 1) == 0)
            executor.Schedule(this);
    }

    /// <summary>Puts another entry in the place of one that is there. Called under the gate.</summary>
    protected static void Replace(Segment segment, int index, JournalEntry entry) => Volatile.Write(ref segment.Entries[index], entry);

    protected Segment First => _first;

    private void Add(JournalEntry entry)
    {
        _last ??= _first;
        int index = (int)(_appended + 1 - _last.From);
        if (index == _last.Entries.Length)
        {
            Segment next = new(_appended + 1, Math.Min(MaxSegment, _last.Entries.Length * 4));
            _last.Next = next;
            _last = next;
            index = 0;
        }
        entry.Number = ++_appended;
        if (entry.Time == 0)
            entry.Time = clock.Read();
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.DuplicateNumber) && _appended % 32 == 0) entry.Number--;
#endif
        _last.Entries[index] = entry;
        Added(entry);
    }

    private Task Changed()
    {
        TaskCompletionSource? changed = Volatile.Read(ref _changed);
        if (changed is null)
        {
            TaskCompletionSource made = new(TaskCreationOptions.RunContinuationsAsynchronously);
            changed = Interlocked.CompareExchange(ref _changed, made, null) ?? made;
        }
        return changed.Task;
    }

    /// <summary>Some entries in a row; grows with the journal, so that an idle job stays small.</summary>
    protected internal sealed class Segment(long from, int size)
    {
        private Segment? _next;

        public long From => from;

        public JournalEntry[] Entries { get; } = new JournalEntry[size];

        public Segment? Next
        {
            get => Volatile.Read(ref _next);
            set => Volatile.Write(ref _next, value);
        }
    }

    /// <summary>One reader's place. Holds nothing of the journal back.</summary>
    internal sealed class Cursor(JobJournal journal, long next)
    {
        private Segment? _segment;
        private IReadOnlyList<JournalEntry> _loaded = [];
        private int _nextLoaded;

        /// <summary>The next durable entry and the number it is shown under, or null when there is none yet or it must be waited for.</summary>
        public JournalEntry? TryRead(out long number)
        {
            number = next;
            JournalEntry? entry = _nextLoaded < _loaded.Count ? _loaded[_nextLoaded++] : next > journal.Last ? null : InMemory();
            if (entry is null)
                return null;
            next = entry.Payload is TrimmedRange range ? range.To + 1 : next + 1;
            return entry;
        }

        private JournalEntry? InMemory()
        {
            while (true)
            {
                _segment ??= Volatile.Read(ref journal._first);
                while (next >= _segment.From + _segment.Entries.Length && _segment.Next is { } following)
                    _segment = following;
                if (next < _segment.From)
                {
                    _segment = null;
                    return null;
                }
                if (next < _segment.From + _segment.Entries.Length)
                    return Volatile.Read(ref _segment.Entries[next - _segment.From]);
                // It was forgotten while this reader stood on it.
                _segment = null;
            }
        }

        /// <summary>Done when <see cref="TryRead"/> may give something, or nothing will come any more (false).</summary>
        public async ValueTask<bool> WaitAsync(CancellationToken token)
        {
            if (next <= journal.Last)
            {
                if (_nextLoaded >= _loaded.Count && InMemory() is null)
                    (_loaded, _nextLoaded) = (await journal.LoadAsync(next, token), 0);
                return true;
            }
            // Task.WaitAsync(token) would go on in the pool; waking all readers of the journal for one that leaves is cheaper than knowing each.
            using CancellationTokenRegistration leaving = token.UnsafeRegister(static state => ((JobJournal)state!).Wake(), journal);
            while (next > journal.Last)
            {
                Task changed = journal.Changed();
                Interlocked.MemoryBarrier();
                // Asked first: the last entry comes before the end, and must not be missed between the two.
                bool isClosed = journal.IsClosed;
                if (next <= journal.Last)
                    return true;
                if (isClosed)
                    return false;
                token.ThrowIfCancellationRequested();
                await changed;
            }
            return true;
        }
    }
}
