using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>Why a running attempt was told to stop.</summary>
internal enum AttemptEnd { None, Stopped, TimedOut, LeaseLost, Detached }

/// <summary>
/// One attempt of a task under one lease, and what the task's code sees of it. Told to stop, it gets its token, then a grace period; then its
/// sessions are closed, and code that still does not end is left behind with its units out of use until it does. The command's lock guards it.
/// </summary>
internal sealed class TaskAttempt(TaskCommand command, Grant grant, int number, AttemptSpan? span) : TaskContext, IThreadPoolWorkItem
{
    private CancellationTokenSource? _source;
    private AttemptLease? _lease;
    private IServiceScope? _scope;
    private IDisposable? _timeout;
    private StopOf? _stop;
    private AttemptOutput? _output;
    private long _wallStart;
    private bool _isBegun;
    private bool _isScopeClosed;
    private bool _isOver;

    public Grant Grant => grant;

    public AttemptSpan? Span => span;

    /// <summary>What the wall clock showed when it was granted, in UTC ticks. Worked out once, since two clocks never agree to the tick. Called under the lock.</summary>
    public long WallStart => _wallStart != 0 ? _wallStart : _wallStart = Engine.Fleet.WallTimeOf(grant.GrantedAt);

    /// <summary>Whether it has ended or was left behind.</summary>
    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Whether its begin is on record.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Why it was told to stop; the first reason counts.</summary>
    public AttemptEnd Ending => _stop?.Ending ?? AttemptEnd.None;

    public override JobId JobId => command.Runner.Id;

    public override string TaskId => command.Subject;

    public override int Attempt => number;

    public override string IdempotencyKey => $"{command.Runner.Id}/{command.Number}";

    public override Lease Lease => LeaseOfAttempt;

    public override TimeProvider Time => Engine.Time;

    public override ILogger Logger => Engine.TaskLogger;

    public override CancellationToken CancellationToken
    {
        get
        {
            lock (command)
            {
                if (_source is null)
                {
                    _source = new CancellationTokenSource();
                    if (Ending != AttemptEnd.None)
                        _source.Cancel();
                }
                return _source.Token;
            }
        }
    }

    public override IServiceProvider Services
    {
        get
        {
            lock (command)
            {
                ObjectDisposedException.ThrowIf(_isScopeClosed, this);
                return (_scope ??= Engine.Options.Services?.CreateAsyncScope() ?? throw new InvalidOperationException($"Task {TaskId} asks for services, but {nameof(OrchestratorOptions)}.{nameof(OrchestratorOptions.Services)} is not set.")).ServiceProvider;
            }
        }
    }

    internal Engine Engine => command.Runner.Engine;

    private bool IsToldToStop
    {
        get
        {
            lock (command)
                return Ending != AttemptEnd.None;
        }
    }

    private AttemptLease LeaseOfAttempt
    {
        get
        {
            lock (command)
                return _lease ??= new AttemptLease(Engine.Fleet, grant);
        }
    }

