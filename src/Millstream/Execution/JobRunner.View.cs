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

    /// <summary>The first task that has not ended under each of these ids, a run of a fan-out counting for its task. Only these are explained, which costs.</summary>
    public IReadOnlyDictionary<string, AgentTaskInfo> FirstTasks(IEnumerable<string> ids)
    {
        Dictionary<string, AgentTaskInfo> found = new(StringComparer.Ordinal);
        HashSet<string> left = new(ids, StringComparer.Ordinal);
        if (left.Count == 0)
            return found;
        foreach (TaskCommand task in Pending<TaskCommand>())
        {
            int run = task.Subject.IndexOf('[', StringComparison.Ordinal);
            if (!left.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(run < 0 ? task.Subject : task.Subject.AsSpan(0, run), out string? id))
                continue;
            found.Add(id, task.Info());
            left.Remove(id);
            if (left.Count == 0)
                break;
        }
        return found;
    }

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
