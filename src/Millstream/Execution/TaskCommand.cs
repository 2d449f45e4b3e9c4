namespace Millstream;

/// <summary>
/// One task of a job from its command to its end, over all its attempts. Grants, timers, stops and ends of attempts come from any
/// thread, so its own lock guards it; nothing is called under that lock but the attempt.
/// </summary>
internal abstract partial class TaskCommand(AgentTask task, object? input, string subject, RunSettings settings) : PendingCommand, IThreadPoolWorkItem
{
    private TaskRequest? _request;
    private TaskAttempt? _attempt;
    private object? _output;
    private TaskError? _error;
    private int _attempts;
    private bool _isStopped;
    private bool _isCompleted;
    private bool _isOver;
    private bool _isDetached;
    private long _since;

    public AgentTask Task => task;

    /// <summary>The input; a task of a job that may be replayed gets a copy of its own for each attempt.</summary>
    public object? Input => Runner.Copy(task.InputType, input);

    public string Subject => subject;

    public TaskPolicy Policy => settings.Policy;

    /// <summary>What traces call it; null for what its task is called.</summary>
    public IWorkTrace? Trace => settings.Trace;

    /// <summary>Whether an attempt is under way.</summary>
    public bool IsRunning => Volatile.Read(ref _attempt) is not null;

    public override string Waker => $"task {Subject}, which {Info().Detail}";

    public override JournalEntry CommandEntry()
    {
        _since = Runner.Now;
        return Entry(EntryKind.TaskScheduled, Subject, input, task.InputType, attempt: 1);
    }

    public override JournalEntry StopEntry() => Entry(EntryKind.TaskStopping, Subject);

    /// <summary>Asks the fleet alone; a turn's tasks are handed in together by <see cref="Fleet.Exchange"/>.</summary>
    public override void Start() => Runner.Engine.Fleet.Submit(this);

    /// <summary>A new request of the scheduler with the old place in line. Called by the fleet under its lock.</summary>
    public TaskRequest MakeRequest(Scheduler scheduler)
    {
        TaskShape shape = scheduler.Intern(_needs!);
        return _request = new TaskRequest(Runner.Scheduling, Number, shape, Subject, settings.Rank) { Tag = this, PlanTask = settings.PlanTask };
    }

    /// <summary>The scheduler gave what it asked for.</summary>
    public void Granted(Grant grant)
    {
        bool isUnwanted, isStale;
        lock (this)
        {
            // A revocation may have been faster than this.
            if (grant.State != GrantState.Held)
                return;
            isUnwanted = _isStopped || _isOver || _isDetached;
            // A task that is stopped ends when the attempt that lost its lease has ended, and not before.
            isStale = grant.Request != _request || (isUnwanted && _attempt is not null);
#if MILLSTREAM_PLANTED_BUGS
            isStale &= !(PlantedBugs.Is(Bug.StopEndsBeforeLostAttempt) && isUnwanted);
#endif
            if (!isUnwanted && !isStale)
            {
                if (_attempt is not null)
                {
                    NextGrant = grant;
                    return;
                }
                Begin(grant);
            }
        }
        if (isStale)
            Runner.Engine.Fleet.Release(grant);
        else if (isUnwanted)
            Refuse(grant);
        else
            TaskTail.Schedule(Runner.Engine.Executor, this);
    }

    /// <summary>No worker can ever give it.</summary>
    public void NeverFeasible(string reason) => End(null, new TaskError(Subject, _attempts, ErrorTypes.NeverFeasible, $"task {Subject} can never run: {reason}", false));

    /// <summary>What was granted is gone; the request waits again with its old place in line.</summary>
    public void Revoked(Grant grant, string reason)
    {
        bool isAtWork;
        lock (this)
        {
            isAtWork = _attempt?.Grant == grant;
            if (NextGrant == grant)
                NextGrant = null;
            else if (isAtWork)
                _attempt!.Cancel(AttemptEnd.LeaseLost, reason);
        }
        if (!isAtWork)
            Runner.Engine.Fleet.EndQuarantine(grant);
    }

    /// <summary>When the attempt was granted that runs or is about to, as the fleet has it.</summary>
    public long GrantedAt => Volatile.Read(ref _attempt)?.Grant.GrantedAt ?? 0;

    /// <summary>Runs the attempt that was granted last.</summary>
    public void Execute() => TaskTail.Run(Runner.Engine.Executor, Runner.Engine.Fleet, this);

    /// <summary>Runs the attempt that was granted last, and nothing after it.</summary>
    public void RunAttempt() => Volatile.Read(ref _attempt)?.Run();

    public override void Stop()
    {
        TaskRequest? waiting = null;
        bool isIdle = false;
        lock (this)
        {
            if (_isOver)
                return;
            _isStopped = true;
            if (_attempt is not null)
                _attempt.Cancel(AttemptEnd.Stopped, null);
            else if (BackOff is not null || _isInDoubt)
                isIdle = true;
            else
                waiting = _request;
        }
        // A grant that is on its way finds that it is not wanted.
        if (isIdle || (waiting is not null && Runner.Engine.Fleet.Withdraw(waiting)))
            End(null, null);
    }

