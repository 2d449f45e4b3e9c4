namespace Millstream;

/// <content>A job whose journal is in a store.</content>
internal sealed partial class JobRunner : IJournalOwner
{
    private readonly TaskCompletionSource<AppendResult> _created = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HeadState? _written;
    private int _restarts;
    private long _checkpoint;

    /// <summary>Done when its first record is stored, or refused.</summary>
    public Task<AppendResult> Stored => _created.Task;

    /// <summary>Why the store takes nothing any more, once it has failed.</summary>
    public JournalStorageException? StoreError { get; private set; }

    public bool HasParent => Parent is not null;

    /// <summary>The head to write, or null where it has not changed.</summary>
    public JobHead? TakeHead(bool hasEnding)
    {
#if MILLSTREAM_PLANTED_BUGS
        hasEnding &= !PlantedBugs.Is(Bug.HeadNotEnded);
#endif
        if (_hasLeft)
            return null;
        HeadState state = State(hasEnding);
        if (_written == state)
            return null;
        _written = state;
        return Head(state, hasEnding);
    }

    private HeadState State(bool hasEnding)
    {
        // A turn that ends the job is over before its record is handed in.
        if (_ended is not null)
            return new HeadState(hasEnding ? Status : JobStatus.Running, false, long.MaxValue, _restarts, _checkpoint);
        lock (_gate)
        {
            // What waits for a lease or for its own record changes from step to step, and is not written each time.
            JobStatus status = Status is JobStatus.Waiting && _active > 0 ? JobStatus.Running : Status;
            // Where it has children, their ends must be looked for when it is taken up again.
            bool isIdle = status == JobStatus.Waiting && _active == 0 && _children == 0 && !_isCancelled && _outcome is null;
            return new HeadState(status, isIdle, isIdle ? Due() : long.MaxValue, _restarts, _checkpoint);
        }
    }

    private JobHead Head(HeadState state, bool isEnded) => new()
    {
        Id = Id, AgentId = Agent.Id, AgentVersion = Agent.Version, Name = Options.Name,
        Status = state.Status, Detail = _suspended ?? (state.Status == JobStatus.Waiting ? string.Join("; ", WaitsFor().Take(3)) : null),
        Runner =
#if MILLSTREAM_PLANTED_BUGS
            PlantedBugs.Is(Bug.HeadGivesJobAway) && state.Status == JobStatus.Waiting ? 0 :
#endif
            state.Status == JobStatus.Suspended || isEnded ? 0 : _engine.RunnerEpoch,
        Tenant = Options.Tenant, Priority = Options.Priority, Weight = Options.Weight, Deadline = Options.Deadline,
        Created = new DateTimeOffset(Created, TimeSpan.Zero), Ended = !isEnded ? null : new DateTimeOffset(EndedAt, TimeSpan.Zero),
        Due = state.Due == long.MaxValue ? null : new DateTimeOffset(state.Due, TimeSpan.Zero), IsIdle = state.IsIdle, Restarts = state.Restarts, Checkpoint = state.Checkpoint,
    };

    /// <summary>Whether all of it is stored, its head as it is now, too.</summary>
    private bool IsWritten
    {
        get
        {
            var journal = (StoredJobJournal)Journal;
            if (_written == State(false))
                return journal.IsWritten;
            if (_written is not null)
                journal.Touch();
            return false;
        }
    }

    public void Refused(AppendResult result, JournalStorageException? error)
    {
        StoreError ??= error;
        if (error is not null)
            _created.TrySetException(error);
        else if (_created.TrySetResult(result) && result == AppendResult.Conflict)
        {
            _ = DetachAsync(new JobDetachedException(Id));
            return;
        }
        // An end that is not stored is none: whoever has the job now says how it ends.
        if (Journal is not StoredJobJournal { IsEnded: true })
            _ended = null;
        string reason = error?.Message ?? $"another process has taken over the job ({result}); this one no longer writes to it";
        _suspended ??= reason;
        _ = DetachAsync(error is null ? new JobSuspendedException(Id, reason) : error);
    }

    /// <summary>An item of the inbox is in this turn.</summary>
    public void TakeFromInbox(long number)
    {
        if (number > 0)
            (_turn.Taken ??= []).Add(number);
    }

    private void TakeOutOfInbox(Turn turn)
    {
        if (Journal is not StoredJobJournal journal)
            return;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.InboxItemNotRemoved)) return;
#endif
        foreach (long number in turn.Taken!)
            journal.TakeFromInbox(number);
        if (turn.Entries.Count == 0)
            journal.Touch();
    }

    // A job that has come to wait shows it in lists; while it runs from task to task nothing is written.
    private void TouchWhenIdle()
    {
        if (Journal is not StoredJobJournal journal || _ended is not null || IsStopped)
            return;
        HeadState now = State(false);
        if (_written is { } written && written != now && (now.Status == JobStatus.Waiting || written.Status == JobStatus.Waiting))
            journal.Touch();
        if (now.Status == JobStatus.Waiting && _active == 0)
            _engine.Durable!.Idle(Root);
    }

    /// <summary>What of a head changes.</summary>
    private readonly record struct HeadState(JobStatus Status, bool IsIdle, long Due, int Restarts, long Checkpoint);
}
