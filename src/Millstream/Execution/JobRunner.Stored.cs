namespace Millstream;

/// <content>A job whose journal is in a store.</content>
internal sealed partial class JobRunner : IJournalOwner
{
    private readonly TaskCompletionSource<AppendResult> _created = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JobStatus? _writtenStatus;
    private HashSet<long>? _fromInbox;

    /// <summary>Done when its first record is stored, or refused.</summary>
    public Task<AppendResult> Stored => _created.Task;

    /// <summary>Why the store takes nothing any more, once it has failed.</summary>
    public JournalStorageException? StoreError { get; private set; }

    /// <summary>The head to write, or null where it has not changed.</summary>
    public JobHead? TakeHead(bool hasEnding)
    {
        // A turn that ends the job is over before its record is handed in.
        JobStatus status = _ended is not null && !hasEnding ? JobStatus.Running : Status;
        if (_writtenStatus == status)
            return null;
        _writtenStatus = status;
        return Head(status, hasEnding);
    }

    private JobHead Head(JobStatus status, bool isEnded) => new()
    {
        Id = Id, AgentId = Agent.Id, AgentVersion = Agent.Version, Status = status, Detail = _suspended ?? (status == JobStatus.Waiting ? string.Join("; ", WaitsFor().Take(3)) : null),
        Runner = status == JobStatus.Suspended || isEnded ? 0 : _engine.RunnerEpoch,
        Tenant = Options.Tenant, Priority = Options.Priority, Weight = Options.Weight, Deadline = Options.Deadline,
        Created = new DateTimeOffset(Created, TimeSpan.Zero), Ended = !isEnded ? null : new DateTimeOffset(EndedAt, TimeSpan.Zero),
    };

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
        string reason = error?.Message ?? $"another process has taken over the job ({result}); this one no longer writes to it";
        _suspended ??= reason;
        _ = DetachAsync(error is null ? new JobSuspendedException(Id, reason) : error);
    }

    /// <summary>Whether an item of the inbox is new here; it leaves the inbox with the turn that it is delivered in.</summary>
    public bool IsNewInInbox(long number)
    {
        lock (_gate)
            return (_fromInbox ??= []).Add(number);
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
        foreach (long number in turn.Taken!)
            journal.TakeFromInbox(number);
        if (turn.Entries.Count == 0)
            journal.Touch();
    }

    // A job that has come to wait shows it in lists; while it runs from task to task nothing is written.
    private void TouchWhenIdle()
    {
        if (Journal is StoredJobJournal journal && _ended is null && _writtenStatus is { } written && written != Status && (Status == JobStatus.Waiting || written == JobStatus.Waiting))
            journal.Touch();
    }
}
