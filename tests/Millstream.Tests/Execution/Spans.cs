using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millstream.Tests;

/// <summary>The spans of the jobs of one test, as they end. Other tests run beside it, so each job has an id that begins with the test's own word.</summary>
internal sealed class Spans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public Spans(SampleActivity<ActivityContext>? sample = null)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is AgentOrchestrator.TelemetryName or CodeSource,
            Sample = sample ?? ((ref _) => ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public const string CodeSource = "Millstream.Tests.Code";

    /// <summary>The collection of tests that listen: what one samples, all see.</summary>
    public const string Alone = "spans";

    /// <summary>The source of what tasks trace themselves.</summary>
    public static ActivitySource Code { get; } = new(CodeSource);

    /// <summary>Those of a job and its children, in the order of their ends.</summary>
    public List<Activity> Of(string job) => [.. _ended.Where(a => JobOf(a) is { } id && (id == job || id.StartsWith($"{job}/", StringComparison.Ordinal)))];

    public List<Activity> In(ActivityTraceId trace) => [.. _ended.Where(a => a.TraceId == trace)];

    public Activity One(string job, string name) => Assert.Single(Of(job), a => a.DisplayName == name);

    public void Dispose() => _listener.Dispose();

    private static string? JobOf(Activity a) => (a.GetTagItem("millstream.job.id") ?? a.GetTagItem("gen_ai.conversation.id")) as string;
}
