namespace Millstream;

/// <summary>Another agent, run as a child job with a journal of its own.</summary>
internal abstract class ChildCommand(Agent agent, object? input, string subject) : PendingCommand
{
    private JobRunner? _child;
    private JobEnding? _end;

    public JobId ChildId => Runner.Id.Child(Number);

    /// <summary>Whether the child is at work rather than waiting.</summary>
    public bool IsRunning => _child?.Status is JobStatus.Running or JobStatus.Created;

    public override string Waker => $"child job {ChildId} ({subject})";

    public override JournalEntry CommandEntry() => Entry(EntryKind.ChildStarted, ChildId.Value, new ChildOf(agent.Id, subject, input), agent.Contract.Input);

    public override JournalEntry StopEntry() => Entry(EntryKind.ChildStopping, ChildId.Value);

    public override void Start()
    {
        JobOptions options = new() { Id = ChildId, Tenant = Runner.Options.Tenant, Priority = Runner.Options.Priority, Weight = Runner.Options.Weight };
        _child = Runner.Engine.StartChild(agent, input, options, Runner, Ended);
    }

    public override void Stop() => _child!.Enqueue(new CancelDelivery("its parent stopped it"));

    protected override JournalEntry EndEntry() => _end switch
    {
        JobEnding.Completed completed => Entry(EntryKind.ChildCompleted, ChildId.Value, completed.Output, agent.Contract.Output),
        JobEnding.Failed failed => Entry(EntryKind.ChildFailed, ChildId.Value, failed.Error),
        _ => Entry(EntryKind.ChildCancelled, ChildId.Value),
    };

    protected override void Settle() => Settle(_end!);

    protected abstract void Settle(JobEnding end);

    private void Ended(JobRunner child)
    {
        _end = child.Ended;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ChildEndLost) && _end is JobEnding.Cancelled) return;
#endif
        Runner.Enqueue(this);
    }
}

/// <inheritdoc/>
internal sealed class ChildCommand<TOutput>(Agent agent, object? input, string subject) : ChildCommand(agent, input, subject)
{
    private readonly TaskCompletionSource<TOutput> _promise = new();

    public Task<TOutput> Task => _promise.Task;

    protected override void Settle(JobEnding end)
    {
        switch (end)
        {
            case JobEnding.Completed completed:
                _promise.TrySetResult((TOutput)completed.Output!);
                break;
            case JobEnding.Failed failed:
                _promise.TrySetException(new ChildJobFailedException(ChildId, failed.Error));
                break;
            default:
                _promise.TrySetCanceled(StoppedBy);
                break;
        }
    }
}
