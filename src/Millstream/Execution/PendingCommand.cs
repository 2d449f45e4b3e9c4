using System.Text.Json;

namespace Millstream;

/// <summary>What notes say of a command that has not ended.</summary>
/// <param name="Attempts">How many attempts had begun.</param>
/// <param name="Failures">How many of them failed, other than by a lost lease or a busy resource.</param>
/// <param name="IsInDoubt">Whether a person was asked what became of the last one.</param>
/// <param name="IsStartedSinceDecision">Whether an attempt began after a person had decided about the one before.</param>
/// <param name="IsRefused">Whether its resource has refused the last one, so that it has not happened.</param>
/// <param name="Shown">What an attempt has shown that no later one has superseded.</param>
internal readonly record struct PastOf(int Attempts, int Failures, bool IsInDoubt, bool IsStartedSinceDecision, bool IsRefused, ShownOutput Shown)
{
    public PastOf With(JournalEntry note) => note.Kind switch
    {
        EntryKind.TaskDelta => this with { Shown = new ShownOutput(note.Attempt, Shown.Attempt == note.Attempt ? Shown.From : note.Number, note.Number) },
        EntryKind.Superseded => this with { Shown = default },
        // A lost attempt can be told behind the begin of the one that follows it.
#if MILLSTREAM_PLANTED_BUGS
        EntryKind.TaskRetried when PlantedBugs.Is(Bug.BusyCountedAgain) && note.Payload is RetryOf { Error.Type: ErrorTypes.ResourceBusy } => this with { Attempts = Math.Max(Attempts, note.Attempt), Failures = Failures + 1 },
#endif
        _ => new PastOf(Math.Max(Attempts, note.Attempt), Failures + (note.Payload is RetryOf { Error.Type: not (ErrorTypes.LeaseLost or ErrorTypes.ResourceBusy) } ? 1 : 0),
            note.Kind == EntryKind.TaskInDoubt, note.Kind == EntryKind.TaskStarted || (note.Kind == EntryKind.TaskRetried && IsStartedSinceDecision),
            note.Payload is RetryOf { Error.Type: ErrorTypes.ResourceBusy }, Shown),
    };
}

/// <summary>Something that a person is asked.</summary>
internal interface IOpenQuestion
{
    string QuestionId { get; }

    object Question { get; }

    /// <summary>Answers it, once.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="inboxNumber">Its number in the job's inbox, 0 where it did not come through it.</param>
    Task<SignalResult> AnswerAsync(JsonElement reply, long inboxNumber = 0);
}

/// <summary>
/// A command that only a delivery completes: its end is that delivery. Issued and settled inside turns; <see cref="Start"/> and
/// <see cref="Stop"/> act on the world, after the turn's record is durable.
/// </summary>
internal abstract class PendingCommand : Delivery
{
    private CancellationTokenRegistration _registration;

    public JobRunner Runner { get; private set; } = null!;

    /// <summary>The command's number in its job, from 1; with the job's id it is the idempotency key.</summary>
    public int Number { get; private set; }

    /// <summary>Whether its end was delivered. Changed inside turns only.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether it was told to stop. Changed inside turns only.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Whether it belongs to a clean-up, which a cancel leaves alone.</summary>
    public bool IsCleanUp { get; set; }

    /// <summary>Whether it needs nothing of its process: it can be taken up again at any time.</summary>
    public virtual bool IsPassive => false;

    /// <summary>Whether a stop can do anything for it.</summary>
    public virtual bool CanStop => true;

    /// <summary>The token that a stopped command throws with: the one it was given where that stopped it, else the job's.</summary>
    protected CancellationToken StoppedBy => _registration.Token is { IsCancellationRequested: true } given ? given
        : Runner.CancelledToken.IsCancellationRequested ? Runner.CancelledToken : new CancellationToken(true);

    internal PendingCommand? PreviousPending { get; set; }

    internal PendingCommand? NextPending { get; set; }

    /// <summary>What will wake the job, in one sentence.</summary>
    public abstract string Waker { get; }

    /// <summary>The command's entry.</summary>
    public abstract JournalEntry CommandEntry();

    /// <summary>The entry of the command that stops it.</summary>
    public abstract JournalEntry StopEntry();

    public abstract void Start();

    public abstract void Stop();

    /// <summary>Takes its end from a journal; <see cref="Deliver"/> follows.</summary>
    public abstract void Restore(JournalEntry end);

    /// <summary>Takes it up again after a replay.</summary>
    /// <param name="past">What the notes of the journal say of it.</param>
    public virtual void Resume(PastOf past) => Start();

    public override void Deliver(JobRunner runner)
    {
        IsEnded = true;
        _registration.Unregister();
        runner.Unlink(this);
        runner.Add(EndEntry());
        if (runner.IsBodyOver)
            return;
        Settle();
        runner.SettleRound();
    }

    /// <summary>Whether it can be stopped by whoever issued it.</summary>
    public void StopWith(CancellationToken token)
    {
        if (token.CanBeCanceled)
            _registration = token.UnsafeRegister(static state => ((PendingCommand)state!).Runner.StopFromToken((PendingCommand)state), this);
    }

    internal void Attach(JobRunner runner, int number)
    {
        Runner = runner;
        Number = number;
    }

    /// <summary>The entry of its end.</summary>
    protected abstract JournalEntry EndEntry();

    /// <summary>Tells the body.</summary>
    protected abstract void Settle();

    protected JournalEntry Entry(EntryKind kind, string? subject = null, object? payload = null, PayloadType? type = null, int attempt = 0) =>
        new(kind, Runner.Now) { Command = Number, Subject = subject, Payload = payload, PayloadType = type, Attempt = attempt };
}
