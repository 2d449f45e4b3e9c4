using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>
/// An entry of a workflow file's job as the command shows it: <c>job.started</c> tells the workflow and its inputs instead of the texts, and what
/// sub-workflows emit has its type also where the store gave JSON.
/// </summary>
internal sealed class FileWorkflowEvent : JobEvent
{
    private readonly JobEvent _inner;
    private readonly object? _value;
    private readonly FileWorkflowInput? _input;

    private FileWorkflowEvent(JobEvent inner, object? value, FileWorkflowInput? input) => (_inner, _value, _input) = (inner, value, input);

    public override long Seq => _inner.Seq;

    public override DateTimeOffset Time => _inner.Time;

    public override string Kind => _inner.Kind;

    public override JobId Job => _inner.Job;

    public override string? Task => _inner.Task;

    public override string? Question => _inner.Question;

    public override JobId? Child => _inner.Child;

    public override int? Attempt => _inner.Attempt;

    public override JsonElement? Data => _input?.Inputs ?? _inner.Data;

    public override ReadOnlyMemory<byte> Bytes => _inner.Bytes;

    public override string? Stream => _inner.Stream;

    public override JobError? Error => _inner.Error;

    public override object? Value => _value;

    public static async IAsyncEnumerable<JobEvent> ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
            yield return Show(e);
    }

    public static JobEvent Show(JobEvent e) => e switch
    {
        { Kind: JobEventKinds.JobStarted, Data: { } data } when InputOf(data) is { } input => new FileWorkflowEvent(e, null, input),
        { Value: JsonElement json, Job.IsChild: true } when ValueOf(json) is { } value => new FileWorkflowEvent(e, value, null),
        _ => e,
    };

    /// <summary>The input of a workflow file's job; null for that of another agent.</summary>
    public static FileWorkflowInput? InputOf(JsonElement data) => Read<FileWorkflowInput>(data, "texts");

    public override void WriteTo(Utf8JsonWriter writer)
    {
        if (_input is null)
        {
            _inner.WriteTo(writer);
            return;
        }
        using JsonDocument inner = JsonDocument.Parse(_inner.ToJson());
        writer.WriteStartObject();
        foreach (JsonProperty property in inner.RootElement.EnumerateObject())
        {
            switch (property.Name)
            {
                case "agent":
                    writer.WriteString("agent", _input.Name);
                    break;
                case "version":
                    writer.WriteString("version", _input.Version);
                    break;
                case "input":
                    writer.WritePropertyName("input");
                    _input.Inputs.WriteTo(writer);
                    break;
                default:
                    property.WriteTo(writer);
                    break;
            }
        }
        writer.WriteEndObject();
    }

    private static WorkflowEvent? ValueOf(JsonElement json) => Read<WorkflowEvent>(json, "type");

    private static T? Read<T>(JsonElement json, string mark) where T : class
    {
        if (json.ValueKind is not JsonValueKind.Object || !json.TryGetProperty(mark, out _))
            return null;
        try
        {
            return (T?)PayloadType.Of<T>().Read(json);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
