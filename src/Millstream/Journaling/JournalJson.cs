using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>The runtime's own payloads as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(DecisionNames)])]
[JsonSerializable(typeof(TaskError))]
[JsonSerializable(typeof(JobError))]
[JsonSerializable(typeof(RetryOf))]
[JsonSerializable(typeof(AttemptOf))]
[JsonSerializable(typeof(ResumeOf))]
[JsonSerializable(typeof(ForkOf))]
[JsonSerializable(typeof(RefusalOf))]
[JsonSerializable(typeof(SupersededOf))]
[JsonSerializable(typeof(TaskDecision))]
[JsonSerializable(typeof(PointerOf))]
[JsonSerializable(typeof(TrimmedOf))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
internal sealed partial class JournalJson : JsonSerializerContext;

/// <summary>Decisions in the words of who decides.</summary>
internal sealed class DecisionNames() : JsonStringEnumConverter<TaskDecisionAction>(JsonNamingPolicy.CamelCase);

/// <summary>How a <see cref="ChildPointer"/> is stored: the entry itself is in the child's journal.</summary>
internal sealed record PointerOf(string Child, long Number);

/// <summary>How a <see cref="TrimmedRange"/> is stored.</summary>
internal sealed record TrimmedOf(long To, string Class);
