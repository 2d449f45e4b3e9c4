using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What type a JSON value has, and whether it is of a wanted type.</summary>
internal static class JsonTypes
{
    public static DataType Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => DataType.String,
        JsonValueKind.True or JsonValueKind.False => DataType.Boolean,
        JsonValueKind.Number => IsWhole(value) ? DataType.Integer : DataType.Number,
        JsonValueKind.Array => DataType.ArrayOf(value.GetArrayLength() == 0 ? DataType.Any : value.EnumerateArray().Select(Of).Aggregate(DataType.Join)),
        JsonValueKind.Object => DataType.ObjectOf(value.EnumerateObject().GroupBy(p => p.Name).ToDictionary(g => g.Key, g => new DataField(Of(g.Last().Value)))),
        _ => DataType.Null,
    };

    private static bool IsWhole(JsonElement value) => value.TryGetInt64(out _) || value.GetDouble() is var d && Math.Floor(d) == d && Math.Abs(d) < 1L << 53;

    /// <summary>Every place where a value is not of its type: a path such as <c>.mounts[0].host</c>, and what is wrong.</summary>
    public static IEnumerable<(string Path, string Message)> Check(JsonElement value, DataType type, string path = "")
    {
        switch (type.Kind)
        {
            case DataKind.Any:
                break;
            case DataKind.Array when value.ValueKind is JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    foreach ((string, string) fault in Check(item, type.Item, $"{path}[{index}]"))
                        yield return fault;
                    index++;
                }
                break;
            case DataKind.Map when value.ValueKind is JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    foreach ((string, string) fault in Check(property.Value, type.Item, $"{path}.{property.Name}"))
                        yield return fault;
                }
                break;
            case DataKind.Object when value.ValueKind is JsonValueKind.Object:
                foreach ((string, string) fault in CheckFields(value, type, path))
                    yield return fault;
                break;
            default:
                if (Scalar(value, type) is { } message)
                    yield return (path, message);
                break;
        }
    }

    private static IEnumerable<(string, string)> CheckFields(JsonElement value, DataType type, string path)
    {
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!type.Fields.TryGetValue(property.Name, out DataField? field))
                yield return ($"{path}.{property.Name}", $"there is no '{property.Name}'{Names.Suggest(property.Name, type.Fields.Keys)}");
            else if (field.Required || property.Value.ValueKind is not JsonValueKind.Null)
            {
                foreach ((string, string) fault in Check(property.Value, field.Type, $"{path}.{property.Name}"))
                    yield return fault;
            }
        }
        foreach ((string name, DataField field) in type.Fields)
        {
            if (field.Required && !value.TryGetProperty(name, out _))
                yield return (path, $"'{name}' is missing");
        }
    }

    private static string? Scalar(JsonElement value, DataType type)
    {
        string found = value.ValueKind is JsonValueKind.Null ? "null" : Of(value).ToString();
        if (!Of(value).Fits(type))
            return $"{type} is wanted, this is {found}";
        if (value.ValueKind is not JsonValueKind.String)
            return null;
        string text = value.GetString()!;
        return type.Kind switch
        {
            DataKind.Duration when !Units.TryDuration(text, out _) => $"'{text}' is not a duration; write 500ms, 30s, 5m or 1h30m",
            DataKind.Size when !Units.TrySize(text, out _) => $"'{text}' is not a size; write 64KiB, 512MiB or a number of bytes",
            DataKind.Choice when !type.Choices.Contains(text) => $"'{text}' is not allowed{Names.Suggest(text, type.Choices)}",
            _ => null,
        };
    }
}
