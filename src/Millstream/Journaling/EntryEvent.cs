using System.Text.Json;
using System.Text.Unicode;

namespace Millstream;

/// <summary>An entry as readers see it.</summary>
internal sealed class EntryEvent(JobId job, JournalEntry shown, long seq) : JobEvent
{
    private static readonly string[] KindNames = MakeNames();

    // A child's entry is shown as its own, under the parent's number.
    private readonly JournalEntry _entry = Innermost(shown).Entry;
    private readonly JobId _job = Innermost(shown).Job ?? job;

    public override long Seq => seq;

    public override DateTimeOffset Time => new(shown.Time, TimeSpan.Zero);

    public override string Kind => KindNames[(int)_entry.Kind];

    public override JobId Job => _job;

    public override string? Task => IsTask(_entry.Kind) ? _entry.Subject : (_entry.Payload as ChildOf)?.Task;

    public override string? Question => IsQuestion(_entry.Kind) ? _entry.Subject : IsDoubt(_entry.Kind) ? $"t{_entry.Command}" : null;

    public override JobId? Child => _entry.IsOfChild ? JobId.Parse(_entry.Subject!) : null;

    public override int? Attempt => _entry.Attempt > 0 ? _entry.Attempt : null;

    public override ReadOnlyMemory<byte> Bytes => _entry.Payload is DeltaChunk chunk ? chunk.Bytes : default;

    public override string? Stream => (_entry.Payload as DeltaChunk)?.Stream;

    public override object? Value => _entry.Kind is EntryKind.Event or EntryKind.Signal or EntryKind.ChildSignalled or EntryKind.QuestionAsked ? _entry.Payload is StoredPayload stored ? stored.Element : _entry.Payload : null;

    public override JobError? Error => _entry.Payload switch
    {
        JobError error => error,
        TaskError error => Of(error),
        RetryOf { Error: { } error } => Of(error),
        _ => null,
    };

    public override JsonElement? Data => _entry.Payload switch
    {
        StartOf start => Json(_entry.PayloadType!, start.Input),
        ChildOf child => Json(_entry.PayloadType!, child.Input),
        RefusalOf refusal => refusal.Data,
        TaskDecision decision => JsonSerializer.SerializeToElement(decision, JournalJson.Default.TaskDecision),
        string reason when _entry.Kind == EntryKind.TaskWaiting => JsonSerializer.SerializeToElement(reason, JournalJson.Default.String),
        CheckpointOf checkpoint => JsonSerializer.Deserialize<JsonElement>(checkpoint.State.Span),
        _ when _entry.PayloadType is { } type => Json(type, _entry.Payload),
        _ => null,
    };

    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("seq", seq);
        writer.WriteString("time", Text(Time));
        writer.WriteString("kind", Kind);
        writer.WriteString("job", Job.Value);
        if (shown.Kind == EntryKind.ChildEntry)
            writer.WriteNumber("childSeq", _entry.Number);
        if (Task is { } task)
            writer.WriteString("task", task);
        if (Attempt is { } attempt)
            writer.WriteNumber("attempt", attempt);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    private void WriteFields(Utf8JsonWriter writer)
    {
        switch (_entry.Kind)
        {
            case EntryKind.JobStarted when _entry.Payload is StartOf start:
                writer.WriteString("agent", start.Agent);
                writer.WriteString("version", start.Version);
                WriteData(writer, "input");
                break;
            case EntryKind.ChildStarted when _entry.Payload is ChildOf child:
                writer.WriteString("child", _entry.Subject);
                writer.WriteString("agent", child.Agent);
                WriteData(writer, "input");
                break;
            case EntryKind.TaskStarted when _entry.Payload is AttemptOf attempt:
                writer.WriteString("worker", attempt.Worker);
                writer.WriteStartArray("resources");
                foreach (string resource in attempt.Resources)
                    writer.WriteStringValue(resource);
                writer.WriteEndArray();
                break;
            case EntryKind.TaskDelta when _entry.Payload is DeltaChunk chunk:
                writer.WriteString("stream", chunk.Stream);
                writer.WriteNumber("index", chunk.Index);
                if (Utf8.IsValid(chunk.Bytes))
                    writer.WriteString("text", chunk.Bytes);
                else
                    writer.WriteBase64String("base64", chunk.Bytes);
                break;
            case EntryKind.TaskRetried when _entry.Payload is RetryOf retry:
                WriteError(writer);
                writer.WriteNumber("delayMs", (long)retry.Delay.TotalMilliseconds);
                break;
            case EntryKind.TimerSet:
                writer.WriteNumber("timer", _entry.Command);
                writer.WriteString("due", Text(new DateTimeOffset((long)_entry.Payload!, TimeSpan.Zero)));
                break;
            case EntryKind.TimerFired or EntryKind.TimerStopped or EntryKind.TimerStopping:
                writer.WriteNumber("timer", _entry.Command);
                break;
            case EntryKind.Trimmed when _entry.Payload is TrimmedRange range:
                writer.WriteNumber("from", seq);
                writer.WriteNumber("to", range.To);
                writer.WriteString("class", range.Class);
                break;
            case EntryKind.Superseded when _entry.Payload is SupersededOf superseded:
                writer.WriteNumber("from", superseded.From);
                writer.WriteNumber("to", superseded.To);
                break;
            case EntryKind.Resumed when _entry.Payload is ResumeOf resume:
                writer.WriteNumber("runner", resume.Runner);
                writer.WriteNumber("epoch", resume.Epoch);
                writer.WriteString("version", resume.Version);
                break;
            case EntryKind.Forked when _entry.Payload is ForkOf fork:
                writer.WriteString("from", fork.From);
                writer.WriteNumber("at", fork.At);
                break;
            case EntryKind.Refused when _entry.Payload is RefusalOf refusal:
                JsonElement fields = JsonSerializer.SerializeToElement(refusal, JournalJson.Default.RefusalOf);
                foreach (JsonProperty field in fields.EnumerateObject())
                    field.WriteTo(writer);
                break;
            case EntryKind.Checkpoint:
                WriteData(writer, "state");
                break;
            case EntryKind.TaskInDoubt:
                writer.WriteString("question", Question);
                break;
            case EntryKind.TaskDecided when _entry.Payload is TaskDecision decision:
                writer.WriteString("question", Question);
                writer.WritePropertyName("data");
                JsonSerializer.Serialize(writer, decision, JournalJson.Default.TaskDecision);
                break;
            case EntryKind.JobCancelling or EntryKind.TaskWaiting:
                writer.WriteString("reason", _entry.Payload as string);
                break;
            default:
                WriteRest(writer);
                break;
        }
    }

