namespace Millstream;

/// <content>One delivery, the body's answer to it, one record.</content>
internal sealed partial class JobRunner
{
    private const int MaxCommands = 1_000_000;
    private const long MaxTurnBytes = 256L * 1024 * 1024;

    [ThreadStatic]
    private static JobRunner? s_current;

    private readonly TurnContext _turnContext;
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _ready = new(0);
    private Turn _turn = new();
    private bool _inTurn;
    private string? _lastCommand;

    /// <summary>The recorded time of the turn's delivery, in UTC ticks; never goes back.</summary>
    public long Now { get; private set; }

    /// <summary>Whether this thread is inside this job's turn.</summary>
    public bool IsInTurn => s_current == this && _inTurn;

    /// <summary>Adds an entry to the turn's record.</summary>
    public void Add(JournalEntry entry)
    {
        Turn turn = _turn;
        turn.Entries.Add(entry);
        turn.Size += entry.Size;
    }

    /// <summary>Checks that the turn may ask for so much more. The runtime's own entries are never refused.</summary>
    /// <exception cref="InvalidOperationException">It may not.</exception>
    public void CheckRoom(int commands)
    {
        Turn turn = _turn;
        if (turn.Entries.Count + (long)commands <= MaxCommands && turn.Size <= MaxTurnBytes)
            return;
        throw new InvalidOperationException(
            $"One turn of agent {Agent.Id} asked for {turn.Entries.Count + (long)commands:N0} commands of {turn.Size / (1024 * 1024)} MiB; a turn holds at most {MaxCommands:N0} commands and {MaxTurnBytes / (1024 * 1024)} MiB. Await something in between, as `await context.FlushAsync()`.");
    }

    /// <summary>Checks that too, and makes the room.</summary>
    public void MakeRoom(int commands)
    {
        CheckRoom(commands);
        _turn.Entries.EnsureCapacity(_turn.Entries.Count + commands);
        _turn.Effects.EnsureCapacity(_turn.Effects.Count + commands);
    }

    /// <summary>A continuation of the body is ready.</summary>
    public void Post(SendOrPostCallback callback, object? state)
    {
        if (IsInTurn)
            _ready.Enqueue((callback, state));
        else
            RecordFault($"the body of agent {Agent.Id} was resumed by something that its context did not give{LastCommand}. {Advice}");
    }

    /// <summary>Tells the job that its body left its turn.</summary>
    public void RecordFault(string message)
    {
        if (!IsBodyOver)
            Enqueue(new FaultDelivery(new JobError(ErrorTypes.OutsideTurn, message)));
    }

    /// <summary>What a sender of something durable hears after this turn.</summary>
    public void AnswerWhenDurable(SentDelivery sent, SignalResult result = SignalResult.Accepted) => (_turn.Sent ??= []).Add((sent, result));

    private const string Advice = "Outside work goes into a step, `await context.StepAsync(\"name\", async task => …)`; waiting is `await context.DelayAsync(time)`; and no ConfigureAwait(false), Task.Run, ContinueWith or Task.WhenEach in a body.";

    private string LastCommand => _lastCommand is null ? "" : $"; the last thing it asked for was {_lastCommand}";

    private void RunTurn(Delivery delivery)
    {
        Now = _recorded is { } recorded ? recorded.Span[0].Time : Journal.BeginTurn();
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.NowNotRecorded)) Now = Math.Max(Now, Journal.Time);
#endif
        if (Span is not null && _body is not null && !IsReplaying)
            Span.Begin();
        SynchronizationContext? previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_turnContext);
        JobRunner? outer = s_current;
        s_current = this;
        _inTurn = true;
        try
        {
            try
            {
                delivery.Deliver(this);
                while (_ready.TryDequeue(out (SendOrPostCallback Callback, object? State) next) && !IsBodyOver)
                    next.Callback(next.State);
            }
            catch (Exception e)
            {
                // An async void of the body threw, or a turn grew over its limit.
                Abandon(new JobEnding.Failed(JobError.Of(e)));
            }
            CheckEnd();
        }
        finally
        {
            _inTurn = false;
            s_current = outer;
            SynchronizationContext.SetSynchronizationContext(previous);
        }
        Commit();
    }

    private void Commit()
    {
        Turn turn = _turn;
        if (IsReplaying)
        {
            Compare(turn);
            return;
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.SecondCancelUnanswered) && turn.Entries.Count == 0) { Journal.EndTurn(); return; }
#endif
        // A sender may hear something that no entry follows from (a duplicate, a second cancel), but not before what it rests on is durable.
        if (turn.Entries.Count == 0 && turn.Sent is null && turn.Taken is null)
        {
            Journal.EndTurn();
            return;
        }
        // A note that takes something out of the inbox is none to a replay.
        if (turn.Entries.Count > 0)
            turn.Entries[^1].EndsTurn = !turn.Entries[^1].IsNote;
        turn.Runner = this;
        turn.IsLast = Ended is not null;
        if (IsStopped)
        {
            // As if the process had gone before this turn: nothing is recorded, nothing is done.
            _ended = null;
            turn.Drop();
            Journal.EndTurn();
            return;
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.TurnInTwoAppends) && turn.Entries.Count > 2) { Journal.Append([turn.Entries[0]], null); turn.Entries.RemoveAt(0); }
#endif
        // It got further than any process before: what has happened since is not what brings processes down.
        if (turn.Entries.Count > 0)
            _restarts = 0;
        long size = turn.Size;
        if (turn.Taken is not null)
            TakeOutOfInbox(turn);
        JournalEntry? checkpoint = turn.Checkpoint;
        // A store that fails clears the turn at once.
        List<JournalEntry>? verified = _verification is null ? null : [.. turn.Entries];
        bool durable = Journal.Append(turn.Entries, turn);
        if (verified is not null)
            _verification!.Add(verified);
        if (checkpoint is not null)
            _checkpoint = checkpoint.Number;
        // Of a job in a store the journal says what is stored, and that is shown.
        if (durable)
            Show(turn.Entries);
