namespace Millstream;

/// <summary>
/// Journals in memory, bounded, for tests and for durable runs that may be thrown away: they end with the process. Nothing is dropped at the bound; what does
/// not fit is refused.
/// </summary>
/// <remarks>Runners live until the store object that opened them is disposed. <see cref="Reopen"/> gives a second one on the same journals.</remarks>
public sealed class MemoryJournalStorage : IJournalStorage
{
    private const int PageRecords = 256;

    private readonly MemoryJournals _journals;
    private readonly HashSet<long> _runners = [];
    private TaskCompletionSource _changed = NewChange();
    private bool _isDisposed;

    /// <summary>Makes an empty store.</summary>
    /// <param name="maxBytes">What all records, heads and inboxes may use together, in bytes; 256 MiB by default.</param>
    public MemoryJournalStorage(long maxBytes = 256L << 20) : this(new MemoryJournals(maxBytes > 0 ? maxBytes
        : throw new ArgumentOutOfRangeException(nameof(maxBytes), maxBytes, "A store in memory needs room; give 1 or more bytes.")))
    {
    }

    private MemoryJournalStorage(MemoryJournals journals)
    {
        _journals = journals;
        lock (journals.Gate)
            journals.Stores.Add(this);
    }

    /// <inheritdoc/>
    public string Location => "memory";

    /// <summary>Another store object on the same journals, as another process would have it; also after this one was disposed.</summary>
    public MemoryJournalStorage Reopen() => new(_journals);

    /// <inheritdoc/>
    public Task<long> OpenRunnerAsync(CancellationToken token = default) => Do(token, () =>
    {
        long runner = ++_journals.LastRunner;
        _journals.Living.Add(runner);
        _runners.Add(runner);
        return runner;
    });

    /// <inheritdoc/>
    public Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        JournalChecks.Batch(batch);
        return Do(token, () =>
        {
            AppendResult[] results = _journals.Append(batch);
            if (results.Contains(AppendResult.Appended))
                TellOthers();
            return results;
        });
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        while (true)
        {
            IReadOnlyList<JournalRecord> page = await Do(token, () => _journals.Read(job, from, PageRecords));
            if (page.Count == 0)
                yield break;
            foreach (JournalRecord record in page)
                yield return record;
            from = page[^1].First + page[^1].Count;
        }
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => Do(token, () => _journals.ReadBlob(job, hash));

    /// <inheritdoc/>
    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => Do(token, () => _journals.Find(job)?.Head);

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        foreach (JobHead head in await Do(token, () => _journals.Jobs.Select(j => j.Head).Where(filter.Fits).ToList()))
            yield return head;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => Do(token, () =>
    {
        if (!_runners.Contains(runner))
            throw JournalChecks.NotOurRunner(runner, Location);
        IReadOnlyList<JobHead> claimed = _journals.Claim(runner, job);
        if (claimed.Count > 0)
            TellOthers();
        return claimed;
    });

    /// <inheritdoc/>
    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) =>
        Do(token, () => (IReadOnlySet<long>)_journals.Jobs.Where(j => j.Head.Ended is null).Select(j => j.Head.Runner).Where(_journals.Living.Contains).ToHashSet());

    /// <inheritdoc/>
    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default)
    {
        JournalChecks.Offer(item);
        return Do(token, () =>
        {
            OfferResult result = _journals.Offer(job, item);
            if (result == OfferResult.Accepted)
                TellOthers();
            return result;
        });
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => Do(token, () => _journals.ReadInbox(runner));

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => Do(token, () =>
    {
        bool isRemoved = _journals.Remove(job);
        if (isRemoved)
            TellOthers();
        return isRemoved;
    });

    /// <inheritdoc/>
    public async Task WaitForChangeAsync(CancellationToken token = default)
    {
        TaskCompletionSource change = await Do(token, () => _changed);
        await change.Task.WaitAsync(token);
        await Do(token, () => _changed == change ? _changed = NewChange() : _changed);
    }

    /// <summary>Ends this object's runners. The journals stay for those that <see cref="Reopen"/> gave or gives.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_journals.Gate)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;
            _isDisposed = true;
            _journals.Stores.Remove(this);
            _journals.Living.ExceptWith(_runners);
            TellOthers();
        }
        _changed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private Task<T> Do<T>(CancellationToken token, Func<T> work)
    {
        if (token.IsCancellationRequested)
            return Task.FromCanceled<T>(token);
        lock (_journals.Gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            try
            {
                return Task.FromResult(work());
            }
            catch (JournalStorageException e)
            {
                return Task.FromException<T>(e);
            }
        }
    }

    // A dead runner is a change too: its jobs can be claimed.
    private void TellOthers()
    {
        foreach (MemoryJournalStorage other in _journals.Stores)
        {
            if (other != this)
                other._changed.TrySetResult();
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
