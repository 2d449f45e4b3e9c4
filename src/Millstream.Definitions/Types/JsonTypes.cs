using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>A place in a value, such as <c>.mounts[0].host</c>, that is not of its type; <paramref name="NullFor"/> is the type where it is null.</summary>
internal readonly record struct TypeFault(string Path, string Message, DataType? NullFor = null)
{
    public void Deconstruct(out string path, out string message) => (path, message) = (Path, Message);
}

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

    /// <summary>Every place where a value is not of its type, and what is wrong.</summary>
    public static IEnumerable<TypeFault> Check(JsonElement value, DataType type, string path = "")
    {
        switch (type.Kind)
        {
            case DataKind.Any:
                break;
            case DataKind.Array when value.ValueKind is JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    foreach (TypeFault fault in Check(item, type.Item, $"{path}[{index}]"))
                        yield return fault;
                    index++;
                }
                break;
            case DataKind.Map when value.ValueKind is JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    foreach (TypeFault fault in Check(property.Value, type.Item, $"{path}.{property.Name}"))
                        yield return fault;
                }
                break;
            case DataKind.Object when value.ValueKind is JsonValueKind.Object:
                foreach (TypeFault fault in CheckFields(value, type, path))
                    yield return fault;
                break;
            default:
                if (Scalar(value, type) is { } message)
                    yield return new TypeFault(path, message, value.ValueKind is JsonValueKind.Null ? type : null);
                break;
        }
    }

    private static IEnumerable<TypeFault> CheckFields(JsonElement value, DataType type, string path)
    {
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!type.Fields.TryGetValue(property.Name, out DataField? field))
                yield return new TypeFault($"{path}.{property.Name}", $"there is no '{property.Name}'{Names.Suggest(property.Name, type.Fields.Keys)}");
            else if (field.Required || property.Value.ValueKind is not JsonValueKind.Null)
            {
                foreach (TypeFault fault in Check(property.Value, field.Type, $"{path}.{property.Name}"))
                    yield return fault;
            }
        }
        foreach ((string name, DataField field) in type.Fields)
        {
            if (field.Required && !value.TryGetProperty(name, out _))
                yield return new TypeFault(path, $"'{name}' is missing");
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
            DataKind.Duration when Units.DurationFault(text) is { } fault => $"'{text}' {fault}",
            DataKind.Size when !Units.TrySize(text, out _) => $"'{text}' is not a size; write 64KiB, 512MiB or a number of bytes",
            DataKind.Choice when !type.Choices.Contains(text) => $"'{text}' is not allowed{Names.Suggest(text, type.Choices)}",
            _ => null,
        };
    }
}