    /// <summary>An attempt is over; says what follows. False where it was left behind before, and then nothing does.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="output">What it gave.</param>
    /// <param name="error">What it threw, or null.</param>
    /// <param name="isInline">Whether the caller's stack is the runtime's own, so that the job's turn may run on it.</param>
    /// <param name="isLeftBehind">Whether it is left behind now, and its code goes on.</param>
    public bool AttemptEnded(TaskAttempt attempt, object? output, Exception? error, bool isInline, bool isLeftBehind = false)
    {
        // One that was left behind long ago is not made JSON for nothing.
        if (attempt.IsOver)
            return false;
        int size = 0;
        bool isUnrecordable = false;
        if (error is null && Runner.Copies)
        {
            (output, error, size) = Recorded(output);
            isUnrecordable = error is not null;
        }
        TaskError? failure = null;
        SecretMissingException? missing = null;
        TimeSpan delay = default;
        bool isAgain = false, isRequeued = false, isInDoubt = false, isDetached, isEnd;
        PlaceInLine place = default;
        lock (this)
        {
            if (!attempt.TryClose())
                return false;
            _outputSize = size;
            // One that has shown nothing leaves what is to be superseded as it is.
            if (attempt.Shown.Attempt > 0)
                Shown = attempt.Shown;
            isDetached = _isDetached;
            AttemptEnd end = attempt.Ending;
            if (error is not null && !isDetached)
            {
                // It ran to its end, and would again: what told it to stop meanwhile, as a timeout, does not stand before that.
                failure = attempt.ErrorOf(error, isUnrecordable ? AttemptEnd.None : end);
                // What was refused has not happened.
                bool isRefused = failure.Type == ErrorTypes.ResourceBusy;
#if MILLSTREAM_PLANTED_BUGS
                isRefused &= !PlantedBugs.Is(Bug.BusyCounted);
#endif
                if (end == AttemptEnd.LeaseLost && !_isStopped && !isUnrecordable)
                {
                    (isAgain, isRequeued, isInDoubt) = (!Policy.AtMostOnce, !Policy.AtMostOnce, Policy.AtMostOnce);
                }
                else if (end == AttemptEnd.Stopped || _isStopped)
                {
                    failure = null;
                }
                else if (error is SecretMissingException lacks && !(Policy.AtMostOnce && attempt.HasStarted))
                {
                    (missing, isAgain, delay) = (lacks, true, SecretPause);
                    if (!attempt.HasStarted)
                        _attempts--;
                }
                else if (isRefused)
                {
                    (isAgain, delay) = (true, ((ResourceBusyException)error).RetryAfter ?? TimeSpan.Zero);
                }
                else if (failure.Retryable && ++Failures < Policy.Retry.Attempts)
                {
                    delay = Policy.Retry.DelayAfter(Failures, (error as RetryableTaskException)?.RetryAfter, Runner.Engine.NextRandom());
                    isAgain = true;
                }
            }
            isEnd = !isDetached && !isInDoubt && !isAgain && TryEnd(error is null ? output : null, failure, isCompleted: error is null);
            if (isEnd)
                _ended = attempt;
            // What comes next begins when this one's end is told; until then a new grant for its place waits.
            if (!isRequeued)
            {
                _attempt = null;
                place = TakePlace(attempt.Grant);
            }
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.PlaceGivenUpLate)) { lock (this) (_request, NextGrant) = (place.Request ?? _request, place.Next ?? NextGrant); place = default; }
#endif
        GiveUp(place);
        // What it held may be given to anybody now, to this task as well.
        attempt.HasEnded(isLeftBehind);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.PlaceGivenUpLate) && !isRequeued) { lock (this) place = TakePlace(attempt.Grant); GiveUp(place); }
#endif
        if (error is null)
            Runner.Planner?.Took(settings.PlanTask, Runner.Engine.Fleet.Passed - attempt.Grant.GrantedAt);
        attempt.Span?.End(error is null ? TaskOutcomes.Completed : isDetached ? TaskOutcomes.Detached : isInDoubt ? TaskOutcomes.InDoubt : isRequeued ? TaskOutcomes.LeaseLost
            : isAgain ? TaskOutcomes.Retried : failure is null ? TaskOutcomes.Stopped : TaskOutcomes.Failed, failure, isAgain ? delay : null, output);
        if (isDetached)
            Runner.Engine.Fleet.Release(attempt.Grant);
        else if (isInDoubt)
            Doubt(false);
        else if (isAgain)
            TryAgain(attempt, failure!, delay, isRequeued, missing);
        else if (isEnd)
            Ended(attempt.Grant, isInline);
        return true;
    }

    protected override JournalEntry EndEntry()
    {
        if (_error is not null)
            return Entry(EntryKind.TaskFailed, Subject, _error, attempt: Math.Max(1, _attempts));
        return _isCompleted
            ? Entry(EntryKind.TaskCompleted, Subject, _output, task.OutputType, _attempts)
            : Entry(EntryKind.TaskCancelled, Subject, attempt: Math.Max(1, _attempts));
    }

    protected override void Settle()
    {
        if (_error is not null)
            SettleError(new TaskFailedException(_error));
        else if (_isCompleted)
            SettleResult(_output);
        else
            SettleCancelled(StoppedBy);
    }

    protected abstract void SettleResult(object? output);

    protected abstract void SettleError(TaskFailedException error);

    protected abstract void SettleCancelled(CancellationToken token);

    private void Begin(Grant grant)
    {
        // A place in line that was kept counts from when it was needed again.
        long waited = grant.GrantedAt - Math.Max(grant.Request.SubmittedAt, _since);
        int number = ++_attempts;
        _attempt = new TaskAttempt(this, grant, number, AttemptSpan.IsWanted(Runner) ? new AttemptSpan(this, grant, number, waited) : null);
    }

    private void Refuse(Grant grant)
    {
        Runner.Engine.Fleet.Release(grant);
        if (!_isDetached)
            End(null, null);
    }

    /// <summary>A lost lease put the request in line again; the task that ended otherwise in the meantime needs neither the place nor what was given for it.</summary>
    private PlaceInLine TakePlace(Grant ended)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.LostLeaseKeepsPlace)) return default;
