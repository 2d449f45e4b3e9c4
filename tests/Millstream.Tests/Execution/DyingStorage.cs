namespace Millstream.Tests;

/// <summary>A store that fails for good at its n-th append: before doing it, or after, so that nobody hears that it was done.</summary>
internal sealed class DyingStorage(IJournalStorage inner, int appends, bool isDone) : IJournalStorage
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _dead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _appends;

    /// <summary>Done when it has failed.</summary>
    public Task Dead => _dead.Task;

    public string Location => inner.Location;

    public async Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        int number;
        lock (_gate)
            number = ++_appends;
        if (number > appends || (number == appends && !isDone))
            throw Gone();
        AppendResult[] results = await inner.AppendAsync(batch, token);
        return number < appends ? results : throw Gone();
    }

    public Task<long> OpenRunnerAsync(CancellationToken token = default) => Living(() => inner.OpenRunnerAsync(token));

    public IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, CancellationToken token = default) => inner.ReadAsync(job, from, token);

    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => inner.ReadBlobAsync(job, hash, token);

    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => Living(() => inner.FindAsync(job, token));

    public IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, CancellationToken token = default) => inner.ListAsync(filter, token);

    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token) => inner.ReadLivingRunnersAsync(token);

    public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => Living(() => inner.ClaimAsync(runner, job, token));

    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default) => Living(() => inner.OfferAsync(job, item, token));

    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => Living(() => inner.ReadInboxAsync(runner, token));

    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => Living(() => inner.RemoveAsync(job, token));

    public Task WaitForChangeAsync(CancellationToken token = default) => inner.WaitForChangeAsync(token);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Task<T> Living<T>(Func<Task<T>> what) => _dead.Task.IsCompleted ? throw Gone() : what();

    private JournalStorageException Gone()
    {
        _dead.TrySetResult();
        return new JournalStorageException("the store is gone");
    }
}
