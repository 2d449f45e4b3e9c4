using System.Runtime.CompilerServices;

namespace Millstream.Simulation;

/// <summary>What is asked of a store.</summary>
internal enum StoreCall { Read, Claim, Offer, Append }

/// <summary>
/// A store as one simulated process has it: each call takes its time, may fail before it was done or after, and may be the last thing that the
/// process does. Without a process it does at once what it is asked.
/// </summary>
internal sealed class SimulatedStore : IJournalStorage
{
    private readonly Disk _disk;
    private readonly SimulatedProcess? _process;
    private readonly HashSet<long> _runners = [];
    private readonly List<Write> _writes = [];
    private readonly List<TaskCompletionSource> _waiting = [];
    private bool _isChanged;
    private bool _isDisposed;

    public SimulatedStore(Disk disk, SimulatedProcess? process = null)
    {
        (_disk, _process) = (disk, process);
        lock (disk.Journals.Gate)
            disk.Stores.Add(this);
    }

    public string Location => "the simulation";

    public SimulatedProcess? Process => _process;

    public bool Owns(long runner) => _runners.Contains(runner);

    public Task<long> OpenRunnerAsync(CancellationToken token = default) => DoAsync(StoreCall.Claim, token, () =>
    {
        long runner = ++_disk.Journals.LastRunner;
        _disk.Journals.Living.Add(runner);
        _runners.Add(runner);
        return runner;
    });

    public Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default)
    {
        JournalChecks.Batch(batch);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.LostSync) && _process is { } p && batch.Count > 0 && p.History.Random.Next(4) == 0)
        {
            p.Executor.Schedule(() => _ = DoAsync(StoreCall.Append, token, () => _disk.Append(this, batch)));
            return Task.FromResult(batch.Select(_ => AppendResult.Appended).ToArray());
        }
#endif
        return DoAsync(StoreCall.Append, token, () => _disk.Append(this, batch));
    }

    public async IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, [EnumeratorCancellation] CancellationToken token = default)
    {
        while (true)
        {
            IReadOnlyList<JournalRecord> page = await DoAsync(StoreCall.Read, token, () => _disk.Journals.Read(job, from, _process?.PageSize ?? 256));
            if (page.Count == 0)
                yield break;
            foreach (JournalRecord record in page)
                yield return record;
            from = page[^1].First + page[^1].Count;
        }
    }

    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default) => DoAsync(StoreCall.Read, token, () => _disk.Journals.ReadBlob(job, hash));

    public Task<JobHead?> FindAsync(JobId job, CancellationToken token = default) => DoAsync(StoreCall.Read, token, () => _disk.Journals.Find(job)?.Head);

    public async IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, [EnumeratorCancellation] CancellationToken token = default)
    {
        foreach (JobHead head in await DoAsync(StoreCall.Read, token, () => _disk.Journals.Jobs.Select(j => j.Head).Where(filter.Fits).ToList()))
            yield return head;
    }

    public Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default) => DoAsync(StoreCall.Claim, token, () =>
        _runners.Contains(runner) ? _disk.Claim(this, runner, job) : throw JournalChecks.NotOurRunner(runner, Location));

    public Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default) => DoAsync(StoreCall.Read, token, () =>
        (IReadOnlySet<long>)_disk.Journals.Jobs.Where(j => j.Head.Ended is null).Select(j => j.Head.Runner).Where(_disk.Journals.Living.Contains).ToHashSet());

    public Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default)
    {
        JournalChecks.Offer(item);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.OfferLost) && _process is { } p)
        {
            p.Executor.Schedule(() => _ = DoAsync(StoreCall.Offer, token, () => _disk.Offer(this, job, item)));
            return Task.FromResult(OfferResult.Accepted);
        }
#endif
        return DoAsync(StoreCall.Offer, token, () => _disk.Offer(this, job, item));
    }

    public Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default) => DoAsync(StoreCall.Read, token, () => _disk.Journals.ReadInbox(runner));

    public Task<bool> RemoveAsync(JobId job, CancellationToken token = default) => DoAsync(StoreCall.Append, token, () => _disk.Remove(this, job));

    public async Task WaitForChangeAsync(CancellationToken token = default)
    {
        TaskCompletionSource change = new();
        await DoAsync(StoreCall.Read, token, () =>
        {
            if (_isChanged)
                change.SetResult();
            else
                _waiting.Add(change);
            _isChanged = false;
            return true;
        });
        try
        {
            using CancellationTokenRegistration leaving = token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetCanceled(), change);
            // Its own process's changes are not told, so it looks again after a time.
            using ITimer? patience = _process?.Executor.Clock.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), change, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
            await change.Task;
        }
        finally
        {
            lock (_disk.Journals.Gate)
                _waiting.Remove(change);
        }
    }

    /// <summary>Somebody else has changed something.</summary>
    public void Changed()
    {
        _isChanged = _waiting.Count == 0;
        foreach (TaskCompletionSource waiting in _waiting.ToArray())
            waiting.TrySetResult();
    }

    /// <summary>Its process is taken for dead, though it may only be slow.</summary>
    public void DeclareDead() => _disk.DeclareDead(this, _runners);

    /// <summary>Its process is gone: of what it was writing each write is there or not.</summary>
    public void Crash(Func<bool> isThere)
    {
        foreach (Write write in _writes)
        {
            if (isThere())
                write.Do();
        }
        _writes.Clear();
        Close();
    }

    public ValueTask DisposeAsync()
    {
        lock (_disk.Journals.Gate)
        {
            Close();
            Changed();
        }
        return ValueTask.CompletedTask;
    }

    private void Close()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _disk.Stores.Remove(this);
        _disk.DeclareDead(this, _runners);
    }

    private Task<T> DoAsync<T>(StoreCall call, CancellationToken token, Func<T> work)
    {
        if (token.IsCancellationRequested)
            return Task.FromCanceled<T>(token);
        if (_process is not null)
            return SlowlyAsync(_process, call, work);
        lock (_disk.Journals.Gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return Task.FromResult(work());
        }
    }

    private async Task<T> SlowlyAsync<T>(SimulatedProcess process, StoreCall call, Func<T> work)
    {
        process.Cross(CrashPoint.Call);
        Fate fate = process.FateOf(call);
        if (fate == Fate.Fails)
        {
            await process.PauseAsync();
            throw new JournalStorageException($"the store does not {call}");
        }
        T? result = default;
        Write write = new(() => result = work());
        if (call != StoreCall.Read && !process.IsDead)
            _writes.Add(write);
        await process.PauseAsync();
        process.Cross(CrashPoint.Sync);
        await process.LiveAsync();
        _writes.Remove(write);
        write.Do();
        process.Cross(CrashPoint.Done);
        await process.PauseAsync();
        return fate == Fate.FailsWhenDone ? throw new JournalStorageException($"the store was too slow to {call}") : result!;
    }

    private sealed class Write(Action work)
    {
        public void Do() => work();
    }
}
