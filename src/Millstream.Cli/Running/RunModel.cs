using System.Text.Json;
using Millstream.Cli.Running.Agents;
using Millstream.Definitions;

namespace Millstream.Cli.Running;

/// <summary>The state of a run, made of its stream alone.</summary>
internal sealed class RunModel
{
    private readonly Dictionary<string, TaskLine> _byId;
    private readonly Dictionary<JobId, string> _children = [];

    public RunModel(WorkflowDefinition workflow)
    {
        Name = workflow.Name;
        Lines = [.. LinesOf(workflow, null)];
        Tasks = [.. Lines.Where(l => l.Parent is null)];
        _byId = Lines.ToDictionary(t => t.Id, StringComparer.Ordinal);
    }

    public string Name { get; }

    /// <summary>The tasks of the workflow itself.</summary>
    public IReadOnlyList<TaskLine> Tasks { get; }

    /// <summary>These and, after each, those of the workflow that it runs.</summary>
    public IReadOnlyList<TaskLine> Lines { get; }

    public DateTimeOffset? Started { get; private set; }

    public JobEvent? Last { get; private set; }

    public bool IsCancelling { get; private set; }

    public bool IsPaused { get; private set; }

    /// <summary>How many tasks have ended by themselves.</summary>
    public int Done => Tasks.Count(t => t.IsDone && t.Phase != TaskPhase.Cancelled);

    /// <summary>What became of the tasks, as in <c>1 failed, 5 skipped, 1 completed</c>, or <c>3 of 3 tasks</c> when all are completed.</summary>
    public string Ends
    {
        get
        {
            if (Tasks.All(t => t.Phase == TaskPhase.Completed))
                return $"{Tasks.Count} of {Tasks.Count} tasks";
            (string Word, int Count)[] ends =
            [
                ("failed", Count(TaskPhase.Failed)), ("stopped", Count(TaskPhase.Cancelled)), ("skipped", Count(TaskPhase.Skipped)),
                ("completed", Count(TaskPhase.Completed)), ("not started", Tasks.Count(t => !t.IsDone)),
            ];
            return string.Join(", ", ends.Where(e => e.Count > 0).Select(e => $"{e.Count} {e.Word}"));
        }
    }

    /// <summary>Calls of the agents' tools that wait for somebody to allow them.</summary>
    public AgentApprovals Approvals { get; } = new();

    /// <summary>Limits that the host could not hold, as tasks told.</summary>
    public SortedSet<string> NotEnforced { get; } = new(StringComparer.Ordinal);

    /// <summary>The task that an entry is about, as in <c>subs[1]/two[0]</c>; null for an entry of the job.</summary>
    public string? PathOf(JobEvent e) => (e.Task ?? (e.Value as WorkflowEvent.TaskEnded)?.Task) is { } task ? Path(e.Job, task)
        : e.Child is { } child ? _children.GetValueOrDefault(child) : null;

    /// <summary>The task that a child is, as in <c>subs[1]/two[0]</c>; its id where it is not known.</summary>
    public string PathOf(JobId child) => _children.GetValueOrDefault(child, child.Value);

    /// <summary>The line of the view that an entry is about; null for an entry of the job, or of a child that is no workflow of the file's.</summary>
    public TaskLine? LineOf(JobEvent e) => PathOf(e) is { } path ? _byId.GetValueOrDefault(WithoutIndexes(path)) : null;

    public void Add(JobEvent e)
    {
        Started ??= e.Time;
        Approvals.Add(e);
        if (e.Kind == JobEventKinds.ChildStarted)
            _children[e.Child!.Value] = Path(e.Job, e.Task!) ?? e.Task!;
        if (e.Kind is JobEventKinds.JobCompleted or JobEventKinds.JobFailed or JobEventKinds.JobCancelled)
            Close(e);
        IsCancelling |= e.Kind == JobEventKinds.JobCancelling;
        IsPaused = e.Value switch { WorkflowEvent.Paused => true, WorkflowEvent.Resumed => false, _ => IsPaused };
        if (LineOf(e) is not { } line)
            return;
        if (e.Value is WorkflowEvent.TaskEnded ended)
        {
            line.Error = ended.Error ?? line.Error;
            // Without a failed run and a reason it was told to stop, since another task failed.
            line.IsStopped = ended is { Status: WorkflowTaskStatus.Failed, Error: null } && line.Failed == 0;
            End(line, ended.Status, e.Time);
        }
        else
            Add(line, e);
    }

    private int Count(TaskPhase phase) => Tasks.Count(t => t.Phase == phase);

    private static IEnumerable<TaskLine> LinesOf(WorkflowDefinition workflow, TaskLine? parent)
    {
        foreach (TaskDefinition task in workflow.Tasks)
        {
            string prefix = parent is null ? "" : parent.Id + "/";
            TaskLine line = new(prefix + task.Id, task, [.. task.DependsOn.Select(d => prefix + d)], parent);
            yield return line;
            foreach (TaskLine inner in task.Workflow is { } nested ? LinesOf(nested, line) : [])
                yield return inner;
        }
    }

