using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Reads what a task got under <c>with</c>; its types were checked before. Null stands for left out.</summary>
internal static class With
{
    public static string? Text(this JsonElement with, string name) => with.Find(name)?.GetString();

    public static long Size(this JsonElement with, string name, long fallback) => with.Find(name) is not { } value ? fallback
        : value.ValueKind is JsonValueKind.Number ? value.GetInt64()
        : Units.TrySize(value.GetString()!, out long bytes) ? bytes : fallback;

    public static TimeSpan Duration(this JsonElement with, string name, TimeSpan fallback) =>
        with.Text(name) is { } text && Units.TryDuration(text, out TimeSpan duration) ? duration : fallback;

    public static int Whole(this JsonElement with, string name, int fallback) => with.Find(name)?.GetInt32() ?? fallback;

    public static IEnumerable<JsonElement> List(this JsonElement with, string name) => with.Find(name) is { } list ? list.EnumerateArray() : [];

    public static IEnumerable<string> Texts(this JsonElement with, string name) => with.List(name).Select(v => v.GetString()!);

    public static IEnumerable<(string Name, string Text)> TextMap(this JsonElement with, string name) =>
        with.Find(name) is { } map ? map.EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)) : [];

    public static JsonElement? Find(this JsonElement with, string name) =>
        with.ValueKind is JsonValueKind.Object && with.TryGetProperty(name, out JsonElement value) && value.ValueKind is not JsonValueKind.Null ? value : null;
}
