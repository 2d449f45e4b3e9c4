using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>What the engine logs: things that a person may have to look into.</summary>
internal sealed partial class EngineLog(ILogger logger)
{
    [LoggerMessage(1, LogLevel.Warning, "Task {Task} of job {Job} was told to stop and does not; it is left behind and its resources are out of use until it ends")]
    public partial void TaskDoesNotStop(string task, JobId job);

    [LoggerMessage(2, LogLevel.Error, "What task {Task} of job {Job} used could not be cleaned up and is out of use")]
    public partial void SessionDidNotClose(Exception e, string task, JobId job);

    [LoggerMessage(3, LogLevel.Warning, "Task {Task} of job {Job}: a callback of its cancellation token threw")]
    public partial void CallbackThrew(Exception e, string task, JobId job);

    [LoggerMessage(4, LogLevel.Error, "The services that task {Task} of job {Job} used could not be disposed")]
    public partial void ServicesDidNotClose(Exception e, string task, JobId job);

    [LoggerMessage(5, LogLevel.Information, "Job {Job} ends as cancelled, but its body failed after the cancel: {Error}")]
    public partial void CancelledBodyFailed(JobId job, string error);

    [LoggerMessage(7, LogLevel.Warning, "Job {Job} is suspended: {Reason}")]
    public partial void JobSuspended(JobId job, string reason);

    [LoggerMessage(8, LogLevel.Critical, "The journal does not store any more, so no job goes on and nothing is acknowledged")]
    public partial void JournalFailed(Exception e);

    [LoggerMessage(9, LogLevel.Error, "What lies in the inboxes of jobs could not be read; it is tried again")]
    public partial void InboxFailed(Exception e);

    [LoggerMessage(10, LogLevel.Warning, "Something in the inbox of job {Job} was refused: {Reason}")]
    public partial void InboxItemRefused(JobId job, string reason);

    [LoggerMessage(13, LogLevel.Error, "Child {Job} is there already and could not be taken over; it is tried again")]
    public partial void ChildNotTaken(Exception e, JobId job);

    [LoggerMessage(11, LogLevel.Error, "Job {Job} waits outside memory and could not be read; it is tried again")]
    public partial void WakeFailed(Exception e, JobId job);

    [LoggerMessage(12, LogLevel.Warning, "The state of job {Job} has {Size} bytes, more than the {Limit} that a journal takes in one entry, so a restart has to replay all rounds since the last one that was smaller; keep less in the state")]
    public partial void StateTooLarge(JobId job, int size, int limit);

    [LoggerMessage(6, LogLevel.Warning, "Job {Job} of agent {Agent} is left behind in a turn that does not end")]
    public partial void TurnDoesNotEnd(JobId job, string agent);
}
