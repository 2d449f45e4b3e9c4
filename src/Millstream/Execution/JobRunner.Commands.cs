namespace Millstream;

/// <content>What a body asks for, and what is pending.</content>
internal sealed partial class JobRunner
{
    private static readonly AsyncLocal<CleanUp?> s_cleanUp = new();

    private PendingCommand? _firstPending;
    private PendingCommand? _lastPending;
    private TaskCompletionSource? _round;
    private int _commands;
    private int _passedOn;

    /// <summary>How many commands the body has given.</summary>
    public int Commands => _commands;

    /// <summary>Checks that the context is used inside a turn, and that a cancelled job asks for nothing more.</summary>
    /// <param name="what">What was called, for the message.</param>
    /// <param name="isCommand">Whether it asks the world for something.</param>
    public void Enter(string what, bool isCommand = true)
    {
        if (!IsInTurn)
            throw OutsideTurn(what);
        if (!isCommand)
            return;
        _lastCommand = what;
        if (_isCancelled && s_cleanUp.Value is not { IsOver: false })
            throw new OperationCanceledException($"job {Id} is cancelled; only work inside context.CleanUpAsync may still call {what}", CancelledToken);
    }

    /// <summary>Makes a command of the turn.</summary>
    public void Issue(PendingCommand command, CancellationToken token)
    {
        CheckRoom(1);
        command.Attach(this, ++_commands);
        Add(command.CommandEntry());
        _turn.Effects.Add(new Effect(command, false));
        Link(command);
        if (token != CancelledToken)
            command.StopWith(token);
        if (s_cleanUp.Value is not { IsOver: false } cleanUp)
            return;
        command.IsCleanUp = true;
        cleanUp.Commands.Add(command);
    }

    /// <summary>Starts a task again when the turn is durable.</summary>
    public void StartAgain(TaskCommand task) => _turn.Effects.Add(new Effect(task, false));

    /// <summary>Stops a command: its end is delivered later, and holds its result if it finished in spite of it.</summary>
    public void StopCommand(PendingCommand command)
    {
        if (command.IsEnded || command.IsStopping || !command.CanStop)
            return;
        command.IsStopping = true;
        Add(command.StopEntry());
        _turn.Effects.Add(new Effect(command, true));
    }

    /// <summary>
    /// Passes a signal on to a child. Nothing is awaited: the command is recorded, and the child gets the signal when the record is durable, under a
    /// sender's id that a replay makes again, so that it is dropped if the child has it already.
    /// </summary>
    public void SignalChild(ChildCommand child, object signal)
    {
        Add(child.SignalEntry(signal));
        _turn.Effects.Add(new Effect(child, false, new SignalDelivery(signal, $"{Id}#{++_passedOn}")));
    }

    /// <summary>A token that the body gave was cancelled: inside a turn that is a command, from outside a fault.</summary>
    public void StopFromToken(PendingCommand command)
    {
        if (IsInTurn)
            StopCommand(command);
        else if (!command.IsEnded)
            RecordFault($"a token that agent {Agent.Id} gave to its context was cancelled from outside its turn (a CancellationTokenSource with a timer?); use `using var limit = context.CancelAfter(time)`");
    }

    /// <summary>Stops all that is pending, as at the end of a body.</summary>
    /// <param name="withCleanUp">Whether also what a clean-up has asked for.</param>
    public void StopPending(bool withCleanUp = true)
    {
        for (PendingCommand? command = _firstPending; command is not null; command = command.NextPending)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.CancelForgetsWaitingTask) && command is TaskCommand { IsRunning: false }) continue;
#endif
            if (withCleanUp || !command.IsCleanUp)
                StopCommand(command);
        }
    }

    /// <summary>Stops all that is pending and is done when all has ended.</summary>
    public Task EndRoundAsync()
    {
        StopPending();
        if (_firstPending is null)
            return Task.CompletedTask;
        _round = new TaskCompletionSource();
        return _round.Task;
    }

    /// <summary>Ends a round when nothing is pending any more.</summary>
    public void SettleRound()
    {
        if (_round is not null && _firstPending is null)
            Interlocked.Exchange(ref _round, null).TrySetResult();
    }

    public void Release(Grant grant) => (_turn.Releases ??= []).Add(grant);

    public void Unlink(PendingCommand command)
    {
        lock (_gate)
        {
            Count(command, -1);
            if (command.PreviousPending is null)
                _firstPending = command.NextPending;
            else
                command.PreviousPending.NextPending = command.NextPending;
            if (command.NextPending is null)
                _lastPending = command.PreviousPending;
            else
                command.NextPending.PreviousPending = command.PreviousPending;
            // An ended one that the collector has moved up must not keep those that came after it.
            command.PreviousPending = command.NextPending = null;
        }
    }

    /// <summary>Runs work that may still issue commands after a cancel, for a time.</summary>
    public async Task CleanUpAsync(TimeSpan limit, Func<Task> work, Func<TimeSpan, CancellationTokenSource> cancelAfter)
    {
        CleanUp scope = new();
        CleanUp? outer = s_cleanUp.Value;
        s_cleanUp.Value = scope;
        try
        {
            using CancellationTokenSource end = cancelAfter(limit);
            ExtendGrace(limit);
            using CancellationTokenRegistration registration = end.Token.UnsafeRegister(static state => ((CleanUp)state!).End(), scope);
            scope.StopWith = StopCommand;
            await work();
        }
        finally
        {
            scope.IsOver = true;
            s_cleanUp.Value = outer;
        }
    }

    private OutsideTurnException OutsideTurn(string what)
    {
        if (IsBodyOver)
            return new OutsideTurnException($"{what} was called after the body of agent {Agent.Id} had ended (job {Id}); await all work before returning.");
        string message = $"{what} was called outside the turns of job {Id} (agent {Agent.Id}): from another thread, from inside a task or step, or behind ConfigureAwait(false). {Advice}";
        RecordFault(message);
        return new OutsideTurnException(message);
    }

    private void Link(PendingCommand command)
    {
        lock (_gate)
        {
            Count(command, 1);
            command.PreviousPending = _lastPending;
            if (_lastPending is null)
                _firstPending = command;
            else
                _lastPending.NextPending = command;
            _lastPending = command;
        }
    }

    /// <summary>The commands of a kind that have not ended. From any thread.</summary>
    public List<T> Pending<T>() where T : PendingCommand
    {
        List<T> found = [];
        lock (_gate)
        {
            for (PendingCommand? command = _firstPending; command is not null; command = command.NextPending)
            {
                if (command is T wanted)
                    found.Add(wanted);
            }
        }
        return found;
    }

    /// <summary>The commands of one clean-up, which a cancel leaves alone.</summary>
    private sealed class CleanUp
    {
        public List<PendingCommand> Commands { get; } = [];

        public Action<PendingCommand>? StopWith { get; set; }

        public bool IsOver { get; set; }

        public void End()
        {
            IsOver = true;
            foreach (PendingCommand command in Commands)
                StopWith?.Invoke(command);
        }
    }
}