    private static string[] MakeNames()
    {
        string[] names = new string[256];
        void Name(EntryKind first, params string[] row) => row.CopyTo(names, (int)first);
        Name(EntryKind.JobStarted, JobEventKinds.JobStarted, JobEventKinds.TaskCompleted, JobEventKinds.TaskFailed, JobEventKinds.TaskCancelled, JobEventKinds.Signal,
            JobEventKinds.QuestionAnswered, JobEventKinds.TimerFired, JobEventKinds.TimerStopped, JobEventKinds.QuestionWithdrawn,
            JobEventKinds.ChildCompleted, JobEventKinds.ChildFailed, JobEventKinds.ChildCancelled, JobEventKinds.Flushed, JobEventKinds.JobCancelling, JobEventKinds.TaskDecided);
        Name(EntryKind.TaskScheduled, JobEventKinds.TaskScheduled, JobEventKinds.Event, JobEventKinds.QuestionAsked, JobEventKinds.TimerSet, JobEventKinds.ChildStarted,
            JobEventKinds.TaskStopping, JobEventKinds.TimerStopping, JobEventKinds.QuestionWithdrawing, JobEventKinds.ChildStopping, JobEventKinds.ChildSignalled, JobEventKinds.Flush, JobEventKinds.JobReturned, JobEventKinds.JobCheckpoint);
        Name(EntryKind.TaskStarted, JobEventKinds.TaskStarted, JobEventKinds.TaskRetried, JobEventKinds.TaskDelta, "child.entry", JobEventKinds.Trimmed, JobEventKinds.JobResumed, JobEventKinds.TaskInDoubt, JobEventKinds.JobForked, JobEventKinds.SignalRefused,
            JobEventKinds.Superseded, JobEventKinds.TaskWaiting);
        Name(EntryKind.JobCompleted, JobEventKinds.JobCompleted, JobEventKinds.JobFailed, JobEventKinds.JobCancelled);
        return names;
    }

    private void WriteRest(Utf8JsonWriter writer)
    {
        if (IsQuestion(_entry.Kind))
            writer.WriteString("question", _entry.Subject);
        else if (_entry.IsOfChild)
            writer.WriteString("child", _entry.Subject);
        if (_entry.Kind is EntryKind.Event or EntryKind.QuestionAsked or EntryKind.Signal or EntryKind.ChildSignalled && _entry.Payload is not (null or JsonElement or StoredPayload { TypeName: null }))
            writer.WriteString("type", _entry.Payload is StoredPayload stored ? stored.TypeName : _entry.Payload!.GetType().Name);
        if (_entry.Payload is not null && Error is not null)
            WriteError(writer);
        else if (_entry.PayloadType is not null)
            WriteData(writer, _entry.Kind switch
            {
                EntryKind.TaskScheduled => "input",
                EntryKind.TaskCompleted or EntryKind.ChildCompleted or EntryKind.JobCompleted => "output",
                _ => "data",
            });
    }

    private void WriteData(Utf8JsonWriter writer, string name)
    {
        writer.WritePropertyName(name);
        Data!.Value.WriteTo(writer);
    }

    private void WriteError(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("error");
        Error!.ToJson().WriteTo(writer);
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static JobError Of(TaskError error) => new(error.Type, error.Message, error.Task, error.Details);

    private static bool IsTask(EntryKind kind) => kind is EntryKind.TaskScheduled or EntryKind.TaskStarted or EntryKind.TaskDelta or EntryKind.TaskRetried
        or EntryKind.TaskCompleted or EntryKind.TaskFailed or EntryKind.TaskCancelled or EntryKind.TaskStopping or EntryKind.Superseded or EntryKind.TaskWaiting || IsDoubt(kind);

    private static bool IsDoubt(EntryKind kind) => kind is EntryKind.TaskInDoubt or EntryKind.TaskDecided;

    private static bool IsQuestion(EntryKind kind) => kind is EntryKind.QuestionAsked or EntryKind.QuestionAnswered or EntryKind.QuestionWithdrawn or EntryKind.QuestionWithdrawing;

    private static (JobId? Job, JournalEntry Entry) Innermost(JournalEntry entry)
    {
        JobId? job = null;
        while (entry.Payload is ChildPointer pointer)
            (job, entry) = (pointer.Child, pointer.Entry);
        return (job, entry);
    }

    // In memory, types of tasks are not checked beforehand: one that JSON cannot hold must not end somebody's stream.
    private static JsonElement Json(PayloadType type, object? value)
    {
        try
        {
            return type.Write(value);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or JsonException or ArgumentException)
        {
            return JsonSerializer.SerializeToElement($"{value} (a {type.Type.Name}, which cannot be JSON: {e.Message})");
        }
    }
}
