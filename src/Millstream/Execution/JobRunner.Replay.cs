namespace Millstream;

/// <content>How a job goes on in another process: the recorded deliveries are made again, and the body must ask for the recorded commands.</content>
internal sealed partial class JobRunner
{
    private ReadOnlyMemory<JournalEntry>? _recorded;
    private readonly TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _suspended;
    private List<Effect>? _passedOnBefore;

    /// <summary>What was found of its children when it was taken up; null where it was started here.</summary>
    public Recovery? Recovery { get => field ?? Parent?.Recovery; init; }

    /// <summary>Whether the body is being brought back to where it was.</summary>
    public bool IsReplaying => _recorded is not null;

    /// <summary>Done when it is where its journal ends, or suspended.</summary>
    public Task Recovered => _recovered.Task;

    /// <summary>Why it cannot go on, or null.</summary>
    public string? Suspended => _suspended;

    /// <summary>Brings the body back to where its journal ends, then takes up what is pending.</summary>
    /// <param name="entries">All entries of the journal.</param>
    private void Replay(JournalEntry[] entries)
    {
        Dictionary<int, PastOf> past = [];
        // What comes before was read for others.
        int start = _checkpoint == 0 ? 0 : Array.FindIndex(entries, e => e.Number == _checkpoint);
        for (int i = start; i < entries.Length && !IsStopped; i++)
        {
            JournalEntry entry = entries[i];
            if (entry.Kind is EntryKind.TaskStarted or EntryKind.TaskRetried or EntryKind.TaskInDoubt or EntryKind.TaskDecided or EntryKind.TaskDelta or EntryKind.Superseded)
                past[entry.Command] = past.GetValueOrDefault(entry.Command).With(entry);
            else if (entry.Kind is EntryKind.TaskCompleted or EntryKind.TaskFailed or EntryKind.TaskCancelled)
                past.Remove(entry.Command);
            if (entry.IsNote)
            {
                // Turns are appended in one piece, so a note lies between two of them.
                start = i + 1;
                continue;
            }
            if (!entry.EndsTurn)
                continue;
            _recorded = entries.AsMemory(start, i + 1 - start);
            RunTurn(DeliveryOf(entries[start]));
            start = i + 1;
        }
        _recorded = null;
        if (IsStopped)
            return;
        Journal.Append(new JournalEntry(EntryKind.Resumed) { Payload = new ResumeOf(_engine.RunnerEpoch, ((StoredJobJournal)Journal).Epoch, Agent.Version) });
        ILookup<PendingCommand, SignalDelivery> passedOn = (_passedOnBefore ?? []).ToLookup(e => e.Command, e => e.Signal!);
        _passedOnBefore = null;
        foreach (PendingCommand command in Pending<PendingCommand>())
        {
            command.Resume(past.GetValueOrDefault(command.Number));
            // A child that has one knows its sender's id and drops it.
            foreach (SignalDelivery signal in passedOn[command])
                ((ChildCommand)command).Send(signal);
            if (command.IsStopping)
                command.Stop();
        }
    }

