namespace Millstream;

/// <content>Jobs that wait leave memory, those first that wait longest, and come back on a signal, an answer, a timer or a cancel.</content>
internal sealed partial class DurableJobs
{
    private const int WakesAtOnce = 32;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SteadyClock _clock = new(engine.Time);
    private readonly Dictionary<JobId, DormantJob> _dormant = [];
    private readonly PriorityQueue<DormantJob, long> _due = new();
    private readonly LinkedList<JobRunner> _idle = [];
    private readonly Queue<DormantJob> _toWake = new();
    private IDisposable? _dueTimer;
    private long _armed = long.MaxValue;
    private int _waking;
    private TaskCompletionSource? _quiet;
    private bool _isStopped;

    /// <summary>How many jobs wait outside memory.</summary>
    public int DormantCount
    {
        get
        {
            lock (_gate)
                return _dormant.Count;
        }
    }

    /// <summary>A job with all its children waits.</summary>
    public void Idle(JobRunner root)
    {
        lock (_gate)
        {
            if (_isStopped || root.HasLeft)
                return;
            if (root.IdleNode is { List: not null } known)
                _idle.Remove(known);
            root.IdleNode = _idle.AddLast(root);
            LetGo();
        }
    }

    /// <summary>What kept a job from leaving is written.</summary>
    public void Written()
    {
        lock (_gate)
            LetGo();
    }

    private void LetGo()
    {
        while (!_isStopped && _idle.Count > engine.Options.Limits.WaitingJobs && _idle.First is { } longest && Leave(longest.Value))
        {
            // The next one.
        }
    }

    /// <summary>The job's runner, kept in memory until <see cref="JobRunner.Unpin"/>; a job that is not run here is given as the store has it.</summary>
    public async Task<IJobSource> PinAsync(JobId id)
    {
        while (true)
        {
            if (TryPin(id) is { } runner)
                return runner;
            if (Wake(id) is { } waking)
                await waking;
            else if (engine.Jobs.Find(id) is not { HasLeft: false, Suspended: null })
                return Stored(await storage.FindAsync(id) ?? throw new JournalStorageException($"Job {id} was removed from {storage.Location}."));
        }
    }

    /// <summary>The job's runner where it is in memory, kept there until <see cref="JobRunner.Unpin"/>.</summary>
    public JobRunner? TryPin(JobId id) => FindInMemory(id) is { } runner && runner.TryPin() ? runner : null;

    /// <summary>The job's runner where it is in memory.</summary>
    public JobRunner? FindInMemory(JobId id) => engine.Jobs.Find(id) is { HasLeft: false, Suspended: null } found ? found : null;

    /// <summary>A job that was suspended here, as long as its head does not say so.</summary>
    public JobRunner? FindSuspended(JobId id) => engine.Jobs.Find(id) is { Suspended: not null } found ? found : null;

    /// <summary>Brings a dormant job back; null where it is not dormant.</summary>
    public Task? Wake(JobId id)
    {
        lock (_gate)
            return _dormant.TryGetValue(id.Root, out DormantJob? job) ? Wake(job) : null;
    }

    public bool IsDormant(JobId id)
    {
        lock (_gate)
            return _dormant.ContainsKey(id.Root);
    }

    /// <summary>What outsiders hold of a dormant job, or null.</summary>
    public JobTies? TiesOf(JobId id)
    {
        lock (_gate)
            return _dormant.GetValueOrDefault(id.Root)?.TiesOf(id);
    }

    /// <summary>Brings nothing back any more. Done when nothing is on its way.</summary>
    public Task StopAsync()
    {
        List<DormantJob> left;
        Task quiet = Task.CompletedTask;
        lock (_gate)
        {
            _isStopped = true;
            _dueTimer?.Dispose();
            _toWake.Clear();
            left = [.. _dormant.Values];
            if (_waking > 0)
                quiet = (_quiet ??= new TaskCompletionSource()).Task;
        }
        foreach (DormantJob job in left)
        {
            job.Detach(id => new JobDetachedException(id));
            if (!job.IsOnItsWay)
                job.Waking?.TrySetException(new JobDetachedException(job.Root));
        }
        return quiet;
    }

    /// <summary>It has ended.</summary>
    public void Forget(JobRunner root)
    {
        lock (_gate)
        {
            if (root.IdleNode is { List: not null } node)
                _idle.Remove(node);
        }
    }

    /// <summary>False where it cannot leave yet, and the others must wait behind it.</summary>
    private bool Leave(JobRunner root)
    {
        List<JobRunner> tree = [];
        switch (JobRunner.TryLeave(root, tree))
        {
            case LeaveResult.NotWritten:
                return false;
            case LeaveResult.Busy:
                _idle.Remove(root.IdleNode!);
                return true;
        }
        _idle.Remove(root.IdleNode!);
        // Each has a clock of its own, which must not go back when it comes back.
        long ahead = tree.Max(j => j.Journal.Time) - _clock.Read(), due = tree.Min(j => j.Due());
        DormantJob dormant = new(root.Id, due == long.MaxValue ? due : due - ahead, ahead);
        foreach (JobRunner job in tree)
        {
            (job.Ties.Questions, job.Ties.WaitsFor) = (job.Questions(), job.WaitsFor());
            if (job.Ties.IsWorthKeeping)
                dormant.Keep(job.Id, job.Ties);
        }
        Add(dormant);
        foreach (JobRunner job in tree)
        {
            engine.Jobs.Remove(job);
            job.Span?.End("waiting");
        }
        return true;
    }

