using System.Diagnostics;

namespace Millstream;

/// <content>What is told of it to traces and metrics.</content>
internal sealed partial class TaskAttempt
{
    private Activity? _span;
    private Activity? _current;
    private long _began;

    /// <summary>How long it waited for its lease, in ticks.</summary>
    public long Waited { get; init; }

    private IWorkTrace? Work => command.Trace;

    private bool HasContent => Engine.Options.CaptureContent;

    private void BeginSpan()
    {
        JobSpan? job = command.Runner.Span;
        if (Telemetry.QueueWait.Enabled)
            Telemetry.QueueWait.Record(Seconds(Waited), new KeyValuePair<string, object?>("millstream.task.name", command.Task.Id));
        if (job is null && !Telemetry.TaskDuration.Enabled)
            return;
        _began = Engine.UtcTicks;
        if (job?.Begin() is not { } above)
            return;
        _span = Telemetry.Begin(Telemetry.Source.CreateActivity(Work?.SpanName ?? $"task {command.Task.Id}", ActivityKind.Internal, above.Context), _began);
        _current = _span ?? above;
        if (_span is not { IsAllDataRequested: true } span)
            return;
        span.SetTag("millstream.job.id", JobId.Value).SetTag("millstream.task.id", TaskId).SetTag("millstream.task.name", command.Task.Id).SetTag("millstream.task.attempt", number);
        span.SetTag("millstream.worker.id", grant.WorkerId).SetTag("millstream.queue.wait", Seconds(Waited));
        if (grant.Members.Count > 0)
            span.SetTag("millstream.lease.resources", grant.Members.Select(m => m.Unit.Id).ToArray());
        foreach ((string attribute, object? value) in Work?.Begin(HasContent) ?? [])
            span.SetTag(attribute, value);
    }

    /// <summary>Runs the task's code, under the attempt's span.</summary>
    private ValueTask<object?> RunCode()
    {
        if (_current is null)
            return command.Task.RunErasedAsync(command.Input, this);
        Activity? outer = Activity.Current;
        Activity.Current = _current;
        try
        {
            return command.Task.RunErasedAsync(command.Input, this);
        }
        finally
        {
            // What the code awaits keeps it; what the runtime does next on this thread must not have it.
            Activity.Current = outer;
        }
    }

    /// <summary>It is over.</summary>
    /// <param name="outcome">What follows from it.</param>
    /// <param name="error">What went wrong, or null.</param>
    /// <param name="delay">How long until the next attempt; null for none.</param>
    /// <param name="output">What it gave.</param>
    public void EndSpan(string outcome, TaskError? error, TimeSpan? delay, object? output)
    {
        if (Telemetry.Tasks.Enabled)
            Telemetry.Tasks.Add(1, new KeyValuePair<string, object?>("millstream.task.name", command.Task.Id), new KeyValuePair<string, object?>("millstream.task.outcome", outcome));
        if (_began == 0)
            return;
        long now = Engine.UtcTicks;
        Telemetry.TaskDuration.Record(Seconds(now - _began), new KeyValuePair<string, object?>("millstream.task.name", command.Task.Id), new KeyValuePair<string, object?>("millstream.task.outcome", outcome));
        if (_span is not { } span)
            return;
        span.SetTag("millstream.task.outcome", outcome);
        if (delay is { } wait)
            span.SetTag("millstream.retry.delay", wait.TotalSeconds);
        if (error is not null)
            Telemetry.Fail(span, error.Type, HasContent ? error.Message : null);
        else if (outcome == TaskOutcomes.Completed && Work is { } work)
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
