namespace Millstream;

/// <summary>
/// Writes the journals of a process into its store, all that wait in one transaction. A job alone that finds it idle writes at once on its own thread, or beside
/// the pool where a task waits for that thread; who comes meanwhile is in the next transaction. Notes wait up to <see cref="Patience"/> for something that must be written anyway.
/// </summary>
internal sealed class JournalWriter : IThreadPoolWorkItem, IDisposable
{
    /// <summary>How long a note may wait for company.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    private const int MaxBatch = 4096;

    private readonly Lock _gate = new();
    private readonly IExecutor _executor;
    private readonly ITimer _timer;
    private readonly Action<JournalStorageException> _broken;
    private List<StoredJobJournal> _waiting = [];
    private JournalStorageException? _error;
    private bool _isBusy;
    private bool _isArmed;
    private bool _isWanted;
    private bool _wasAlone = true;
    private bool _isBeside;

    public JournalWriter(IJournalStorage storage, IExecutor executor, TimeProvider time, Action<JournalStorageException> broken)
    {
        Storage = storage;
        _executor = executor;
        _broken = broken;
        _timer = time.CreateTimer(static writer => ((JournalWriter)writer!).Hurry(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public IJournalStorage Storage { get; }

    /// <summary>Whether it writes, or is about to.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
                return _isBusy;
        }
    }

    /// <summary>The journal has something to write.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="isForced">Whether somebody waits for it.</param>
    /// <param name="isInline">Whether this thread may write.</param>
    public void Enqueue(StoredJobJournal journal, bool isForced, bool isInline)
    {
        bool isAtOnce, isBeside;
        lock (_gate)
        {
            if (!journal.IsQueued)
            {
                journal.IsQueued = true;
                _waiting.Add(journal);
            }
            _isWanted |= isForced;
            if (_isBusy)
                return;
            if (!isForced)
            {
                Arm();
                return;
            }
            _isBusy = true;
            // Where there are several, those that are about to have something go first.
            isAtOnce = isInline && _wasAlone;
            isBeside = _isBeside = isAtOnce && _executor.IsThreadTaken;
        }
        if (isBeside)
            _executor.ScheduleBlocking(this);
        else if (isAtOnce)
            Execute();
        else
            _executor.Schedule(this);
    }

    /// <summary>Writes what waits. For the one who found the writer idle.</summary>
    public void Execute() => _ = Outside.Run(WriteAsync);

    public void Dispose() => _timer.Dispose();

    private void Hurry()
    {
        lock (_gate)
        {
            _isArmed = false;
            _isWanted = true;
            if (_isBusy || _waiting.Count == 0)
                return;
            _isBusy = true;
            _isBeside = false;
        }
        _executor.Schedule(this);
    }

    private void Arm()
    {
        if (!_isArmed)
            _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        _isArmed = true;
    }

    private async Task WriteAsync()
    {
        while (await WriteOnceAsync())
        {
        }
    }

    /// <returns>Whether there is more to write on this thread.</returns>
    private async Task<bool> WriteOnceAsync()
    {
        List<StoredJobJournal> journals = [];
        List<JobAppend> batch = [];
        lock (_gate)
        {
            int count = Math.Min(MaxBatch, _waiting.Count);
            if (count == _waiting.Count)
            {
                (journals, _waiting) = (_waiting, journals);
            }
            else
            {
                journals.AddRange(_waiting.GetRange(0, count));
                _waiting.RemoveRange(0, count);
            }
            _wasAlone = journals.Count <= 1;
            _isWanted = _waiting.Count > 0;
            foreach (StoredJobJournal journal in journals)
            {
                journal.BeginWrite();
                journal.IsQueued = false;
            }
        }
        foreach (StoredJobJournal journal in journals)
            batch.Add(journal.Take());
        try
        {
            if (_error is not null)
                throw _error;
            AppendResult[] results = await Storage.AppendAsync(batch);
            for (int i = 0; i < journals.Count; i++)
                journals[i].Written(results[i]);
        }
#if MILLSTREAM_PLANTED_BUGS
        catch (JournalStorageException) when (PlantedBugs.Is(Bug.FailureForgotten))
        {
        }
        catch (JournalStorageException) when (PlantedBugs.Is(Bug.TimedOutWrittenAgain) && _error is null)
        {
            try
            {
                AppendResult[] again = await Storage.AppendAsync([.. batch.Select(a => a.Record.First == 1 ? a : a with { Record = a.Record with { First = a.Record.First + a.Record.Count } })]);
                for (int i = 0; i < journals.Count; i++)
                    journals[i].Written(again[i]);
            }
            catch (JournalStorageException)
            {
            }
        }
#endif
        catch (Exception e)
        {
            // What a failed write has left behind is not known, so nothing is acknowledged from here on.
            bool isFirst = _error is null;
            _error ??= e as JournalStorageException ?? new JournalStorageException($"The journal at {Storage.Location} failed: {e.Message}", e);
            foreach (StoredJobJournal journal in journals)
                journal.Failed(_error);
            if (isFirst)
                _broken(_error);
        }
        lock (_gate)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (_waiting.Count == 0 || PlantedBugs.Is(Bug.WriterNotWokenAgain))
#else
            if (_waiting.Count == 0)
#endif
            {
                _isBusy = false;
                return false;
            }
            // What must be written soon would wait for the end of what nobody waits for.
            if (!_isWanted)
            {
                _isBusy = false;
                Arm();
                return false;
            }
            // Several jobs wait for their turns first, so that more of them are in the next transaction.
            if (_isBeside && _wasAlone)
                return true;
        }
        _executor.Schedule(this);
        return false;
    }
}
