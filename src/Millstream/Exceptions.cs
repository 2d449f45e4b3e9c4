namespace Millstream;

/// <summary>The base of what Millstream throws for what happened, rather than for wrong use.</summary>
public abstract class MillstreamException : Exception
{
    private protected MillstreamException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>Thrown by a task: no other attempt can do better.</summary>
public class TerminalTaskException : Exception
{
    /// <summary>Makes the exception.</summary>
    public TerminalTaskException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>Thrown by a task: another attempt may do better, perhaps after some time.</summary>
public class RetryableTaskException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="retryAfter">How long the other side asks to wait; a longer back-off stays.</param>
    /// <param name="inner">The cause.</param>
    public RetryableTaskException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : base(message, inner) => RetryAfter = retryAfter;

    /// <summary>How long the other side asks to wait.</summary>
    public TimeSpan? RetryAfter { get; }
}

/// <summary>
/// Thrown by a task: its resource turned out to have no room, and has not done what it was asked (as HTTP 429 says). The attempt is made again and does not count
/// in <see cref="RetryPolicy.Attempts"/>, also where a task must not be repeated. Before throwing, cool the resource down: then the task waits for that, or for
/// another one that fits.
/// </summary>
public class ResourceBusyException : RetryableTaskException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="retryAfter">How long to wait before the task asks for resources again; null for not at all.</param>
    /// <param name="inner">The cause.</param>
    public ResourceBusyException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : base(message, retryAfter, inner)
    {
    }
}

/// <summary>What a body gets for a task that failed for good: the recorded error, never the thrown object.</summary>
public sealed class TaskFailedException : MillstreamException
{
    internal TaskFailedException(TaskError error) : base(error.Message) => Error = error;

    /// <summary>The recorded error.</summary>
    public TaskError Error { get; }
}

/// <summary>What a body gets for a child job that failed.</summary>
public sealed class ChildJobFailedException : MillstreamException
{
    internal ChildJobFailedException(JobId child, JobError error) : base(error.Message) => (Child, Error) = (child, error);

    /// <summary>The child.</summary>
    public JobId Child { get; }

    /// <summary>Its error.</summary>
    public JobError Error { get; }
}

/// <summary>A job's journal is not what was written to it.</summary>
public sealed class JournalDamagedException : MillstreamException
{
    internal JournalDamagedException(JobId job, long number, string what) : base($"the journal of job {job} is damaged: its record at {number} {what}. Restore it from a copy, or remove the job.") => (Job, Number) = (job, number);

    /// <summary>The job.</summary>
    public JobId Job { get; }

    /// <summary>The number of the first entry of the record.</summary>
    public long Number { get; }
}

/// <summary>What <see cref="Job{TOutput,TEvent,TSignal}.Completion"/> gives for a job that failed.</summary>
public sealed class JobFailedException : MillstreamException
{
    internal JobFailedException(JobId job, JobError error) : base($"job {job} failed: {error.Message}") => (Job, Error) = (job, error);

    /// <summary>The job.</summary>
    public JobId Job { get; }

    /// <summary>Its error.</summary>
    public JobError Error { get; }
}

/// <summary>What <see cref="Job{TOutput,TEvent,TSignal}.Completion"/> gives for a job that was cancelled.</summary>
public sealed class JobCancelledException : OperationCanceledException
{
    internal JobCancelledException(JobId job, string? reason) : base(reason is null ? $"job {job} was cancelled" : $"job {job} was cancelled: {reason}") => (Job, Reason) = (job, reason);

    /// <summary>The job.</summary>
    public JobId Job { get; }

    /// <summary>Why, where the canceller said so.</summary>
    public string? Reason { get; }
}

/// <summary>What <see cref="Job{TOutput,TEvent,TSignal}.Completion"/> gives for a job that stands still because its orchestrator was disposed.</summary>
public sealed class JobDetachedException : OperationCanceledException
{
    internal JobDetachedException(JobId job) : base($"job {job} has not ended: its orchestrator was disposed, which stops jobs and cancels nothing") => Job = job;

    /// <summary>The job.</summary>
    public JobId Job { get; }
}

/// <summary>A value is larger than <see cref="OrchestratorLimits.PayloadBytes"/>.</summary>
public sealed class PayloadTooLargeException : MillstreamException
{
    internal PayloadTooLargeException(Type type, long size, long limit) : this($"a {type.Name}", size, limit, "give the path of a file with it, or give less")
    {
    }

    internal PayloadTooLargeException(string what, long size, long limit, string remedy)
        : base($"{what} is {size:N0} bytes of JSON, and OrchestratorLimits.PayloadBytes is {limit:N0}: {remedy}, or raise that limit") => (Size, Limit) = (size, limit);

    /// <summary>Its size, in bytes of JSON.</summary>
    public long Size { get; }

    /// <summary>The limit, in bytes.</summary>
    public long Limit { get; }
}

/// <summary>A job cannot go on with the code and the store there are; nothing of it is lost.</summary>
public sealed class JobSuspendedException : MillstreamException
{
    internal JobSuspendedException(JobId job, string reason) : base($"job {job} is suspended: {reason}") => (Job, Reason) = (job, reason);

    /// <summary>The job.</summary>
    public JobId Job { get; }

    /// <summary>Why.</summary>
    public string Reason { get; }
}

/// <summary>A context was used outside its job's turn, or after the body returned; or the body waited for what its context did not give.</summary>
public sealed class OutsideTurnException : InvalidOperationException
{
    internal OutsideTurnException(string message) : base(message)
    {
    }
}

/// <summary>An agent's types do not survive as JSON.</summary>
public sealed class AgentContractException : ArgumentException
{
    internal AgentContractException(string agent, IReadOnlyList<string> faults) : base($"agent {agent} cannot be used: {string.Join("; ", faults)}") => Faults = faults;

    /// <summary>All faults.</summary>
    public IReadOnlyList<string> Faults { get; }
}

/// <summary>A workflow was built wrong.</summary>
public sealed class WorkflowException : ArgumentException
{
    internal WorkflowException(string workflow, IReadOnlyList<string> faults) : base($"workflow {workflow} cannot be built: {string.Join("; ", faults)}") => Faults = faults;

    /// <summary>All faults.</summary>
    public IReadOnlyList<string> Faults { get; }
}