    /// <summary>What was delivered, as it was when it came.</summary>
    private Delivery DeliveryOf(JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.JobStarted:
                var begin = (StartOf)entry.Payload!;
                return new StartDelivery(ReadPayload(Agent.Contract.Input, begin.Input), begin.Seed);
            case EntryKind.Checkpoint:
                return new CheckpointDelivery(entry);
            case EntryKind.Signal:
                return new SignalDelivery(ReadPayload(Agent.Contract.Signal, entry.Payload), entry.Subject);
            case EntryKind.JobCancelling:
                return new CancelDelivery(entry.Payload as string, entry.Subject is not null);
            case EntryKind.JobReturned:
                return new AbandonDelivery(entry.Payload is JobError error ? new JobEnding.Failed(error) : new JobEnding.Cancelled(_cancelReason));
            case EntryKind.TaskDecided when Pending<TaskCommand>().Find(t => t.Number == entry.Command) is { } task:
                return task.DecisionOf(entry);
            default:
                for (PendingCommand? command = _firstPending; command is not null; command = command.NextPending)
                {
                    if (command.Number == entry.Command)
                    {
                        command.Restore(entry);
                        return command;
                    }
                }
                return new UnknownDelivery($"entry {entry.Number} of the journal is the end of command {entry.Command} ({EntryWords.Of(entry.Kind)} {entry.Subject}), for which the code of agent {Agent.Id} {Agent.Version} has not asked");
        }
    }

    /// <summary>Shows in a parent's stream what of a child was stored when the process went, and was not shown yet.</summary>
    public static void ShowMissing(JobRunner parent, JobId child, JournalEntry[] entries, long shown)
    {
        foreach (JournalEntry entry in entries)
        {
            if (entry.Number > shown)
                ShowIn(parent, child, entry);
        }
    }

    /// <summary>Reads a payload that a store gave.</summary>
    public static object? ReadPayload(PayloadType type, object? payload) => payload is StoredPayload stored ? type.Read(stored.Json.Span) : payload;

    /// <summary>A turn of a replay: nothing is appended and nothing is done, but what was asked for must be what was recorded.</summary>
    private void Compare(Turn turn)
    {
        ReadOnlySpan<JournalEntry> recorded = _recorded!.Value.Span;
        for (int i = 0; i < Math.Max(recorded.Length, turn.Entries.Count) && !IsStopped && _suspended is null; i++)
        {
            JournalEntry? then = i < recorded.Length ? recorded[i] : null, now = i < turn.Entries.Count ? turn.Entries[i] : null;
            if (then is null || now is null || !IsSame(then, now) || (IsShadow && !_isOfAnotherRun && !SaysTheSame(then, now)))
                Suspend(Difference(recorded[0].Number + i, InWords(then), InWords(now)));
        }
        foreach (Effect effect in turn.Effects)
        {
            if (effect.Signal is not null)
                (_passedOnBefore ??= []).Add(effect);
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.EffectsWhileReplaying)) _engine.Fleet.Exchange(turn);
#endif
        turn.Clear();
    }

    private static bool IsSame(JournalEntry then, JournalEntry now)
    {
        if (then.Kind != now.Kind || then.Command != now.Command || then.Subject != now.Subject)
            return false;
        return then.Kind switch
        {
            EntryKind.TaskScheduled => IsSame(then.Payload, now.Payload, now.PayloadType!),
            EntryKind.Checkpoint => ((CheckpointOf)then.Payload!).State.Span.SequenceEqual(((CheckpointOf)now.Payload!).State.Span),
            EntryKind.ChildStarted => then.Payload is ChildOf a && now.Payload is ChildOf b && a.Agent == b.Agent && a.Task == b.Task && IsSame(a.Input, b.Input, now.PayloadType!),
            _ => true,
        };
    }

    private string Difference(long number, string then, string now) => _isOfAnotherRun
        ? $"at entry {number} the journal has {then}, the code of agent {Agent.Id} {Agent.Version} now asks for {now}"
        : IsShadow
        ? $"the body of agent {Agent.Id} {Agent.Version} does not do the same each time (JobOptions.Verify): at entry {number} the journal has {then}, run again on the same it asks for {now}. What it needs from outside it must get through its context: `context.Now`, `context.NewId()`, `context.Random`, or `await context.StepAsync(\"name\", async task => …)`."
        : $"the code of agent {Agent.Id} {Agent.Version} is not what this job was run with, or does not do the same each time: at entry {number} the journal has {then}, the code now asks for {now}. Bring back the code that ran it, then resume the job; nothing is lost.";

    // What a later version may say otherwise, and the same code may not.
    private static bool SaysTheSame(JournalEntry then, JournalEntry now) => then.Kind switch
    {
        EntryKind.Event or EntryKind.QuestionAsked or EntryKind.ChildSignalled or EntryKind.JobCompleted => IsSame(then.Payload, now.Payload, now.PayloadType!),
        EntryKind.TimerSet => (long)then.Payload! == (long)now.Payload!,
        _ => true,
    };

    private static bool IsSame(object? then, object? now, PayloadType type) => then is StoredPayload stored && type.IsSame(stored.Json.Span, now);

    private static string InWords(JournalEntry? entry) => entry is null ? "nothing" : $"{EntryWords.Of(entry.Kind)}{(entry.Subject is null ? "" : $" {entry.Subject}")}{(entry.Command > 0 ? $" (command {entry.Command})" : "")}{InputOf(entry)}";

    private static string InputOf(JournalEntry entry)
    {
        const int shown = 200;
        if (entry.Kind == EntryKind.TimerSet)
            return $" until {new DateTimeOffset((long)entry.Payload!, TimeSpan.Zero):O}";
        if (entry.PayloadType is not { } type || entry.IsDelivery)
            return "";
        string input = type.Write(entry.Payload is ChildOf child ? child.Input : entry.Payload).GetRawText();
        return $" with {(entry.Kind is EntryKind.TaskScheduled or EntryKind.ChildStarted ? "input" : entry.IsEnding ? "output" : "data")} {(input.Length > shown ? input[..shown] + "…" : input)}";
    }

    /// <summary>Stops without an end: the job goes on when somebody resumes it.</summary>
    public void Suspend(string reason)
    {
        if (_suspended is not null || (Ended is not null && !IsShadow))
            return;
        _suspended = reason;
        if (IsShadow)
            return;
        _engine.Log.JobSuspended(Id, reason);
        Span?.Begin();
        _ = DetachAsync(new JobSuspendedException(Id, reason));
        (Journal as StoredJobJournal)?.Touch();
    }

    /// <summary>All that is known of a job when its process starts.</summary>
    /// <param name="entries">All entries of its journal.</param>
    /// <param name="shown">The last of them that its parent's journal shows.</param>
    internal sealed class RecoverDelivery(JournalEntry[] entries, long shown) : Delivery
    {
        public override void Deliver(JobRunner runner)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.ChildShownAgain)) ShowMissing(runner.Parent ?? runner, runner.Id, runner.Parent is null ? [] : entries, 0); else
#endif
            if (runner.Parent is { } parent)
                ShowMissing(parent, runner.Id, entries, shown);
            runner.Replay(entries);
            runner._recovered.TrySetResult();
        }

        public override void Dropped(JobRunner runner) => runner._recovered.TrySetResult();
    }

    private sealed class AbandonDelivery(JobEnding outcome) : Delivery
    {
        public override void Deliver(JobRunner runner) => runner.Abandon(outcome);
    }

    private sealed class UnknownDelivery(string reason) : Delivery
    {
        public override void Deliver(JobRunner runner) => runner.Suspend(reason);
    }
}
