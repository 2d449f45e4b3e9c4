namespace Millstream;

/// <content>Its end: what it held is given back, and its job hears of it.</content>
internal abstract partial class TaskCommand
{
    private Grant? _release;

    // The attempt that ended it, for those who look before its job has heard of that.
    private TaskAttempt? _ended;
    private int _outputSize;
    private bool _isAhead;

    public override void Deliver(JobRunner runner)
    {
        if (Interlocked.Exchange(ref _release, null) is { } grant)
            runner.Release(grant);
        Arrive();
        base.Deliver(runner);
        Volatile.Write(ref _ended, null);
    }

    public override void Dropped(JobRunner runner)
    {
        if (Interlocked.Exchange(ref _release, null) is { } grant)
            runner.Engine.Fleet.Release(grant);
        Arrive();
    }

    private void Arrive()
    {
        if (!_isAhead)
            return;
        _isAhead = false;
        Runner.Engine.Arrived();
    }

    /// <summary>Ends it where nothing is held for it.</summary>
    private void End(object? output, TaskError? error, bool isCompleted = false)
    {
        bool isEnd;
        lock (this)
            isEnd = TryEnd(output, error, isCompleted);
        if (isEnd)
            Runner.Enqueue(this);
    }

    /// <summary>Keeps how it ended; false where it has. To be called under the lock.</summary>
    private bool TryEnd(object? output, TaskError? error, bool isCompleted)
    {
        if (_isOver)
            return false;
        if (_isInDoubt)
            Runner.Recount(this, () => _isInDoubt = false);
        _isOver = true;
        BackOff?.Dispose();
        BackOff = null;
        (_output, _error, _isCompleted) = (output, error, isCompleted);
        return true;
    }

    /// <summary>Tells its job of its end, which <see cref="TryEnd"/> has kept.</summary>
    private void Ended(Grant grant, bool isInline)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.LeaseKeptOnFailure) && _error is not null) { Runner.Enqueue(this); return; }
#endif
        using TaskTail.Scope tail = TaskTail.Begin(isInline);
        // What it held is given back together with what its end sets off, so that successors compete for it; a busy job must not hold it up.
        // It is not kept while the end is being stored where it is a slot like any other, or had for no longer than that may take, as long as not too much waits for that.
        _isAhead = Runner.Engine.MayGoAhead(grant, _outputSize);
        if (_isAhead)
            Runner.Engine.Fleet.Release(grant);
        else
            _release = grant;
        if (!Runner.TryEnqueueInline(this))
        {
            if (Interlocked.Exchange(ref _release, null) is { } left)
                Runner.Engine.Fleet.Release(left);
            // All threads of the pool may be at work on tasks as this one was, and the job's turns would wait for one that ends.
            if (isInline && Runner.Engine.Executor.RunsInline)
                Runner.Execute();
        }
        else if (isInline && Runner.Engine.Executor.RunsInline)
        {
            Runner.Execute();
        }
        else
        {
            Runner.Engine.Executor.Schedule(Runner);
        }
    }
}
