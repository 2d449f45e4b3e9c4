namespace Millstream.Tests;

/// <summary>A store whose appends wait, one after another, until they are let through.</summary>
internal sealed class HeldStorage(IJournalStorage inner) : IJournalStorage
{
    private readonly SemaphoreSlim _passes = new(0);
    private readonly SemaphoreSlim _arrivals = new(0);
    private volatile bool _isHolding;

    /// <summary>Whether an append that waits keeps its thread, as a disk does.</summary>
    public bool KeepsThread { get; init; }

    public string Location => inner.Location;

    /// <summary>From now on appends wait.</summary>
    public void Hold() => _isHolding = true;

    /// <summary>Done when the next append waits.</summary>
    public Task ArrivedAsync() => _arrivals.WaitAsync();

    /// <summary>Lets one append through.</summary>
    public void Pass() => _passes.Release();

    /// <summary>Lets all through.</summary>
    public void LetGo()
    {
        _isHolding = false;
        _passes.Release(1000);
    }

    public async Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        if (_isHolding)
        {
            _arrivals.Release();
            if (KeepsThread)
                _passes.Wait(token);
            else
                await _passes.WaitAsync(token);
        }
        return await inner.AppendAsync(batch, token);
    }

    public Task<long> OpenRunnerAsync(CancellationToken token = default) => inner.OpenRunnerAsync(token);

    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => inner.ReadBlobAsync(job, hash, token);

    public IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, CancellationToken token = default) => inner.ReadAsync(job, from, token);

    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => inner.FindAsync(job, token);

    public IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, CancellationToken token = default) => inner.ListAsync(filter, token);

    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token) => inner.ReadLivingRunnersAsync(token);

    public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => inner.ClaimAsync(runner, job, token);

    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default) => inner.OfferAsync(job, item, token);

    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => inner.ReadInboxAsync(runner, token);

    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => inner.RemoveAsync(job, token);

    public Task WaitForChangeAsync(CancellationToken token = default) => inner.WaitForChangeAsync(token);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
