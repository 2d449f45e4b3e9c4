namespace Millstream;

/// <summary>Another agent, run as a child job with a journal of its own.</summary>
internal abstract class ChildCommand(Agent agent, object? input, string subject, IWorkTrace? trace) : PendingCommand
{
    private JobRunner? _child;
    private JobEnding? _end;
    private volatile bool _isStopped;

    public JobId ChildId => Runner.Id.Child(Number);

    /// <summary>What it runs for: a node of a workflow, or the agent's id.</summary>
    public string Subject => subject;

    /// <summary>The child; null before it has begun.</summary>
    public JobRunner? Child => _child;

    /// <summary>Whether the child is at work rather than waiting.</summary>
    public bool IsRunning => _child?.Status is JobStatus.Running or JobStatus.Created;

    public override string Waker => $"child job {ChildId} ({subject})";

    public override JournalEntry CommandEntry() => Entry(EntryKind.ChildStarted, ChildId.Value, new ChildOf(agent.Id, subject, input), agent.Contract.Input);

    public override JournalEntry StopEntry() => Entry(EntryKind.ChildStopping, ChildId.Value);

    /// <summary>Whether the child's agent takes signals of this type.</summary>
    public bool Takes(Type signal) => agent.Contract.Signal.Type == signal;

    public JournalEntry SignalEntry(object signal) => Entry(EntryKind.ChildSignalled, ChildId.Value, signal, agent.Contract.Signal);

    /// <summary>Gives the child a signal; one that has ended drops it.</summary>
    public void Send(SignalDelivery signal) => _child?.Enqueue(signal);

    public override void Restore(JournalEntry end) => _end = EndOf(end, agent.Contract.Output);

    /// <summary>How a child ended, from the entry of its end in its own journal or in its parent's.</summary>
    public static JobEnding EndOf(JournalEntry end, PayloadType output) => end.Kind switch
    {
        EntryKind.ChildCompleted or EntryKind.JobCompleted => new JobEnding.Completed(JobRunner.ReadPayload(output, end.Payload)),
        EntryKind.ChildFailed or EntryKind.JobFailed => new JobEnding.Failed((JobError)end.Payload!),
        _ => new JobEnding.Cancelled((end.Payload as JobError)?.Message),
    };

    public override void Resume(PastOf past)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ChildStartedAgain)) { Start(); return; }
#endif
        if (Runner.Recovery?.TakeChild(ChildId) is not { } known)
            Start();
        else if (known.Ending is { } end)
            EndedBefore(known, end);
        else
            _child = Runner.Engine.RecoverChild(known, agent, Runner, Ended, Runner.Recovery!, trace);
        DetachWithParent();
    }

    public override void Start()
    {
        JobOptions options = new() { Id = ChildId, Tenant = Runner.Options.Tenant, Priority = Runner.Options.Priority, Weight = Runner.Options.Weight, Verify = Runner.Options.Verify };
        _child = Runner.Engine.StartChild(agent, input, options, Runner, Ended, trace);
        DetachWithParent();
        if (Runner.Engine.IsDurable)
            _ = Outside.Run(() => AdoptAsync(_child));
    }

    public override void Stop()
    {
        _isStopped = true;
        _child?.Enqueue(new CancelDelivery("its parent stopped it"));
    }

    /// <summary>The process has lost the parent, or is going.</summary>
    public void Detach(Exception? reason) => _ = _child?.DetachAsync(reason);

    // The parent may have been lost while the child was made.
    private void DetachWithParent()
    {
        if (Runner.IsStopped)
            Detach(null);
    }

    protected override JournalEntry EndEntry() => _end switch
    {
        JobEnding.Completed completed => Entry(EntryKind.ChildCompleted, ChildId.Value, completed.Output, agent.Contract.Output),
        JobEnding.Failed failed => Entry(EntryKind.ChildFailed, ChildId.Value, failed.Error),
        _ => Entry(EntryKind.ChildCancelled, ChildId.Value),
    };

    protected override void Settle() => Settle(_end!);

    protected abstract void Settle(JobEnding end);

    /// <summary>
    /// Goes on with a child that is there already: a process that was taken for dead, and has lost the parent, can still have made it after its
    /// successor had looked for the children.
    /// </summary>
    private async Task AdoptAsync(JobRunner started)
    {
        try
        {
            if (await started.Stored != AppendResult.Conflict)
                return;
        }
        catch (JournalStorageException)
        {
            // This process stores nothing any more.
            return;
        }
        Runner.Engine.Jobs.Remove(started);
        while (!Runner.IsStopped)
        {
            try
            {
                Recovery recovery = new();
                if (await recovery.TakeChildAsync(Runner.Engine.Writer!.Storage, Runner.Engine.RunnerEpoch, ChildId, Runner.Recovery?.ShownOf(ChildId) ?? 0) is { } known)
                {
                    Adopt(known, recovery);
                    return;
                }
            }
            catch (JournalStorageException e)
            {
                Runner.Engine.Log.ChildNotTaken(e, ChildId);
            }
            // Somebody else has it, or the store failed.
            await Task.Delay(TimeSpan.FromSeconds(1), Runner.Engine.Time);
        }
    }

    private void Adopt(RecoveredJob known, Recovery recovery)
    {
        if (known.Ending is { } end)
        {
            EndedBefore(known, end);
            return;
        }
        _child = Runner.Engine.RecoverChild(known, agent, Runner, Ended, recovery, trace);
        DetachWithParent();
        if (_isStopped)
            _child.Enqueue(new CancelDelivery("its parent stopped it"));
    }

    private void EndedBefore(RecoveredJob known, JournalEntry end)
    {
        JobRunner.ShowMissing(Runner, ChildId, known.Entries, known.Shown);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ChildEndForgotten)) return;
#endif
        Ended(EndOf(end, agent.Contract.Output));
    }

    private void Ended(JobRunner child) => Ended(child.Ended!);

    private void Ended(JobEnding end)
    {
        _end = end;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.ChildEndLost) && _end is JobEnding.Cancelled) return;
#endif
        Runner.Enqueue(this);
    }
}

/// <inheritdoc/>
internal sealed class ChildCommand<TOutput>(Agent agent, object? input, string subject, IWorkTrace? trace) : ChildCommand(agent, input, subject, trace)
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