    // What had not ended was stopped with the job.
    private void Close(JobEvent last)
    {
        Last = last;
        foreach (TaskLine line in Lines.Where(t => t.Phase is TaskPhase.Running or TaskPhase.Waiting or TaskPhase.Retrying))
            (line.Phase, line.Ended) = (line.Failed > 0 ? TaskPhase.Failed : TaskPhase.Cancelled, last.Time);
    }

    private void Add(TaskLine line, JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.TaskScheduled:
                line.Schedule(PathOf(e)!);
                line.Phase = line.Running > 0 ? TaskPhase.Running : TaskPhase.Waiting;
                line.Asked ??= e.Time;
                break;
            case JobEventKinds.ChildStarted:
                line.Schedule(PathOf(e)!);
                line.Start(PathOf(e)!, e.Time);
                break;
            case JobEventKinds.TaskStarted:
                line.Start(PathOf(e)!, e.Time);
                break;
            case JobEventKinds.TaskWaiting:
                line.Wait(PathOf(e)!);
                break;
            case JobEventKinds.TaskInDoubt:
                line.Running = Math.Max(0, line.Running - 1);
                line.Phase = TaskPhase.Waiting;
                break;
            case JobEventKinds.TaskRetried:
                line.Running--;
                line.Retries++;
                line.Phase = line.Running > 0 ? TaskPhase.Running : TaskPhase.Retrying;
                line.Error = e.Error?.Message;
                break;
            case JobEventKinds.TaskCompleted or JobEventKinds.ChildCompleted:
                line.Running--;
                line.Completed++;
                if (line.Uses == "sandbox.run" && e.Data is { } output)
                    AddLimits(line, output);
                if (line is { Uses: "file.write", IsFanOut: false } && e.Data is { } written)
                    line.Written = written.Find("path")?.ToString();
                break;
            case JobEventKinds.TaskFailed or JobEventKinds.ChildFailed:
                line.Running = Math.Max(0, line.Running - 1);
                line.Failed++;
                line.Error = e.Error?.Message;
                break;
            case JobEventKinds.TaskCancelled or JobEventKinds.ChildCancelled:
                line.Running = Math.Max(0, line.Running - 1);
                break;
            case JobEventKinds.TaskDelta:
                line.LastOutput = OutputText.LastLine(e.Bytes.Span) ?? line.LastOutput;
                break;
            case JobEventKinds.Superseded when !line.IsFanOut:
                line.LastOutput = null;
                break;
        }
    }

    private void AddLimits(TaskLine line, JsonElement output)
    {
        // A person may have given it, who says no more than the next tasks need.
        if (output.Find("truncated") is { ValueKind: JsonValueKind.True })
            line.Truncated++;
        if (output.Find("notEnforced") is not { ValueKind: JsonValueKind.Array } limits)
            return;
        foreach (JsonElement limit in limits.EnumerateArray())
            NotEnforced.Add(limit.ToString());
    }

    private void End(TaskLine line, WorkflowTaskStatus status, DateTimeOffset time)
    {
        // Inside a fan-out the others may still run; the line ends with the task that runs them all.
        if (line.Parent is { IsFanOut: true })
            return;
        Set(line, status, time);
        foreach (TaskLine inner in Lines.Where(l => !l.IsDone && IsInside(l, line)))
        {
            inner.IsStopped = inner.Failed == 0 && inner.Scheduled > inner.Completed;
            Set(inner, inner.Failed > 0 || inner.IsStopped ? WorkflowTaskStatus.Failed : inner.Completed > 0 ? WorkflowTaskStatus.Completed : WorkflowTaskStatus.Skipped, time);
        }
    }

    private static void Set(TaskLine line, WorkflowTaskStatus status, DateTimeOffset time)
    {
        line.Ended = time;
        line.Phase = status switch
        {
            WorkflowTaskStatus.Completed => TaskPhase.Completed,
            WorkflowTaskStatus.Skipped => TaskPhase.Skipped,
            _ => line.IsStopped ? TaskPhase.Cancelled : TaskPhase.Failed,
        };
    }

    private static bool IsInside(TaskLine line, TaskLine outer)
    {
        for (TaskLine? at = line.Parent; at is not null; at = at.Parent)
        {
            if (at == outer)
                return true;
        }

        return false;
    }

    private string? Path(JobId job, string task) => !job.IsChild ? task : _children.TryGetValue(job, out string? path) ? $"{path}/{task}" : null;

    private static string WithoutIndexes(string path)
    {
        if (!path.Contains('[', StringComparison.Ordinal))
            return path;
        return string.Join('/', path.Split('/').Select(p => p.Split('[')[0]));
    }
}