#if MILLSTREAM_PLANTED_BUGS
        durable |= PlantedBugs.Is(Bug.EffectsBeforeDurable);
#endif
        if (!durable)
        {
            // It may be durable by now and counted off already.
            lock (_gate)
                _undurable += size;
            _turn = new Turn();
            return;
        }
        Apply(turn);
        turn.Clear();
    }

    // In the order in which the body asked, and never before the record is durable.
    private void Apply(Turn turn)
    {
        // What is recorded when the process goes is done by the next one.
        if (IsStopped)
            turn.Effects.Clear();
        _engine.Fleet.Exchange(turn);
        Planner?.Consider();
        for (int i = 0; i < turn.Effects.Count; i++)
        {
            Effect effect = turn.Effects[i];
            if (effect.IsStop)
                effect.Command.Stop();
            else if (effect.Signal is { } signal)
                ((ChildCommand)effect.Command).Send(signal);
            else if (effect.Command is not TaskCommand)
                effect.Command.Start();
        }
        foreach ((SentDelivery sent, SignalResult result) in turn.Sent ?? [])
            sent.Answer(result);
        _created.TrySetResult(AppendResult.Appended);
        if (turn.IsLast)
            Finish();
    }

    /// <summary>
    /// A durable entry of a child has a small entry in its parent's stream. The child's is durable first: its parent's journal must not name what is
    /// not there.
    /// </summary>
    public void Show(IReadOnlyList<JournalEntry> entries)
    {
        if (Parent is not { } parent)
            return;
        foreach (JournalEntry entry in entries)
            ShowIn(parent, Id, entry);
    }

    private static void ShowIn(JobRunner parent, JobId child, JournalEntry entry)
    {
        if (!entry.IsShownInParent)
            return;
        JournalEntry pointer = new(EntryKind.ChildEntry) { Subject = child.Value, Payload = new ChildPointer(child, entry, entry.Number) };
        parent.Note(pointer);
    }

    /// <summary>What a command does to the world: start, stop, or pass a signal on to a child.</summary>
    internal readonly record struct Effect(PendingCommand Command, bool IsStop, SignalDelivery? Signal = null);

    /// <summary>One turn's record and what follows from it.</summary>
    internal sealed class Turn : IDurable
    {
        public List<JournalEntry> Entries { get; private set; } = new(4);

        public List<Effect> Effects { get; private set; } = new(2);

        /// <summary>What ended tasks held; given back together with what this turn asks for.</summary>
        public List<Grant>? Releases { get; set; }

        public List<(SentDelivery Sent, SignalResult Result)>? Sent { get; set; }

        /// <summary>Items of the inbox that were delivered in it.</summary>
        public List<long>? Taken { get; set; }

        public long Size { get; set; }

        public bool IsLast { get; set; }

        /// <summary>The newest state in it, or null.</summary>
        public JournalEntry? Checkpoint { get; set; }

        public JobRunner? Runner { get; set; }

        public Turn? NextDurable { get; set; }

        /// <summary>Tells those who wait that the process is going.</summary>
        public void Drop()
        {
            foreach (Grant grant in Releases ?? [])
                Runner!.Engine.Fleet.Release(grant);
            foreach ((SentDelivery sent, _) in Sent ?? [])
                sent.Dropped(Runner!);
            Clear();
        }

        public void Durable() => Runner!.TurnIsDurable(this);

        public void Lost() => Drop();

        public void Clear()
        {
            const int kept = 256;
            if (Entries.Capacity > kept)
                Entries = new(4);
            else
                Entries.Clear();
            if (Effects.Capacity > kept)
                Effects = new(2);
            else
                Effects.Clear();
            Releases?.Clear();
            Sent = null;
            Taken = null;
            Checkpoint = null;
            Size = 0;
        }
    }
}
