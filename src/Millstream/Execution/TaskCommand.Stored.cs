namespace Millstream;

/// <content>A task of a job whose journal is in a store.</content>
internal abstract partial class TaskCommand
{
    public override void Restore(JournalEntry end)
    {
        (_isOver, _attempts, _isCompleted, _error) = (true, end.Attempt, end.Kind == EntryKind.TaskCompleted, end.Payload as TaskError);
        if (_isCompleted)
            _output = JobRunner.ReadPayload(task.OutputType, end.Payload);
    }

    public override void Resume(PastOf past)
    {
        (_attempts, Failures, Shown) = (past.Attempts, past.Failures, past.Shown);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.AttemptsForgotten)) _attempts = 0;
        if (PlantedBugs.Is(Bug.FailuresForgotten)) Failures = 0;
#endif
        if (Policy.AtMostOnce && _attempts > 0 && !past.IsRefused && (Decision is null || past.IsStartedSinceDecision))
            Doubt(past.IsInDoubt);
        else if (Decision is { Action: not TaskDecisionAction.Retry } decision)
            EndAsDecided(decision);
        else
            Start();
    }

    /// <summary>Stops what runs without recording an end: the process is going, or another one has the job.</summary>
    public void Detach()
    {
        TaskRequest? request;
        Grant? next;
        lock (this)
        {
            _isDetached = true;
            BackOff?.Dispose();
            _attempt?.Cancel(AttemptEnd.Detached, null);
            request = _request;
            (next, NextGrant) = (NextGrant, null);
        }
        // A process that goes on with other jobs needs its places for them.
        if (Runner.Engine.IsStopping)
            return;
        if (next is not null)
            Runner.Engine.Fleet.Release(next);
        else if (request is not null)
            Runner.Engine.Fleet.Withdraw(request);
    }

    /// <summary>The output as the body will see it, on the first run as on any other: read back from its bytes.</summary>
    private (object? Output, Exception? Error, int Size) Recorded(object? output)
    {
        try
        {
            return (Runner.Engine.Copy(task.OutputType, output, out int size), null, size);
        }
        catch (PayloadTooLargeException e)
        {
            return (null, new PayloadTooLargeException($"the output of task {Subject}", e.Size, e.Limit, "return the path of a file with it, or return less"), 0);
        }
        catch (Exception e)
        {
            // Converters and properties are the task's code.
            return (null, new TerminalTaskException($"the output of task {Subject} cannot be JSON and read back: {e.Message}"), 0);
        }
    }
}
