namespace Millstream;

/// <summary>A store that counts its appends and fails for good at one of them: before it is done, or after, so that nobody hears that it was.</summary>
/// <param name="inner">The store.</param>
/// <param name="at">The append, from 1; 0 for none.</param>
/// <param name="isDone">Whether that one is done.</param>
internal sealed class FailingStorage(IJournalStorage inner, int at = 0, bool isDone = false) : IJournalStorage
{
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _appends;

    /// <summary>Done when somebody has met the failure.</summary>
    public Task Failed => _failed.Task;

    /// <summary>How many appends there were.</summary>
    public int Appends => Volatile.Read(ref _appends);

    /// <summary>Whether it has failed.</summary>
    public bool HasFailed => at > 0 && Appends >= at;

    public string Location => inner.Location;

    public async Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        int number = Interlocked.Increment(ref _appends);
        if (at > 0 && (number > at || (number == at && !isDone)))
            throw Gone();
        AppendResult[] results = await inner.AppendAsync(batch, token);
        return number == at ? throw Gone() : results;
    }

    public Task<long> OpenRunnerAsync(CancellationToken token = default) => Living(() => inner.OpenRunnerAsync(token));

    public IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, CancellationToken token = default) => inner.ReadAsync(job, from, token);

    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => inner.ReadBlobAsync(job, hash, token);

    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => Living(() => inner.FindAsync(job, token));

    public IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, CancellationToken token = default) => inner.ListAsync(filter, token);

    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) => inner.ReadLivingRunnersAsync(token);

    public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => Living(() => inner.ClaimAsync(runner, job, token));

    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default) => Living(() => inner.OfferAsync(job, item, token));

    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => Living(() => inner.ReadInboxAsync(runner, token));

    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => Living(() => inner.RemoveAsync(job, token));

    public Task WaitForChangeAsync(CancellationToken token = default) => inner.WaitForChangeAsync(token);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Task<T> Living<T>(Func<Task<T>> what) => HasFailed ? Task.FromException<T>(Gone()) : what();

    private JournalStorageException Gone()
    {
        _failed.TrySetResult();
        return new JournalStorageException("the store is gone, as the test wants it");
    }
}
