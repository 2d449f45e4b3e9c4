using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Millstream;

/// <summary>
/// The span of a job's run in this process. It begins with the job, or where a job that was taken up first does something again, and ends when the job ends or leaves
/// the process.
/// </summary>
internal sealed class JobSpan : IJobTrace
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _sums = new(StringComparer.Ordinal);
    private readonly JobRunner _runner;
    private readonly ActivityContext _caller;
    private readonly bool _isTakenUp;
    private Activity? _span;
    private Activity? _around;
    private Activity? _current;
    private string _name;
    private bool _isBegun;
    private bool _isOver;

    private JobSpan(JobRunner runner, bool isTakenUp)
    {
        (_runner, _isTakenUp, _name) = (runner, isTakenUp, runner.Agent.Name);
        if (runner.Parent is null && !isTakenUp)
            _caller = Activity.Current?.Context ?? default;
    }

    /// <summary>The span of a new job or of one that is taken up; null where nobody listens.</summary>
    public static JobSpan? Of(JobRunner runner, bool isTakenUp) => Telemetry.Source.HasListeners() ? new JobSpan(runner, isTakenUp) : null;

    /// <summary>The trace of a job in a store, the same in every process that runs it.</summary>
    public static ActivityTraceId TraceOf(JobId id, long created)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{id.Value}@{created}"), hash);
        return ActivityTraceId.CreateFromBytes(hash[..16]);
    }

    /// <summary>What the spans of its tasks and children stand under, begun where it was not yet; null where the job is over.</summary>
    public Activity? Begin()
    {
        lock (_gate)
        {
            if (_isBegun || _isOver)
                return _isOver ? null : _current;
            _isBegun = true;
            Activity? parent = _runner.Parent?.Span?.Begin(), above = (_around = Wrap(parent)) ?? parent;
            _span = Telemetry.Begin(Make(above), _runner.Engine.UtcTicks);
            if (_span is { IsAllDataRequested: true } span)
                Describe(span);
            // Where a sampler refused the job, it has refused what happens in it: that is told by a span of nobody.
            return _current = _span ?? above ?? Telemetry.Begin(new Activity(Title) { IsAllDataRequested = false }, _runner.Engine.UtcTicks);
        }
    }

    /// <summary>Ends it.</summary>
    /// <param name="status">What has become of the job.</param>
    /// <param name="error">Why, where it went wrong.</param>
    /// <param name="output">What it gave.</param>
    public void End(string status, JobError? error = null, object? output = null)
    {
        Activity? span;
        lock (_gate)
        {
            if (_isOver)
                return;
            (_isOver, span) = (true, _span);
        }
        // Nobody adds any more: its body is over.
        foreach ((string attribute, long sum) in _sums)
            span?.SetTag(attribute, sum);
        span?.SetTag("millstream.job.status", status);
        End(span, error);
        if (error is null && HasContent && _around is not null && _runner.Work!.Result(output) is { } result)
            _around.SetTag(result.Key, result.Value);
        End(_around, error);
    }

    private void End(Activity? span, JobError? error)
    {
        if (span is null)
            return;
        if (error is not null)
            Telemetry.Fail(span, error.Type, HasContent ? error.Message : null);
        Telemetry.End(span, _runner.Engine.UtcTicks);
    }

    public void Name(string name)
    {
        if (_name == name)
            return;
        _name = name;
        if (_span is { IsAllDataRequested: true } span)
            Describe(span);
    }

    public void Set(string attribute, object value) => _span?.SetTag(attribute, value);

    public void Add(string attribute, long amount)
    {
        lock (_gate)
            _sums[attribute] = _sums.GetValueOrDefault(attribute) + amount;
    }

    private bool HasContent => _runner.Engine.Options.CaptureContent;

    private bool IsWorkflow => _runner.Agent.Operation == Agent.WorkflowOperation;

    private string Title => $"{_runner.Agent.Operation} {_name}";

    /// <summary>The span of the call of a tool that the job is.</summary>
    private Activity? Wrap(Activity? parent)
    {
        if (_runner.Work is not { } work || parent is null)
            return null;
        Activity? span = Telemetry.Begin(Telemetry.Source.CreateActivity(work.SpanName, ActivityKind.Internal, parent.Context), _runner.Engine.UtcTicks);
        if (span is { IsAllDataRequested: true })
        {
            foreach ((string attribute, object? value) in work.Begin(HasContent))
                span.SetTag(attribute, value);
        }
        return span;
    }

    private Activity? Make(Activity? above)
    {
        KeyValuePair<string, object?>[] tags = [new("gen_ai.operation.name", _runner.Agent.Operation), new(IsWorkflow ? "gen_ai.workflow.name" : "gen_ai.agent.name", _name)];
        if (_runner.Parent is not null)
            return above is null ? null : Telemetry.Source.CreateActivity(Title, ActivityKind.Internal, above.Context, tags);
        Activity? current = Activity.Current;
        Activity.Current = null;
        try
        {
            return _runner.Engine.IsDurable ? MakeInOwnTrace(tags) : Telemetry.Source.CreateActivity(Title, ActivityKind.Internal, _caller, tags);
        }
        finally
        {
            Activity.Current = current;
        }
    }

    /// <summary>A job in a store outlives its caller and its process, so it has a trace of its own that each of its processes finds again.</summary>
    private Activity? MakeInOwnTrace(KeyValuePair<string, object?>[] tags)
    {
        ActivityTraceId trace = TraceOf(_runner.Id, _runner.Created);
        ActivityLink[] links = _caller == default ? [] : [new ActivityLink(_caller)];
        if (In(_caller.TraceFlags) is { IsAllDataRequested: true } span)
            return span;
        // A sampler that follows parents takes a trace id without a flag for a trace that was refused. So it is asked as for any first span, and its answer is the flag.
        Activity? asked = _caller == default ? Telemetry.Source.CreateActivity(Title, ActivityKind.Internal, default(ActivityContext), tags, links) : null;
        return asked is { IsAllDataRequested: true } ? In(ActivityTraceFlags.Recorded) : asked;

        Activity? In(ActivityTraceFlags flags) => Telemetry.Source.CreateActivity(Title, ActivityKind.Internal, new ActivityContext(trace, default, flags), tags, links);
    }

    private void Describe(Activity span)
    {
        Agent agent = _runner.Agent;
        span.DisplayName = Title;
        span.SetTag(IsWorkflow ? "gen_ai.workflow.name" : "gen_ai.agent.name", _name);
        if (!IsWorkflow)
            span.SetTag("gen_ai.provider.name", "millstream").SetTag("gen_ai.agent.id", agent.Id).SetTag("gen_ai.agent.version", agent.Version);
        span.SetTag("gen_ai.conversation.id", _runner.Id.Value);
        if (_isTakenUp)
            span.SetTag("millstream.job.resumed", true);
        if (_runner.Options.Tenant is not "default" and { } tenant)
            span.SetTag("millstream.tenant", tenant);
    }
}