#endif
        if (ended.State != GrantState.Revoked)
            return default;
        PlaceInLine place = new(_request, NextGrant);
        (_request, NextGrant) = (null, null);
        return place;
    }

    private void GiveUp(PlaceInLine place)
    {
        if (place.Next is { } next)
            Runner.Engine.Fleet.Release(next);
        else if (place.Request is { } request)
            Runner.Engine.Fleet.Withdraw(request);
    }

    private void TryAgain(TaskAttempt attempt, TaskError error, TimeSpan delay, bool isRequeued, SecretMissingException? missing)
    {
        if (missing is null)
            Runner.Note(new JournalEntry(EntryKind.TaskRetried) { Command = Number, Subject = Subject, Attempt = attempt.Attempt, Payload = new RetryOf(error, delay) });
        else
            NoteMissing(missing);
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.LeaseKeptOnRetry))
#endif
        if (!isRequeued)
            Runner.Engine.Fleet.Release(attempt.Grant);
        Supersede(attempt.Attempt);
        bool isStopped, isGranted = false, isDue = false;
        PlaceInLine place = default;
        lock (this)
        {
            if (isRequeued)
                _attempt = null;
            _since = Runner.Engine.UtcTicks;
            Refusal = error.Type == ErrorTypes.ResourceBusy ? error.Message : null;
            isStopped = _isStopped;
            if (isStopped || _isDetached)
            {
                place = TakePlace(attempt.Grant);
            }
            else if (!isRequeued && delay <= TimeSpan.Zero)
            {
                (BackOff, isDue) = (NoTimer.Instance, true);
            }
            else if (!isRequeued)
            {
                BackOff = LongTimer.Start(Runner.Engine.Time, static state => ((TaskCommand)state!).BackOffIsOver(), this, delay);
            }
            else if (NextGrant is { State: GrantState.Held } next)
            {
                // The scheduler kept its place; the new grant came while the old attempt was still ending.
                Begin(next);
                isGranted = true;
                NextGrant = null;
#if MILLSTREAM_PLANTED_BUGS
                isGranted = !PlantedBugs.Is(Bug.RequeuedAttemptForgotten);
#endif
            }
        }
        if (isDue)
            BackOffIsOver();
        else if (isGranted)
            Runner.Engine.Executor.Schedule(this);
        GiveUp(place);
        if (isStopped)
            End(null, null);
    }

    private void BackOffIsOver()
    {
        lock (this)
        {
            if (BackOff is null || _isStopped || _isDetached)
                return;
        }
        // It may read files, so nobody may wait for it.
        bool isMissing = IsStillMissing();
        lock (this)
        {
            if (BackOff is null || _isStopped || _isDetached)
                return;
            BackOff.Dispose();
            if (isMissing)
            {
                BackOff = LongTimer.Start(Runner.Engine.Time, static state => ((TaskCommand)state!).BackOffIsOver(), this, SecretPause);
                return;
            }
            BackOff = null;
            _request = null;
            _since = Runner.Engine.UtcTicks;
        }
        Runner.Engine.Fleet.Submit(this);
        // A stop in between found no request to withdraw.
        bool isStopped;
        lock (this)
            isStopped = _isStopped;
        if (isStopped)
            Stop();
    }
}

/// <inheritdoc/>
internal sealed class TaskCommand<TOutput>(AgentTask task, object? input, string subject, RunSettings settings) : TaskCommand(task, input, subject, settings)
{
    private readonly TaskCompletionSource<TOutput> _promise = new();

    public Task<TOutput> Promise => _promise.Task;

    protected override void SettleResult(object? output) => _promise.TrySetResult((TOutput)output!);

    protected override void SettleError(TaskFailedException error) => _promise.TrySetException(error);

    protected override void SettleCancelled(CancellationToken token) => _promise.TrySetCanceled(token);
}
