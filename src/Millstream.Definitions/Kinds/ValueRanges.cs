using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What whole numbers and sizes under <c>with</c> may be, beyond their types: told when a file is read where they are constants, else when the task runs.</summary>
/// <param name="Kind">The task kind.</param>
/// <param name="Key">The key under <c>with</c>.</param>
/// <param name="Least">The least value.</param>
/// <param name="Most">The largest value.</param>
/// <param name="Rule">The same in words.</param>
internal sealed record ValueRanges(string Kind, string Key, long Least, long Most, string Rule)
{
    // What is fetched or read is held in memory, and becomes text of the same size.
    private const long MostBytes = 1L << 30;

    private static readonly ValueRanges[] All =
    [
        new("sandbox.run", "allowed_exit_codes", 0, 255, "exit codes from 0 to 255"),
        new("http.get", "max_bytes", 1, MostBytes, "1 byte to 1GiB"),
        new("http.get", "max_redirects", 0, 100, "0 to 100"),
        new("file.read", "max_bytes", 1, MostBytes, "1 byte to 1GiB"),
        new("file.write", "max_bytes", 1, MostBytes, "1 byte to 1GiB"),
        new("llm.chat", "max_tokens", 1, int.MaxValue, "1 or more"),
        new("file.list", "max_entries", 1, 100_000, "1 to 100000"),
    ];

    /// <summary>Finds constants out of range before anything runs.</summary>
    public static void Check(FaultList faults, string? kind, MapValue with, string name)
    {
        foreach (ValueRanges range in All.Where(r => r.Kind == kind))
        {
            ValueNode? value = with.Entries.FirstOrDefault(e => e.Key == range.Key).Value;
            foreach (ConstantValue wrong in (value is ListValue list ? list.Items : [value]).OfType<ConstantValue>().Where(c => !range.Allows(c.Value)))
                faults.Add(wrong.Mark, $"{name}.with.{range.Key} is {wrong.Written ?? wrong.Value.GetRawText()}; give {range.Rule}");
        }
    }

    /// <summary>Why a task cannot run with what it was given, or null.</summary>
    public static string? Fault(string kind, JsonElement with) => All.Where(r => r.Kind == kind && with.Find(r.Key) is { } value && !r.Allows(value))
        .Select(r => $"{kind}: {r.Key} is {with.Find(r.Key)}; give {r.Rule}").FirstOrDefault();

    // A value of another type is a fault of its own.
    private bool Allows(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().All(Allows),
        JsonValueKind.Number => value.TryGetInt64(out long number) && number >= Least && number <= Most,
        JsonValueKind.String => !Units.TrySize(value.GetString()!, out long bytes) || (bytes >= Least && bytes <= Most),
        _ => true,
    };
}
