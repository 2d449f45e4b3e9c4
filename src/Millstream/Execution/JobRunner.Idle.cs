namespace Millstream;

/// <summary>Whether a job has left memory.</summary>
internal enum LeaveResult
{
    /// <summary>It has.</summary>
    Left,

    /// <summary>It is at work, somebody watches it, or it waits for what only this process can give.</summary>
    Busy,

    /// <summary>Not all of it is stored yet.</summary>
    NotWritten,
}

/// <content>A job that waits needs no memory: all that it is can be replayed.</content>
internal sealed partial class JobRunner
{
    // The gates of a whole tree of jobs are held at once, one within the other.
    private const int LargestTree = 256;

    private int _pins;
    private int _active;
    private int _children;
    private volatile bool _hasLeft;
    private volatile bool _isLeaving;

    /// <summary>The job that nobody started as a child.</summary>
    public JobRunner Root => Parent?.Root ?? this;

    /// <summary>Whether it has left memory: another runner stands for the job when it is back.</summary>
    public bool HasLeft => _hasLeft;

    /// <summary>Its place among the jobs that wait.</summary>
    public LinkedListNode<JobRunner>? IdleNode { get; set; }

    /// <summary>What outsiders hold of it.</summary>
    public JobTies Ties { get; init; } = new();

    /// <summary>Keeps it in memory until <see cref="Unpin"/>; false where it has left.</summary>
    public bool TryPin()
    {
        lock (_gate)
        {
            if (_hasLeft)
                return false;
            _pins++;
            return true;
        }
    }

    public void Unpin()
    {
        bool isIdle;
        lock (_gate)
            isIdle = --_pins == 0 && IsPassive;
        if (isIdle)
            _engine.Durable?.Idle(Root);
    }

    /// <summary>Whether nothing lies in its mailbox, no turn runs, and each turn is durable.</summary>
    public bool IsAtRest
    {
        get
        {
            lock (_gate)
                return !_scheduled && _firstDelivery is null && _firstDurable is null && _undurable == 0;
        }
    }

    /// <summary>When it wakes by itself, in UTC ticks; <see cref="long.MaxValue"/> for never.</summary>
    public long Due()
    {
        long due = Options.Deadline?.UtcTicks ?? long.MaxValue;
        lock (_gate)
        {
            for (PendingCommand? command = _firstPending; command is not null; command = command.NextPending)
            {
                if (command is TimerCommand timer)
                    due = Math.Min(due, timer.Due);
            }
        }
        return due;
    }

    /// <summary>Takes a job and its children out of memory, all or none.</summary>
    /// <param name="root">The job.</param>
    /// <param name="tree">Gets the jobs that have left.</param>
    public static LeaveResult TryLeave(JobRunner root, List<JobRunner> tree) => TryLeave(new Stack<JobRunner>([root]), tree);

    private static LeaveResult TryLeave(Stack<JobRunner> left, List<JobRunner> tree)
    {
        if (!left.TryPop(out JobRunner? job))
        {
            // What a child shows may have come to its parent's journal since that was looked at; children are behind their parents here.
            for (int i = tree.Count - 1; i >= 0; i--)
            {
                tree[i]._isLeaving = true;
                if (!tree[i].IsWritten)
                    return LeaveResult.NotWritten;
                tree[i]._isLeaving = false;
            }
            foreach (JobRunner each in tree)
                each.Leave();
            return LeaveResult.Left;
        }
        lock (job._gate)
        {
            if (tree.Count == LargestTree || job._pins > 0 || job._scheduled || job._firstDelivery is not null || !job.IsPassive)
                return LeaveResult.Busy;
            // Said first: it may be written in between.
            job._isLeaving = true;
            if (job._undurable > 0 || job._firstDurable is not null || !job.IsWritten)
                return LeaveResult.NotWritten;
            job._isLeaving = false;
            tree.Add(job);
            for (PendingCommand? command = job._firstPending; command is not null; command = command.NextPending)
            {
                if (command is not ChildCommand child)
                    continue;
                if (child.Child is not { } runner)
                    return LeaveResult.Busy;
                left.Push(runner);
            }
            return TryLeave(left, tree);
        }
    }

    /// <summary>Whether nothing but signals, answers, timers and children can change it. Under the gate.</summary>
    private bool IsPassive => _active == 0 && !_stopped && !_isCancelled && _outcome is null && _body is not null && !_isPaused && _verification is null;

    /// <summary>Something of it is stored.</summary>
    public void Written()
    {
        // Until its head says so, outsiders must find it here.
        if (_suspended is not null && _written is { Status: JobStatus.Suspended })
            _engine.Jobs.Remove(this);
        if (!_isLeaving)
            return;
        _isLeaving = false;
        _engine.Durable!.Written();
    }

    private void Leave()
    {
        _hasLeft = true;
        _stopped = true;
        DisposeTimers();
    }

    /// <summary>Changes what decides whether a pending command needs this process.</summary>
    public void Recount(PendingCommand command, Action change)
    {
        lock (_gate)
        {
            Count(command, -1);
            change();
            Count(command, 1);
        }
    }

    private void Count(PendingCommand command, int by)
    {
        if (command is ChildCommand)
            _children += by;
        else if (!command.IsPassive)
            _active += by;
    }
}
