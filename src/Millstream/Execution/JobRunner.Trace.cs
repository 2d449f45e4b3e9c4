namespace Millstream;

/// <content>What is told of it to traces and metrics.</content>
internal sealed partial class JobRunner
{
    private int _isTold;

    /// <summary>What it is for its parent, as a call of a tool; null for a job of its own.</summary>
    public IWorkTrace? Work { get; init; }

    private void BeginSpan()
    {
        Span?.Begin();
        if (!IsShadow && Telemetry.Jobs.Enabled)
            CountJob("created");
    }

    /// <summary>It has ended for good, or no longer runs in this process.</summary>
    private void EndSpan(bool isEnded)
    {
        if (Interlocked.Exchange(ref _isTold, 1) != 0)
            return;
        JobEnding? ending = isEnded ? _ended : null;
        string status = ending switch
        {
            JobEnding.Completed => "completed",
            JobEnding.Failed => "failed",
            JobEnding.Cancelled => "cancelled",
            _ => "suspended",
        };
        if (isEnded && Telemetry.Jobs.Enabled)
            CountJob(status);
        Span?.End(status, ending switch
        {
            JobEnding.Completed => null,
            JobEnding.Failed failed => failed.Error,
            JobEnding.Cancelled cancelled => new JobError(ErrorTypes.Cancelled, cancelled.Reason ?? status),
            // Where the process is going nothing is wrong with the job: it goes on in another one.
            _ => _suspended is { } reason ? new JobError(nameof(JobSuspendedException), reason) : null,
        }, (ending as JobEnding.Completed)?.Output);
    }

    private void CountJob(string status) => Telemetry.Jobs.Add(1, new KeyValuePair<string, object?>("millstream.job.status", status), new KeyValuePair<string, object?>("gen_ai.agent.id", Agent.Id));
}
