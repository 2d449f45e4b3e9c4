using System.Text.Json;

namespace Millstream;

/// <summary>Names of errors that the runtime itself gives; other errors carry the thrown exception's type name.</summary>
public static class ErrorTypes
{
    /// <summary>A task that must not be repeated may have run, and a person decided that it failed.</summary>
    public const string InDoubt = "InDoubt";

    /// <summary>No worker can ever meet the task's requirements.</summary>
    public const string NeverFeasible = "NeverFeasible";

    /// <summary>An attempt took longer than its policy allows.</summary>
    public const string TimedOut = "TimedOut";

    /// <summary>The job's deadline passed.</summary>
    public const string DeadlineExceeded = "DeadlineExceeded";

    /// <summary>The task was stopped.</summary>
    public const string Cancelled = "Cancelled";

    /// <summary>The task's worker or resource was lost, and no attempt was left.</summary>
    public const string LeaseLost = "LeaseLost";

    /// <summary>The task's resource had no room and refused it (<see cref="ResourceBusyException"/>).</summary>
    public const string ResourceBusy = "ResourceBusy";

    /// <summary>The body waited for, or was resumed by, what its context did not give.</summary>
    public const string OutsideTurn = "OutsideTurn";

    /// <summary>The body of a job that is verified (<see cref="JobOptions.Verify"/>) did not do the same again.</summary>
    public const string NonDeterministic = "NonDeterministic";

    /// <summary>The job's durable entries outgrew the in-memory journal.</summary>
    public const string JournalFull = "JournalFull";
}

/// <summary>Why a task failed for good.</summary>
/// <param name="Task">The task's id as the stream shows it; empty where none is at fault but a function of a workflow.</param>
/// <param name="Attempts">How many attempts there were; 0 when it never started.</param>
/// <param name="Type">One of <see cref="ErrorTypes"/>, or the thrown exception's type name.</param>
/// <param name="Message">What happened.</param>
/// <param name="Retryable">Whether another attempt might have done better.</param>
/// <param name="Details">The exception with its stack, for logs and <c>--verbose</c>; null for errors of the runtime.</param>
public sealed record TaskError(string Task, int Attempts, string Type, string Message, bool Retryable, string? Details = null)
{
    /// <summary>The task and what happened, as in <c>bread[2]: smoke</c>.</summary>
    public override string ToString() => Task.Length == 0 ? Message : $"{Task}: {Message}";
}

/// <summary>Why a job failed.</summary>
/// <param name="Type">One of <see cref="ErrorTypes"/>, or the thrown exception's type name.</param>
/// <param name="Message">What happened.</param>
/// <param name="Task">The task that failed, where it was one.</param>
/// <param name="Details">The exception with its stack, for logs and <c>--verbose</c>.</param>
public sealed record JobError(string Type, string Message, string? Task = null, string? Details = null)
{
    /// <summary>What happened.</summary>
    public override string ToString() => Message;

    internal static JobError Of(Exception e) => e switch
    {
        TaskFailedException { Error: { } error } => new JobError(error.Type, error.Message, error.Task.Length == 0 ? null : error.Task, error.Details),
        ChildJobFailedException { Error: { } error } => error,
        OutsideTurnException => new JobError(ErrorTypes.OutsideTurn, e.Message),
        _ => new JobError(e.GetType().Name, e.Message, null, e.ToString()),
    };

    internal JsonElement ToJson() => JsonSerializer.SerializeToElement(new { type = Type, message = Message, task = Task }, AgentContract.DefaultOptions);
}
