namespace Millstream;

/// <content>What outsiders see. Called from any thread.</content>
internal sealed partial class JobRunner
{
    private volatile bool _isPaused;

    public bool IsPaused
    {
        get => _isPaused;
        set => _isPaused = value;
    }

    public JobStatus Status
    {
        get
        {
            if (_ended is { } ended)
                return ended switch { JobEnding.Completed => JobStatus.Completed, JobEnding.Failed => JobStatus.Failed, _ => JobStatus.Cancelled };
            lock (_gate)
            {
                if (_stopped)
                    return JobStatus.Suspended;
                if (_isPaused)
                    return JobStatus.Paused;
                if (_body is null)
                    return JobStatus.Created;
                if (_scheduled)
                    return JobStatus.Running;
            }
            return Pending<TaskCommand>().Exists(t => t.IsRunning) || Pending<ChildCommand>().Exists(c => c.IsRunning) ? JobStatus.Running : JobStatus.Waiting;
        }
    }

    /// <summary>The tasks that have not ended.</summary>
    public IReadOnlyList<AgentTaskInfo> Tasks() => [.. Pending<TaskCommand>().Select(t => t.Info())];

    /// <summary>What will wake the job: of a job that waits there is always something.</summary>
    public IReadOnlyList<string> WaitsFor()
    {
        if (_ended is not null)
            return [];
        List<string> wakers = [.. Pending<PendingCommand>().Select(c => c.Waker)];
        if (_signals?.IsWaiting == true)
            wakers.Add("a signal");
        return wakers;
    }

    /// <summary>The open question of that id.</summary>
    public AskCommand? Question(string id) => Pending<AskCommand>().Find(a => a.QuestionId == id);

    /// <summary>The open questions.</summary>
    public IReadOnlyList<AskCommand> Questions() => Pending<AskCommand>();
}
