namespace Millstream;

/// <summary>Where a request is; <see cref="Later"/>: its job's plan keeps it out of the line for now.</summary>
internal enum RequestState { New, Waiting, Later, Granted, Ended }

/// <summary>One task that wants to run. The shell makes it, the scheduler links it into its queues.</summary>
internal sealed class TaskRequest : IHeapItem<TaskRequest.Place>
{
    public TaskRequest(SchedulingJob job, long number, TaskShape shape, string taskId = "", long rank = 0, int? priority = null)
    {
        Job = job;
        Number = number;
        Shape = shape;
        TaskId = taskId;
        Rank = rank;
        Priority = priority ?? job.Priority;
    }

    public SchedulingJob Job { get; }

    /// <summary>The place in line inside the job; kept when the task is queued again.</summary>
    public long Number { get; }

    /// <summary>Higher goes first inside the job; a plan may change it.</summary>
    public long Rank { get; internal set; }

    /// <summary>The class it was submitted in; higher goes first.</summary>
    public int Priority { get; }

    public TaskShape Shape { get; }

    /// <summary>Its number in the plan of its job; -1 where it is in none.</summary>
    public int PlanTask { get; init; } = -1;

    public string TaskId { get; }

    internal int PlanIndex { get; set; }

    /// <summary>The session whose resources the task uses, or null.</summary>
    public Session? Session { get; init; }

    /// <summary>The shell's own.</summary>
    public object? Tag { get; set; }

    public RequestState State { get; internal set; }

    /// <summary>What the task was given, while it is granted.</summary>
    public Grant? Grant { get; internal set; }

    /// <summary>The class that ageing has brought it to.</summary>
    public int Class { get; internal set; }

    internal long SubmittedAt { get; set; }

    internal long ClassSince { get; set; }

    /// <summary>The session that this request opens, or null.</summary>
    internal Session? Opens { get; set; }

    internal Hold? Hold { get; set; }

    internal JobNode? Node { get; set; }

    internal TaskRequest? Next { get; set; }

    internal TaskRequest? Previous { get; set; }

    internal TaskRequest? Younger { get; set; }

    internal TaskRequest? Older { get; set; }

    public int HeapNumber { get; set; } = -1;

    public Place HeapKey => new(Rank, Number);

    public bool Before(TaskRequest other) => HeapKey.Before(other.HeapKey);

    /// <summary>The place in line inside the job.</summary>
    internal readonly record struct Place(long Rank, long Number) : IOrderKey<Place>
    {
        public bool Before(in Place other) => Rank != other.Rank ? Rank > other.Rank : Number < other.Number;
    }
}
