using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>
/// The id of a job: letters, digits, <c>_</c> and <c>-</c>, at most 64; a child's id is its parent's, a <c>/</c> and the number of the command that
/// started it, as in <c>j7/3</c>.
/// </summary>
[JsonConverter(typeof(JobIdConverter))]
public readonly record struct JobId
{
    private const int MaxLength = 64;

    private readonly string? _value;

    private JobId(string value) => _value = value;

    /// <summary>The id as text.</summary>
    public string Value => _value ?? "";

    /// <summary>Whether the job was started by another one.</summary>
    public bool IsChild => Value.Contains('/', StringComparison.Ordinal);

    /// <summary>The job that nobody started as a child; the job itself where it is that.</summary>
    internal JobId Root => IsChild ? new JobId(Value[..Value.IndexOf('/', StringComparison.Ordinal)]) : this;

    /// <summary>Reads an id.</summary>
    /// <exception cref="ArgumentException">The text is no id; the message says which character or length is wrong.</exception>
    public static JobId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string root = text.Split('/')[0];
        if (root.Length is 0 or > MaxLength)
            throw new ArgumentException($"'{text}' is no job id: it has {root.Length} characters; give 1 to {MaxLength}.", nameof(text));
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '/'))
                throw new ArgumentException($"'{text}' is no job id: '{c}' is not allowed; use letters, digits, '_' and '-'.", nameof(text));
        }
        string[] commands = text.Split('/')[1..];
        if (commands.Any(c => !int.TryParse(c, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            throw new ArgumentException($"'{text}' is no job id: after '/' comes the number of the command that started the child, as in j7/3.", nameof(text));
        return new JobId(text);
    }

    /// <summary>An id that no job has.</summary>
    internal static JobId Made(Random random)
    {
        const string letters = "abcdefghjkmnpqrstuvwxyz23456789";
        return new JobId(new string(random.GetItems<char>(letters, 10)));
    }

    internal JobId Child(long command) => new($"{Value}/{command}");

    /// <inheritdoc/>
    public override string ToString() => Value;

    private sealed class JobIdConverter : JsonConverter<JobId>
    {
        public override JobId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}