    public override void Delta(ReadOnlySpan<byte> chunk, string stream = "output")
    {
        if (chunk.IsEmpty)
            return;
        lock (command)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (!PlantedBugs.Is(Bug.DeltaAfterEnd))
#endif
            if (_isOver)
                return;
            (_output ??= new AttemptOutput(command, number)).Add(chunk, stream);
        }
    }

    /// <summary>The entries that show its output.</summary>
    public ShownOutput Shown => _output?.Shown ?? default;

    /// <summary>Runs the task's code from its start.</summary>
    public void Run()
    {
        bool isUnwanted;
        lock (command)
        {
            // It may have been given up before a busy machine came to it, and what replaced it was scheduled as well.
            if (_isOver || _isBegun)
                return;
            _isBegun = true;
            isUnwanted = Ending != AttemptEnd.None;
        }
        Engine.AttemptBegins();
        if (isUnwanted)
        {
            End(null, new OperationCanceledException($"task {TaskId} was told to stop before it began"), true);
            return;
        }
        Exception? missing;
        try
        {
            missing = command.FindMissing();
        }
        catch (Exception e)
        {
            // Converters are the task's code.
            missing = e;
        }
        if (missing is not null)
        {
            End(null, missing, true);
            return;
        }
        HasStarted = true;
        JournalEntry started = new(EntryKind.TaskStarted) { Command = command.Number, Subject = command.Subject, Attempt = number, Payload = WhereItRuns() };
        command.Supersede(number - 1);
        bool mayBegin = true;
        if (command.Policy.AtMostOnce)
            mayBegin = command.Runner.Note(started, new WhenDurable(this));
        else
            command.Runner.Note(started);
        if (mayBegin)
            Begin();
    }

    private void Begin()
    {
        IReadOnlyList<GrantMember> members = grant.Members;
        span?.Begin();
        if (command.Policy.Timeout is { } timeout)
        {
            lock (command)
                _timeout = LongTimer.Start(Engine.Time, static state => ((TaskAttempt)state!).TimeOut(), this, timeout);
        }
        if (members.Count > 0)
        {
            _ = RunLeasedAsync();
            return;
        }
        ValueTask<object?> run;
        try
        {
            run = span is null ? command.Task.RunErasedAsync(command.Input, this) : span.Run(this);
        }
        catch (Exception e)
        {
            run = ValueTask.FromException<object?>(e);
        }
        if (run.IsCompletedSuccessfully && _scope is null)
            End(run.Result, null, true);
        else
            _ = AwaitAsync(run);
    }

    /// <summary>Tells the code to stop.</summary>
    public void Cancel(AttemptEnd ending, string? reason)
    {
        lock (command)
        {
            if (_isOver || Ending != AttemptEnd.None)
                return;
            _stop = new StopOf(ending, reason, LongTimer.Start(Engine.Time, static state => ((TaskAttempt)state!).GraceIsOver(), this, Engine.Options.GracePeriod));
        }
        // The token's callbacks are the task's code and may block.
        Engine.Executor.Schedule(this);
    }

    /// <summary>Fires the token.</summary>
    public void Execute()
    {
        CancellationTokenSource? source;
        lock (command)
            source = _isOver ? null : _source;
        try
        {
            source?.Cancel();
        }
        catch (Exception e)
        {
            Engine.Log.CallbackThrew(e, TaskId, JobId);
        }
    }

    /// <summary>What is recorded of an attempt that threw.</summary>
    /// <param name="error">What it threw.</param>
    /// <param name="ending">Why it threw that: what it was told, or <see cref="AttemptEnd.None"/> where that did not matter.</param>
    public TaskError ErrorOf(Exception error, AttemptEnd ending) => ending switch
    {
        AttemptEnd.TimedOut => new TaskError(TaskId, number, ErrorTypes.TimedOut, $"task {TaskId} took longer than its timeout of {Words.Duration(command.Policy.Timeout!.Value)}", true),
        AttemptEnd.LeaseLost => new TaskError(TaskId, number, ErrorTypes.LeaseLost, $"task {TaskId} lost its lease: {_stop!.Reason}", true),
        AttemptEnd.Stopped => new TaskError(TaskId, number, ErrorTypes.Cancelled, $"task {TaskId} was stopped", false),
        _ => new TaskError(TaskId, number, error is ResourceBusyException ? ErrorTypes.ResourceBusy : error.GetType().Name, error.Message, error is not (TerminalTaskException or PayloadTooLargeException), error.ToString()),
    };

    // The same for all tasks that need a slot only, and kept by each of their entries.
    private AttemptOf WhereItRuns() => grant.Members.Count > 0
        ? new AttemptOf(grant.WorkerId, [.. grant.Members.Select(m => m.Unit.Id)])
        : (AttemptOf)(grant.Worker.Tag ??= new AttemptOf(grant.WorkerId, []));

    private async Task RunLeasedAsync()
    {
        object? output = null;
        Exception? error = null;
        try
        {
            await LeaseOfAttempt.OpenAsync(CancellationToken);
#if MILLSTREAM_PLANTED_BUGS
            if (!PlantedBugs.Is(Bug.BeginsAfterStopWhileOpening))
#endif
            if (IsToldToStop)
                throw new OperationCanceledException($"task {TaskId} was told to stop while its resources were opened");
            output = await (span is null ? command.Task.RunErasedAsync(command.Input, this) : span.Run(this));
        }
        catch (Exception e)
        {
            error = e;
        }
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.SessionNotClosed) || error is null)
#endif
        await CloseAsync();
        await CloseScopeAsync();
        End(output, error, false);
    }

    private async Task AwaitAsync(ValueTask<object?> run)
    {
        object? output = null;
        Exception? error = null;
        try
        {
            output = await run;
        }
        catch (Exception e)
        {
            error = e;
        }
        await CloseScopeAsync();
        End(output, error, false);
    }

    private async ValueTask CloseScopeAsync()
    {
        IServiceScope? scope;
        lock (command)
        {
            _isScopeClosed = true;
            scope = _scope;
        }
        try
        {
            if (scope is IAsyncDisposable open)
                await open.DisposeAsync();
        }
        catch (Exception e)
        {
            // What the task gave stands.
            Engine.Log.ServicesDidNotClose(e, TaskId, JobId);
        }
    }

    private async Task CloseAsync()
    {
        try
        {
            await LeaseOfAttempt.CloseAsync();
        }
        catch (Exception e)
        {
            // What cannot be cleaned up is not used again.
            Engine.Log.SessionDidNotClose(e, TaskId, JobId);
            Engine.Fleet.Retire(grant, $"it could not be cleaned up: {e.Message}");
        }
    }

    private void End(object? output, Exception? error, bool isInline)
    {
        if (!command.AttemptEnded(this, output, error, isInline))
            Engine.Fleet.EndQuarantine(grant);
    }

    /// <summary>Ends it; false where it was over, since it was left behind. Called under the lock.</summary>
    public bool TryClose()
    {
        if (_isOver)
            return false;
        _isOver = true;
        // Before its end, which is recorded next.
#if MILLSTREAM_PLANTED_BUGS
        if (!PlantedBugs.Is(Bug.OutputLeftBehind))
#endif
        _output?.Flush();
        _timeout?.Dispose();
        _stop?.Grace.Dispose();
        return true;
    }

    /// <summary>It is closed; called without the lock, before its job hears of it.</summary>
    /// <param name="isLeftBehind">Whether its code goes on.</param>
    public void HasEnded(bool isLeftBehind)
    {
        Engine.AttemptEnds();
        if (isLeftBehind)
        {
            Engine.Log.TaskDoesNotStop(TaskId, JobId);
            Engine.Fleet.Quarantine(grant, $"task {TaskId} of job {JobId} does not stop");
        }
        else if (grant.State != GrantState.Held)
        {
            Engine.Fleet.EndQuarantine(grant);
        }
    }

    /// <summary>The begin of an attempt that must not be repeated is on record, or nothing is recorded any more.</summary>
    private sealed class WhenDurable(TaskAttempt attempt) : IDurable, IThreadPoolWorkItem
    {
        private bool _isLost;

        public void Durable() => attempt.Engine.Executor.Schedule(this);

        public void Lost()
        {
            _isLost = true;
            Durable();
        }

        public void Execute()
        {
            if (_isLost || attempt.IsToldToStop)
                attempt.End(null, new OperationCanceledException($"task {attempt.TaskId} was told to stop before it began"), false);
            else
                attempt.Begin();
        }
    }

    /// <summary>Why it was told to stop, and what ends its grace period.</summary>
    private sealed record StopOf(AttemptEnd Ending, string? Reason, IDisposable Grace);

    private void TimeOut() => Cancel(AttemptEnd.TimedOut, null);

    private void GraceIsOver() => _ = LeaveBehindAsync();

    private async Task LeaveBehindAsync()
    {
        lock (command)
        {
            // What has not begun ends when its turn comes, and uses nothing meanwhile.
            if (!_isBegun)
                return;
        }
        if (grant.Members.Count > 0)
            await CloseAsync();
        command.AttemptEnded(this, null, new OperationCanceledException($"task {TaskId} did not stop within {Words.Duration(Engine.Options.GracePeriod)} and was left behind"), false, isLeftBehind: true);
    }
}
