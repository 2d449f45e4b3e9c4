using System.Text.Json;

namespace Millstream;

/// <summary>What a job is doing.</summary>
public enum JobStatus
{
    /// <summary>It has not begun.</summary>
    Created,

    /// <summary>Its body or a task of it is at work.</summary>
    Running,

    /// <summary>It waits for something that <see cref="Job.WaitsFor"/> names.</summary>
    Waiting,

    /// <summary>It was paused by a signal.</summary>
    Paused,

    /// <summary>It cannot go on with the code there is, or its process is shutting down; nothing is lost.</summary>
    Suspended,

    /// <summary>It has ended with its output.</summary>
    Completed,

    /// <summary>It has ended with an error.</summary>
    Failed,

    /// <summary>It has ended because it was cancelled.</summary>
    Cancelled,
}

/// <summary>What became of something sent to a job.</summary>
public enum SignalResult
{
    /// <summary>It is recorded; the job will get it.</summary>
    Accepted,

    /// <summary>The job has ended.</summary>
    JobEnded,

    /// <summary>The question is not open: it was never asked, is answered, or was withdrawn.</summary>
    UnknownQuestion,

    /// <summary>The sender's id was seen before; the first one counts.</summary>
    Duplicate,
}

/// <summary>What a task of a job is doing.</summary>
public enum AgentTaskStatus
{
    /// <summary>It waits for its lease.</summary>
    Waiting,

    /// <summary>An attempt is under way.</summary>
    Running,

    /// <summary>An attempt failed; it waits for the next one's time.</summary>
    Retrying,

    /// <summary>It was told to stop and has not yet.</summary>
    Stopping,
}

/// <summary>A task of a job that has not ended.</summary>
/// <param name="Id">The id that the stream shows.</param>
/// <param name="Status">What it is doing.</param>
/// <param name="Attempt">The attempt under way or to come, from 1.</param>
/// <param name="Detail">What it waits for, or where it runs, in one sentence.</param>
/// <param name="Since">Since when.</param>
public sealed record AgentTaskInfo(string Id, AgentTaskStatus Status, int Attempt, string Detail, DateTimeOffset Since);

/// <summary>A question that a job has asked and nobody has answered.</summary>
/// <param name="Id">What <see cref="Job.AnswerAsync(string, JsonElement)"/> takes, as in <c>q1</c>.</param>
/// <param name="Value">The question, as its agent's own type.</param>
public sealed record OpenQuestion(string Id, object Value);

/// <summary>How a job ended: exactly one of completed, failed and cancelled.</summary>
public abstract record JobEnding
{
    private JobEnding()
    {
    }

    /// <summary>With its output.</summary>
    public sealed record Completed(object? Output) : JobEnding;

    /// <summary>With an error.</summary>
    public sealed record Failed(JobError Error) : JobEnding;

    /// <summary>Cancelled; the reason is the canceller's.</summary>
    public sealed record Cancelled(string? Reason) : JobEnding;
}

/// <summary>How a job is started.</summary>
public sealed record JobOptions
{
    /// <summary>The id; made by the orchestrator when null. Starting a job whose id is known gives that job.</summary>
    public JobId? Id { get; init; }

    /// <summary>What it is called in lists; null for its agent's name.</summary>
    public string? Name { get; init; }

    /// <summary>Whose job it is, for fair shares and quotas.</summary>
    public string Tenant { get; init; } = "default";

    /// <summary>The priority class; a higher one goes first, strictly but for ageing.</summary>
    public int Priority { get; init; }

    /// <summary>Its part in the fair share beside other jobs of its tenant; greater than 0.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>When the job must have ended: then it is stopped like a cancelled one and fails with <see cref="ErrorTypes.DeadlineExceeded"/>.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>
    /// For tests: what the job's body gets is read back from bytes, as in a store, and before the job ends its body is run again on what was recorded,
    /// with nothing done. If it asks for something else, because it read a clock, made an id or used a static, the job fails with
    /// <see cref="ErrorTypes.NonDeterministic"/> and both sides in the message. Children are verified, too. It costs the body's own time once more and keeps
    /// all that is recorded, and the job stays in memory while it waits. Not kept: another process that goes on with the job does not verify it. Default false.
    /// </summary>
    public bool Verify { get; init; }
}

/// <summary>One line about a job.</summary>
public sealed record JobSummary(JobId Id, string AgentId, string AgentVersion, JobStatus Status, DateTimeOffset Created, DateTimeOffset? Ended, string Tenant, int Priority, string? Name);

/// <summary>Which jobs to list; what is null does not filter.</summary>
public sealed record JobFilter
{
    /// <summary>Jobs in this status.</summary>
    public JobStatus? Status { get; init; }

    /// <summary>Jobs of this agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>Jobs created at or after this time.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether jobs that other jobs started are listed, too.</summary>
    public bool Children { get; init; }
}
