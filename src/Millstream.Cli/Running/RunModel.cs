namespace Millstream.Cli.Running;

internal enum TaskPhase { Pending, Waiting, Running, Retrying, Completed, Failed, Skipped, Cancelled }

/// <summary>What is known of one task of the workflow while it runs: one line of the view, whatever its number of runs.</summary>
internal sealed class TaskLine(string id, string uses, IReadOnlyList<string> needs, bool isFanOut)
{
    public string Id => id;

    public string Uses => uses;

    public IReadOnlyList<string> Needs => needs;

    public bool IsFanOut => isFanOut;

    public TaskPhase Phase { get; set; }

    public int Scheduled { get; set; }

    public int Running { get; set; }

    public int Completed { get; set; }

    public int Failed { get; set; }

    public int Retries { get; set; }

    public DateTimeOffset? Started { get; set; }

    public DateTimeOffset? Ended { get; set; }

    public string? Error { get; set; }

    /// <summary>The newest line of its output.</summary>
    public string? LastOutput { get; set; }

    public bool IsDone => Phase is TaskPhase.Completed or TaskPhase.Failed or TaskPhase.Skipped or TaskPhase.Cancelled;
}

/// <summary>The state of a run, made of its stream alone.</summary>
internal sealed class RunModel
{
    private readonly Dictionary<string, TaskLine> _byId;

    public RunModel(Definitions.WorkflowDefinition workflow)
    {
        Name = workflow.Name;
        Tasks = [.. workflow.Tasks.Select(t => new TaskLine(t.Id, t.Uses, t.DependsOn, t.IsForEach))];
        _byId = Tasks.ToDictionary(t => t.Id, StringComparer.Ordinal);
    }

    public string Name { get; }

    public IReadOnlyList<TaskLine> Tasks { get; }

    public DateTimeOffset? Started { get; private set; }

    public JobEvent? Last { get; private set; }

    public bool IsCancelling { get; private set; }

    public bool IsPaused { get; private set; }

    public int Done => Tasks.Count(t => t.IsDone);

    /// <summary>The task of the workflow that an entry is about; null for an entry of the job, or of a task inside a child job.</summary>
    public TaskLine? LineOf(JobEvent e) => e.Task is { } task && !e.Job.IsChild ? _byId.GetValueOrDefault(Base(task)) : null;

    public void Add(JobEvent e)
    {
        Started ??= e.Time;
        if (e.Kind is JobEventKinds.JobCompleted or JobEventKinds.JobFailed or JobEventKinds.JobCancelled)
            Close(e);
        IsCancelling |= e.Kind == JobEventKinds.JobCancelling;
        IsPaused = e.Value switch { WorkflowEvent.Paused => true, WorkflowEvent.Resumed => false, _ => IsPaused };
        if (e.Value is WorkflowEvent.TaskEnded ended && !e.Job.IsChild)
            End(_byId[ended.Task], ended.Status, e.Time);
        else if (LineOf(e) is { } line)
            Add(line, e);
    }

    // What had not ended was stopped with the job.
    private void Close(JobEvent last)
    {
        Last = last;
        foreach (TaskLine line in Tasks.Where(t => t.Phase is TaskPhase.Running or TaskPhase.Waiting or TaskPhase.Retrying))
            (line.Phase, line.Ended) = (line.Failed > 0 ? TaskPhase.Failed : TaskPhase.Cancelled, last.Time);
    }

    private static void Add(TaskLine line, JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.TaskScheduled or JobEventKinds.ChildStarted:
                line.Scheduled++;
                line.Phase = TaskPhase.Waiting;
                line.Started ??= e.Time;
                break;
            case JobEventKinds.TaskStarted:
                line.Running++;
                line.Phase = TaskPhase.Running;
                break;
            case JobEventKinds.TaskRetried:
                line.Running--;
                line.Retries++;
                line.Phase = line.Running > 0 ? TaskPhase.Running : TaskPhase.Retrying;
                line.Error = e.Error?.Message;
                break;
            case JobEventKinds.TaskCompleted:
                line.Running--;
                line.Completed++;
                break;
            case JobEventKinds.TaskFailed:
                line.Running = Math.Max(0, line.Running - 1);
                line.Failed++;
                line.Error = e.Error?.Message;
                break;
            case JobEventKinds.TaskCancelled:
                line.Running = Math.Max(0, line.Running - 1);
                break;
            case JobEventKinds.TaskDelta:
                line.LastOutput = OutputText.LastLine(e.Bytes.Span) ?? line.LastOutput;
                break;
        }
    }

    private static void End(TaskLine line, WorkflowTaskStatus status, DateTimeOffset time)
    {
        line.Ended = time;
        line.Phase = status switch
        {
            WorkflowTaskStatus.Completed => TaskPhase.Completed,
            WorkflowTaskStatus.Skipped => TaskPhase.Skipped,
            _ => TaskPhase.Failed,
        };
    }

    private static string Base(string task)
    {
        int bracket = task.IndexOf('[', StringComparison.Ordinal);
        return bracket < 0 ? task : task[..bracket];
    }
}
