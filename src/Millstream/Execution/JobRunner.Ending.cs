namespace Millstream;

/// <content>How a job begins and ends: exactly one last entry.</content>
internal sealed partial class JobRunner
{
    private CancellationTokenSource? _cancelled;
    private Task<object?>? _body;
    private JobEnding? _outcome;
    private ISignalSink? _signals;
    private HashSet<string>? _senders;
    private ITimer? _graceTimer;
    private IDisposable? _deadline;
    private long _graceUntil;
    private string? _cancelReason;
    private bool _isCancelled;
    private bool _isDeadline;
    private volatile bool _isBodyOver;
    private volatile JobEnding? _ended;

    /// <summary>How it ended, or null.</summary>
    public JobEnding? Ended => _ended;

    /// <summary>How it ended; done for outsiders when the last entry is durable.</summary>
    public Task<JobEnding> Ending => Ties.Ending.Task;

    /// <summary>The same for who holds on to it while the job leaves memory and comes back; null where it has left.</summary>
    public Task<JobEnding>? WhenEndedAsync()
    {
        lock (_gate)
            return _hasLeft ? null : Ties.WhenEnded();
    }

    public long EndedAt { get; private set; }

    /// <summary>Whether the body has returned or will never be resumed.</summary>
    public bool IsBodyOver => _isBodyOver;

    /// <summary>Fires inside a turn.</summary>
    public CancellationToken CancelledToken => (_cancelled ??= NewCancelled()).Token;

    /// <summary>Told once, when the job has ended.</summary>
    public Action<JobRunner>? WhenEnded { get; init; }

    public AgentContext<TEvent, TSignal> MakeContext<TEvent, TSignal>()
    {
        JobContext<TEvent, TSignal> context = new(this);
        _signals = context;
        return context;
    }

    public void BeginBody(object? input)
    {
        if (!IsShadow && Options.Deadline is { } deadline)
            _deadline = LongTimer.Start(_engine.Time, static state => ((JobRunner)state!).Enqueue(new CancelDelivery("its deadline has passed", isDeadline: true)), this, Until(deadline.UtcTicks));
        Span?.Name(Agent.NameFor(input));
        if (!IsReplaying)
            BeginSpan();
        _body = Agent.RunErasedAsync(input, this);
    }

#if MILLSTREAM_PLANTED_BUGS
    public void ForgetSender(string id) => _senders?.Remove(id);

#endif
    public bool IsNewSender(string id) => (_senders ??= new(StringComparer.Ordinal)).Add(id);

    public void Receive(object? signal)
    {
        if (!IsBodyOver)
            _signals?.Add(signal);
    }

    public void Cancel(string? reason, bool isDeadline)
    {
        if (_isCancelled || _outcome is not null)
            return;
        _isCancelled = true;
        _isDeadline = isDeadline;
        _cancelReason = reason;
        Add(new JournalEntry(EntryKind.JobCancelling, Now) { Payload = reason, Subject = isDeadline ? "deadline" : null });
        StopPending(withCleanUp: false);
        ExtendGrace(_engine.Options.GracePeriod);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.CancelNotReplayed) && IsReplaying) return;
