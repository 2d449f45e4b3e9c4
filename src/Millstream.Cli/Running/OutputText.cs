using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millstream.Cli.Running;

/// <summary>Text of tasks as a person may see it: control characters of a task's output must not reach the terminal.</summary>
internal static class OutputText
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The last line that is not empty, or null.</summary>
    public static string? LastLine(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes).TrimEnd('\n', '\r', ' ');
        return text.Length == 0 ? null : Clean(text[(text.LastIndexOf('\n') + 1)..]);
    }

    /// <summary>Without what moves the cursor or changes colours.</summary>
    public static string Clean(string line)
    {
        StringBuilder clean = new(line.Length);
        foreach (char c in line)
            clean.Append(c == '\t' ? ' ' : char.IsControl(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format ? '\uFFFD' : c);
        return clean.ToString();
    }

    public static string Shortened(string text, int length) => text.Length <= length ? text : text[..Math.Max(0, length - 1)] + "…";

    /// <summary>A time span as a watch shows it.</summary>
    public static string Elapsed(TimeSpan time) => time.TotalSeconds < 10 ? time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture)
        : time.TotalMinutes < 1 ? time.TotalSeconds.ToString("0 s", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes}:{time.Seconds:00} min");

    /// <summary>" in 1.5 s", and " after 2.0 s in line" where the wait for resources was worth telling; nothing for what never began.</summary>
    public static string Took(TaskLine line, DateTimeOffset until) => line.Started is not { } from ? ""
        : $" in {Elapsed(until - from)}{(line.Waited.TotalSeconds > 1 ? $" after {Elapsed(line.Waited)} in line" : "")}";

    /// <summary>A workflow's output for programs: text as it is, anything else as indented JSON; null gives nothing.</summary>
    public static string? ForPrograms(JsonElement output) => output.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => output.GetString(),
        _ => JsonSerializer.Serialize(output, Indented),
    };

    /// <summary>A workflow's output for people: texts of several lines inside an object stand as they are.</summary>
    public static string? ForPeople(JsonElement output)
    {
        if (output.ValueKind is not JsonValueKind.Object || !output.EnumerateObject().Any(p => IsLong(p.Value)))
            return ForPrograms(output);
        StringBuilder text = new();
        foreach (JsonProperty property in output.EnumerateObject().OrderByDescending(p => IsLong(p.Value)))
            text.AppendLine(IsLong(property.Value) ? $"{CleanLines(property.Value.GetString()!.TrimEnd())}\n" : $"{property.Name}: {ForPrograms(property.Value)}");
        return text.ToString().TrimEnd();
    }

    /// <summary>Several lines, each clean.</summary>
    public static string CleanLines(string text) => string.Join('\n', text.Split('\n').Select(Clean));

    private static bool IsLong(JsonElement value) => value.ValueKind is JsonValueKind.String && value.GetString()!.Contains('\n', StringComparison.Ordinal);
}
