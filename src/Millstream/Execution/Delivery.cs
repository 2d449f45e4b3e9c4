namespace Millstream;

/// <summary>Something that arrives at a job and is handled by its pump, one at a time, in the order of arrival.</summary>
internal abstract class Delivery
{
    /// <summary>The next in the mailbox.</summary>
    public Delivery? Next { get; set; }

    /// <summary>Adds its entry to the turn and tells the body. Called inside the turn.</summary>
    public abstract void Deliver(JobRunner runner);

    /// <summary>Told instead of <see cref="Deliver"/> when the job has ended.</summary>
    public virtual void Dropped(JobRunner runner)
    {
    }
}

/// <summary>The first delivery of a job.</summary>
internal sealed class StartDelivery(object? input, string? seed = null) : Delivery
{
    public override void Deliver(JobRunner runner)
    {
        runner.ForkSeed = seed;
        runner.Add(new JournalEntry(EntryKind.JobStarted, runner.Now)
        {
            Payload = new StartOf(runner.Agent.Id, runner.Agent.Version, input),
            PayloadType = runner.Agent.Contract.Input,
        });
        runner.BeginBody(input);
    }
}

/// <summary>Something sent from outside whose sender waits to hear what became of it.</summary>
internal abstract class SentDelivery : Delivery
{
    // Outsiders await it, so their code must never run on a turn's thread.
    private readonly TaskCompletionSource<SignalResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SignalResult> Result => _result.Task;

    /// <summary>Its number in the job's inbox, 0 where it did not come through it.</summary>
    public long InboxNumber { get; init; }

    public override void Dropped(JobRunner runner)
    {
        if (runner.Ended is not null)
            Answer(SignalResult.JobEnded);
        else
            _result.TrySetException(runner.StoreError ?? (Exception)new JobDetachedException(runner.Id));
    }

    public void Answer(SignalResult result) => _result.TrySetResult(result);
}

/// <summary>A signal.</summary>
internal sealed class SignalDelivery(object? signal, string? id) : SentDelivery
{
    public override void Deliver(JobRunner runner)
    {
        runner.TakeFromInbox(InboxNumber);
        bool isNew = id is null || runner.IsNewSender(id);
#if MILLSTREAM_PLANTED_BUGS
        isNew |= PlantedBugs.Is(Bug.DuplicateSenderNotDropped);
        if (PlantedBugs.Is(Bug.SendersForgotten) && runner.IsReplaying && id is not null) runner.ForgetSender(id);
#endif
        if (!isNew)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.DuplicateAnsweredBeforeDurable)) Answer(SignalResult.Duplicate);
#endif
            runner.AnswerWhenDurable(this, SignalResult.Duplicate);
            return;
        }
        runner.Add(new JournalEntry(EntryKind.Signal, runner.Now) { Subject = id, Payload = signal, PayloadType = runner.Agent.Contract.Signal });
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.SignalAcceptedBeforeDurable)) Answer(SignalResult.Accepted);
        if (PlantedBugs.Is(Bug.SignalDeliveredTwice)) runner.Receive(signal);
#endif
        runner.AnswerWhenDurable(this);
        runner.Receive(signal);
    }
}

/// <summary>A cancel, by a caller, a parent or the deadline.</summary>
internal sealed class CancelDelivery(string? reason, bool isDeadline = false) : SentDelivery
{
    public override void Deliver(JobRunner runner)
    {
        runner.TakeFromInbox(InboxNumber);
        runner.AnswerWhenDurable(this);
        runner.Cancel(reason, isDeadline);
    }
}

/// <summary>The body did what it must not; the job fails with the reason.</summary>
internal sealed class FaultDelivery(JobError error) : Delivery
{
    public override void Deliver(JobRunner runner)
    {
        // With a store the code may be mended and the job goes on.
        if (runner.Engine.IsDurable)
            runner.Suspend(error.Message);
        else
            runner.Abandon(new JobEnding.Failed(error));
    }
}

/// <summary>A cancelled body's time is over.</summary>
internal sealed class GraceDelivery : Delivery
{
    public override void Deliver(JobRunner runner) => runner.EndGrace();
}