#endif
        _cancelled?.Cancel();
        _signals?.Cancel(CancelledToken);
    }

    /// <summary>Ends the body without its consent: it is never resumed.</summary>
    public void Abandon(JobEnding outcome)
    {
        if (_outcome is not null)
            return;
        _isBodyOver = _isAbandoned = true;
        _ready.Clear();
        SetOutcome(outcome);
    }

    public void EndGrace()
    {
        if (_outcome is null && Journal.Time >= _graceUntil)
            Abandon(new JobEnding.Cancelled(_cancelReason));
        else if (_outcome is null)
            ArmGrace();
    }

    private CancellationTokenSource NewCancelled()
    {
        CancellationTokenSource made = new();
        if (_isCancelled)
            made.Cancel();
        return made;
    }

    /// <summary>At the end of a turn: has the body ended, has everything ended, or does it wait for nothing?</summary>
    private void CheckEnd()
    {
        // What a suspended body does is nobody's business.
        if (_suspended is not null)
            return;
        if (_outcome is null && _body is { IsCompleted: true } body)
        {
            _isBodyOver = true;
            SetOutcome(OutcomeOf(body));
        }
        else if (_outcome is null && _body is not null && _firstPending is null && _signals?.IsWaiting != true)
        {
            Abandon(new JobEnding.Failed(new JobError(ErrorTypes.OutsideTurn, $"the body of agent {Agent.Id} waits for nothing that its context gave{LastCommand}. {Advice}")));
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.EndBeforeTasksEnded) && _outcome is not null) _firstPending = _lastPending = null;
#endif
        if (_outcome is not null && _firstPending is null && _ended is null)
        {
            EndedAt = Now;
            _outcome = Verified(_outcome);
            Add(EndingEntry(_outcome));
            _ended = _outcome;
        }
    }

    private void SetOutcome(JobEnding outcome)
    {
        // What comes of a cancelled body does not change that it was cancelled.
        if (_isCancelled && !IsReplaying && outcome is JobEnding.Failed { Error: { } fault })
            _engine.Log.CancelledBodyFailed(Id, fault.Message);
        _outcome = _isCancelled ? CancelledEnding() : outcome;
        if (_firstPending is null)
            return;
        Add(new JournalEntry(EntryKind.JobReturned, Now) { Payload = (outcome as JobEnding.Failed)?.Error });
        StopPending();
    }

    private JobEnding OutcomeOf(Task<object?> body)
    {
        if (_isCancelled && !body.IsFaulted)
            return CancelledEnding();
        if (body.IsCompletedSuccessfully)
            return CompletedWith(body.Result);
        return body.Exception?.InnerException is { } error
            ? new JobEnding.Failed(JobError.Of(error))
            : new JobEnding.Failed(new JobError(nameof(OperationCanceledException), $"the body of agent {Agent.Id} ended with an OperationCanceledException, but the job was not cancelled; catch it where the token is the body's own"));
    }

    private JobEnding CompletedWith(object? output)
    {
        try
        {
            return new JobEnding.Completed(Copy(Agent.Contract.Output, output));
        }
        catch (PayloadTooLargeException e)
        {
            return new JobEnding.Failed(JobError.Of(new PayloadTooLargeException($"the output of agent {Agent.Id}", e.Size, e.Limit, "return the path of a file with it, or return less")));
        }
        catch (Exception e)
        {
            // Converters and properties are the agent's code.
            return new JobEnding.Failed(JobError.Of(e) with { Message = $"the output of agent {Agent.Id} cannot be JSON and read back: {e.Message}" });
        }
    }

    private JobEnding CancelledEnding() => _isDeadline
        ? new JobEnding.Failed(new JobError(ErrorTypes.DeadlineExceeded, $"the job did not end by its deadline {Options.Deadline:O} (JobOptions.Deadline)"))
        : new JobEnding.Cancelled(_cancelReason);

    private JournalEntry EndingEntry(JobEnding outcome) => outcome switch
    {
        JobEnding.Completed completed => new JournalEntry(EntryKind.JobCompleted, Now) { Payload = completed.Output, PayloadType = Agent.Contract.Output },
        JobEnding.Failed failed => new JournalEntry(EntryKind.JobFailed, Now) { Payload = failed.Error },
        JobEnding.Cancelled cancelled => new JournalEntry(EntryKind.JobCancelled, Now) { Payload = new JobError(ErrorTypes.Cancelled, cancelled.Reason ?? "cancelled") },
        _ => throw new InvalidOperationException($"{outcome} is no ending."),
    };

    private void ExtendGrace(TimeSpan limit)
    {
        _graceUntil = Math.Max(_graceUntil, LongTimer.After(Journal.Time, limit));
        if (_isCancelled && !IsShadow)
            ArmGrace();
    }

    private void ArmGrace()
    {
        _graceTimer ??= _engine.Time.CreateTimer(static state => ((JobRunner)state!).Enqueue(new GraceDelivery()), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        TimeSpan left = Until(_graceUntil);
        // Where it comes early it is set again.
        _graceTimer.Change(left < LongTimer.Longest ? left : LongTimer.Longest, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Until(long ticks) => TimeSpan.FromTicks(Math.Max(0, ticks - Journal.Time));

    private void DisposeTimers()
    {
        _graceTimer?.Dispose();
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.DeadlineNotStopped)) return;
#endif
        _deadline?.Dispose();
        foreach (TimerCommand timer in Pending<TimerCommand>())
            timer.Detach();
    }

    private void Finish()
    {
        DisposeTimers();
        _body = null;
        _signals = null;
        _senders = null;
        Journal.Close();
        if (Parent is null)
            _engine.Durable?.Forget(this);
        EndSpan(isEnded: true);
        WhenEnded?.Invoke(this);
        Ties.Ending.TrySetResult(_ended!);
    }
}

/// <summary>Where signals go.</summary>
internal interface ISignalSink
{
    /// <summary>Whether the body waits for a signal.</summary>
    bool IsWaiting { get; }

    void Add(object? signal);

    void Cancel(CancellationToken token);
}
