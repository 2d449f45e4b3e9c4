using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Millstream;

/// <summary>The source of spans and the meter. Nothing is measured that nobody listens to.</summary>
internal static class Telemetry
{
    // Tasks take from a millisecond to a day.
    private static InstrumentAdvice<double> Seconds => new() { HistogramBucketBoundaries = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400] };

    public static ActivitySource Source { get; } = new(AgentOrchestrator.TelemetryName, VersionOfLibrary);

    private static readonly Meter s_meter = new(AgentOrchestrator.TelemetryName, VersionOfLibrary);

    public static Counter<long> Jobs { get; } = s_meter.CreateCounter<long>("millstream.jobs", "{job}", "Jobs that were created, and that ended, by status");

    public static Counter<long> Tasks { get; } = s_meter.CreateCounter<long>("millstream.tasks", "{attempt}", "Attempts of tasks, by outcome");

    public static Histogram<double> QueueWait { get; } = s_meter.CreateHistogram<double>("millstream.queue.wait", "s", "How long tasks waited for what they lease", advice: Seconds);

    public static Histogram<double> TaskDuration { get; } = s_meter.CreateHistogram<double>("millstream.task.duration", "s", "How long attempts of tasks took, from their lease to their end", advice: Seconds);

    /// <summary>How much is leased and free now, read when somebody collects.</summary>
    public static ObservableUpDownCounter<long> Leased { get; } = s_meter.CreateObservableUpDownCounter("millstream.resource.leased", FleetGauges.Leased, "{unit}", "How much of the resources is leased, by type");

    public static ObservableUpDownCounter<long> Free { get; } = s_meter.CreateObservableUpDownCounter("millstream.resource.free", FleetGauges.Free, "{unit}", "How much of the resources could be leased, by type");

    private static string? VersionOfLibrary => typeof(Telemetry).Assembly.GetName().Version?.ToString(3);

    /// <summary>Starts a span that is not the current one of this thread.</summary>
    /// <param name="span">The span; null where nobody wants it.</param>
    /// <param name="ticks">When it began, in UTC ticks.</param>
    public static Activity? Begin(Activity? span, long ticks)
    {
        if (span is null)
            return null;
        Activity? current = Activity.Current;
        // One without a parent would take it from here.
        Activity.Current = null;
        span.SetStartTime(Time(ticks));
        span.Start();
        Activity.Current = current;
        return span;
    }

    /// <summary>Ends a span, and leaves the current one of this thread as it is.</summary>
    public static void End(Activity span, long ticks)
    {
        Activity? current = Activity.Current;
        // Zero would be taken for a span whose end is not known.
        span.SetEndTime(Time(Math.Max(ticks, span.StartTimeUtc.Ticks + 1)));
        span.Stop();
        Activity.Current = current;
    }

    /// <summary>Marks a span as failed.</summary>
    /// <param name="span">The span.</param>
    /// <param name="type">The type of the error.</param>
    /// <param name="message">The message where content may be shown, since messages can hold some.</param>
    public static void Fail(Activity span, string type, string? message)
    {
        span.SetTag("error.type", type);
        span.SetStatus(ActivityStatusCode.Error, message);
    }

    private static DateTime Time(long ticks) => new(ticks, DateTimeKind.Utc);
}
