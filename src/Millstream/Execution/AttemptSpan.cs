using System.Diagnostics;

namespace Millstream;

/// <summary>What one attempt of a task tells to traces and metrics. There is none where nobody listens.</summary>
/// <param name="command">The task.</param>
/// <param name="grant">What the attempt leases.</param>
/// <param name="number">The number of the attempt.</param>
/// <param name="waited">How long it waited for its lease, in ticks.</param>
internal sealed class AttemptSpan(TaskCommand command, Grant grant, int number, long waited)
{
    private const string TaskName = "millstream.task.name", Outcome = "millstream.task.outcome";

    private Activity? _span;
    private Activity? _current;
    private long _began;

    private Engine Engine => command.Runner.Engine;

    private bool HasContent => Engine.Options.CaptureContent;

    public static bool IsWanted(JobRunner job) => job.Span is not null || Telemetry.Tasks.Enabled || Telemetry.QueueWait.Enabled || Telemetry.TaskDuration.Enabled;

    /// <summary>The attempt begins.</summary>
    public void Begin()
    {
        Telemetry.QueueWait.Record(Seconds(waited), new KeyValuePair<string, object?>(TaskName, command.Task.Id));
        _began = Engine.UtcTicks;
        if (command.Runner.Span?.Begin() is not { } above)
            return;
        IWorkTrace? work = command.Trace;
        _span = Telemetry.Begin(Telemetry.Source.CreateActivity(work?.SpanName ?? $"task {command.Task.Id}", ActivityKind.Internal, above.Context), _began);
        _current = _span ?? above;
        if (_span is not { IsAllDataRequested: true } span)
            return;
        span.SetTag("millstream.job.id", command.Runner.Id.Value).SetTag("millstream.task.id", command.Subject).SetTag(TaskName, command.Task.Id).SetTag("millstream.task.attempt", number);
        span.SetTag("millstream.worker.id", grant.WorkerId).SetTag("millstream.queue.wait", Seconds(waited));
        if (grant.Members.Count > 0)
            span.SetTag("millstream.lease.resources", grant.Members.Select(m => m.Unit.Id).ToArray());
        foreach ((string attribute, object? value) in work?.Begin(HasContent) ?? [])
            span.SetTag(attribute, value);
    }

    /// <summary>Runs the task's code under the span.</summary>
    public ValueTask<object?> Run(TaskContext context)
    {
        Activity? outer = Activity.Current;
        Activity.Current = _current;
        try
        {
            return command.Task.RunErasedAsync(command.Input, context);
        }
        finally
        {
            // What the code awaits keeps it; what the runtime does next on this thread must not have it.
            Activity.Current = outer;
        }
    }

    /// <summary>The attempt is over.</summary>
    /// <param name="outcome">What follows from it.</param>
    /// <param name="error">What went wrong, or null.</param>
    /// <param name="delay">How long until the next attempt; null for none.</param>
    /// <param name="output">What it gave.</param>
    public void End(string outcome, TaskError? error, TimeSpan? delay, object? output)
    {
        // It was told to stop before it began.
        if (_began == 0)
            return;
        long now = Engine.UtcTicks;
        Telemetry.Tasks.Add(1, new KeyValuePair<string, object?>(TaskName, command.Task.Id), new KeyValuePair<string, object?>(Outcome, outcome));
        Telemetry.TaskDuration.Record(Seconds(now - _began), new KeyValuePair<string, object?>(TaskName, command.Task.Id), new KeyValuePair<string, object?>(Outcome, outcome));
        if (_span is not { } span)
            return;
        span.SetTag(Outcome, outcome);
        if (delay is { } wait)
            span.SetTag("millstream.retry.delay", wait.TotalSeconds);
        if (error is not null)
            Telemetry.Fail(span, error.Type, HasContent ? error.Message : null);
        else if (outcome == TaskOutcomes.Completed && command.Trace is { } work)
            Tell(span, work, output);
        Telemetry.End(span, now);
    }

    private void Tell(Activity span, IWorkTrace work, object? output)
    {
        if (work.ErrorType(output) is { } type)
            Telemetry.Fail(span, type, null);
        if (HasContent && work.Result(output) is { } result)
            span.SetTag(result.Key, result.Value);
    }

    private static double Seconds(long ticks) => TimeSpan.FromTicks(Math.Max(0, ticks)).TotalSeconds;
}

/// <summary>How an attempt ends, in traces and metrics.</summary>
internal static class TaskOutcomes
{
    public const string Completed = "completed", Failed = "failed", Retried = "retried", Stopped = "stopped", LeaseLost = "lease_lost", InDoubt = "in_doubt", Detached = "detached";
}
