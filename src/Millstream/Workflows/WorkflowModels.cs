using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>What became of a task of a workflow.</summary>
public enum WorkflowTaskStatus
{
    /// <summary>It gave its output.</summary>
    Completed,

    /// <summary>It failed for good or was cancelled by a signal.</summary>
    Failed,

    /// <summary>Its condition was false, it was skipped by a signal, or what it needs failed.</summary>
    Skipped,
}

/// <summary>What a workflow does when a task fails that is not allowed to.</summary>
public enum FailureMode
{
    /// <summary>Stops the others, then fails.</summary>
    Cancel,

    /// <summary>Runs what does not depend on it, then fails.</summary>
    Finish,

    /// <summary>Runs what does not depend on it, then waits for a <see cref="WorkflowSignal.RetryTask"/> or <see cref="WorkflowSignal.SkipTask"/>.</summary>
    Wait,
}

/// <summary>How a workflow runs.</summary>
public sealed record WorkflowOptions
{
    /// <summary>What happens when a task fails; <see cref="FailureMode.Cancel"/> unless said otherwise.</summary>
    public FailureMode OnFailure { get; init; }
}

/// <summary>How one task of a workflow runs.</summary>
public sealed record NodeOptions
{
    private readonly TimeSpan? _expectedTime;

    /// <summary>Retry and timeout; when null the task's own policy, for agents and workflows one attempt without a time limit.</summary>
    public TaskPolicy? Policy { get; init; }

    /// <summary>What it needs beside what the task itself requires. Agents and workflows take none: the tasks in them lease what they need.</summary>
    public IReadOnlyList<ResourceRequirement> Requirements { get; init; } = [];

    /// <summary>
    /// How long one run takes, about. Needed only for the first jobs: from then on it is known from those before. What much and long work waits for goes first.
    /// </summary>
    /// <exception cref="ArgumentException">It is not above zero.</exception>
    public TimeSpan? ExpectedTime
    {
        get => _expectedTime;
        init => _expectedTime = value is null || value > TimeSpan.Zero ? value : throw new ArgumentException($"{nameof(NodeOptions)}.{nameof(ExpectedTime)} is {value}; give a time above zero, or none.", nameof(value));
    }

    /// <summary>How many runs of a fan-out may be under way at once; null leaves it to the resources. For a fan-out only.</summary>
    public int? MaxParallel { get; init; }
}

/// <summary>A value that is there only where its condition held.</summary>
/// <param name="HasValue">Whether it is there.</param>
/// <param name="Value">The value; the type's default where it is not there.</param>
public readonly record struct Optional<T>(bool HasValue, T? Value)
{
    /// <summary>The value, or another one where it is not there.</summary>
    public T Or(T other) => HasValue ? Value! : other;
}

/// <summary>What a task gave that is allowed to fail: its output, or why there is none.</summary>
/// <param name="Ok">Whether it completed.</param>
/// <param name="Value">The output; the type's default where it failed.</param>
/// <param name="Error">Why it failed.</param>
public readonly record struct Outcome<T>(bool Ok, T? Value, TaskError? Error);

/// <summary>What a workflow's stream says beside the entries of its tasks.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TaskEnded), "taskEnded")]
[JsonDerivedType(typeof(DecisionNeeded), "decisionNeeded")]
[JsonDerivedType(typeof(Paused), "paused")]
[JsonDerivedType(typeof(Resumed), "resumed")]
[JsonDerivedType(typeof(SignalIgnored), "signalIgnored")]
public abstract record WorkflowEvent
{
    private WorkflowEvent()
    {
    }

    /// <summary>A task has ended (a fan-out: all of it).</summary>
    /// <param name="Task">Its id.</param>
    /// <param name="Status">How.</param>
    /// <param name="Done">How many tasks of the workflow have ended.</param>
    /// <param name="Total">How many there are.</param>
    /// <param name="Error">Why it failed, where no entry of the task or its child says so: it failed before it started. Of a fan-out that of its first such run.</param>
    public sealed record TaskEnded(
        string Task, WorkflowTaskStatus Status, int Done, int Total, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null) : WorkflowEvent;

    /// <summary>A task has failed and the workflow waits for a signal about it.</summary>
    public sealed record DecisionNeeded(string Task, string Error) : WorkflowEvent;

    /// <summary>No task is started until it is resumed; those under way go on. Sub-workflows under way are told, and say the same; other agents go on.</summary>
    public sealed record Paused : WorkflowEvent;

    /// <summary>Tasks are started again.</summary>
    public sealed record Resumed : WorkflowEvent;

    /// <summary>A signal did not fit: it names no task, or one that it means nothing for.</summary>
    public sealed record SignalIgnored(string Signal, string Reason) : WorkflowEvent;
}

/// <summary>What can be sent to a running workflow. <c>sub/task</c> names a task of the sub-workflow that runs as <c>sub</c>, <c>sub[3]/task</c> one of a fan-out of it.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Resume), "resume")]
[JsonDerivedType(typeof(RetryTask), "retry")]
[JsonDerivedType(typeof(SkipTask), "skip")]
[JsonDerivedType(typeof(CancelTask), "cancel")]
public abstract record WorkflowSignal
{
    private WorkflowSignal()
    {
    }

    /// <summary>Start no task until a <see cref="Resume"/>, nor do so in sub-workflows.</summary>
    public sealed record Pause : WorkflowSignal;

    /// <summary>Start tasks again.</summary>
    public sealed record Resume : WorkflowSignal;

    /// <summary>Run a failed task again; of a fan-out, what failed of it. Where the workflow waits for it.</summary>
    public sealed record RetryTask(string Task) : WorkflowSignal;

    /// <summary>Do without the task: it is stopped if it runs, and counts as skipped.</summary>
    public sealed record SkipTask(string Task) : WorkflowSignal;

    /// <summary>Stop one task: it counts as failed.</summary>
    public sealed record CancelTask(string Task) : WorkflowSignal;
}