    private void AddDormant(JobHead head, int restarts)
    {
        lock (_gate)
        {
            long notBefore = restarts < 2 ? 0 : LongTimer.After(_clock.Read(), engine.Options.Restarts.DelayAfter(restarts - 1, null, engine.NextRandom()));
            long due = notBefore > 0 ? notBefore : Math.Min(head.Due?.UtcTicks ?? long.MaxValue, head.Deadline?.UtcTicks ?? long.MaxValue);
            Add(new DormantJob(head.Id, due, 0) { NotBefore = notBefore });
        }
    }

    private void Add(DormantJob job)
    {
        _dormant[job.Root] = job;
        if (job.Due == long.MaxValue)
            return;
        if (_due.Count > 2 * _dormant.Count + 1000)
        {
            // Those that came back before their time.
            _due.Clear();
            _due.EnqueueRange(_dormant.Values.Where(j => j.Due != long.MaxValue).Select(j => (j, j.Due)));
        }
        else
        {
            _due.Enqueue(job, job.Due);
        }
        if (job.Due < _armed)
            Arm(job.Due);
    }

    /// <summary>The time that a job's clock must not be behind of when it comes back.</summary>
    private long TimeOf(DormantJob job)
    {
        lock (_gate)
            return _clock.Read() + job.Ahead;
    }

    private void Arm(long due)
    {
        _dueTimer?.Dispose();
        _armed = due;
        _dueTimer = LongTimer.Start(engine.Time, static jobs => ((DurableJobs)jobs!).WakeDue(), this, TimeSpan.FromTicks(Math.Max(0, due - _clock.Read())) + TimeSpan.FromMilliseconds(1));
    }

    private void WakeDue()
    {
        lock (_gate)
        {
            if (_isStopped)
                return;
            _armed = long.MaxValue;
            while (_due.TryPeek(out DormantJob? job, out long due))
            {
                if (due > _clock.Read())
                {
                    Arm(due);
                    return;
                }
                _due.Dequeue();
                if (_dormant.GetValueOrDefault(job.Root) == job)
                    Begin(job);
            }
        }
    }

    private Task Wake(DormantJob job)
    {
        job.Waking ??= new TaskCompletionSource();
        if (_isStopped)
            job.Waking.TrySetException(new JobDetachedException(job.Root));
        // Else it comes back when its time has come.
        else if (job.NotBefore <= _clock.Read())
            Begin(job);
        return job.Waking.Task;
    }

    private void Begin(DormantJob job)
    {
        if (job.IsOnItsWay)
            return;
        job.Waking ??= new TaskCompletionSource();
        job.IsOnItsWay = true;
        if (_waking < WakesAtOnce)
            Schedule(job);
        else
            _toWake.Enqueue(job);
    }

    private void Schedule(DormantJob job)
    {
        _waking++;
        // Not here: the store must not be called under a lock.
        engine.Executor.Schedule(new WakeItem(this, job));
    }

    private async Task WakeAsync(DormantJob job)
    {
        Exception? failure = null;
        try
        {
            // Another process may have taken it for its own.
            if (await storage.FindAsync(job.Root, _stopping.Token) is { } head && head.Runner == engine.RunnerEpoch
                && await BringAsync(head, new Dictionary<JobId, JobHead>(), job, _stopping.Token) is JobRunner runner)
                await runner.Recovered;
            else
                job.Detach(id => new JobSuspendedException(id, $"job {job.Root} could not go on in this process"));
        }
        catch (Exception e) when (e is JournalStorageException or OperationCanceledException or ObjectDisposedException)
        {
            failure = e;
            if (e is JournalStorageException)
                engine.Log.WakeFailed(e, job.Root);
        }
        bool isQuiet;
        TaskCompletionSource waking = job.Waking!;
        lock (_gate)
        {
            if (_dormant.GetValueOrDefault(job.Root) == job)
            {
                _dormant.Remove(job.Root);
                if (failure is not null && !_isStopped)
                    Add(job.Again(LongTimer.After(_clock.Read(), RetryPause)));
            }
            _waking--;
            if (!_isStopped && _toWake.TryDequeue(out DormantJob? next))
                Schedule(next);
            isQuiet = _waking == 0 && _isStopped;
        }
        if (failure is null)
            waking.TrySetResult();
        else
            waking.TrySetException(failure is JournalStorageException ? failure : new JobDetachedException(job.Root));
        Hear();
        if (isQuiet)
            _quiet?.TrySetResult();
    }

    private sealed class WakeItem(DurableJobs jobs, DormantJob job) : IThreadPoolWorkItem
    {
        public void Execute() => _ = Outside.Run(() => jobs.WakeAsync(job));
    }
}
