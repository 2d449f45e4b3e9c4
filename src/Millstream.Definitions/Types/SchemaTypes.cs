using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>Types as JSON Schema and back, so that kinds from elsewhere are checked as the built-in ones are.</summary>
internal static class SchemaTypes
{
    private const string DurationFormat = "millstream-duration", SizeFormat = "millstream-size";

    /// <summary>The type that a schema describes; any where it says more than types can.</summary>
    public static DataType Read(JsonElement schema)
    {
        if (schema.ValueKind is not JsonValueKind.Object)
            return DataType.Any;
        string? format = schema.TryGetProperty("format", out JsonElement f) ? f.GetString() : null;
        if (format is DurationFormat or SizeFormat)
            return format == DurationFormat ? DataType.Duration : DataType.Size;
        if (schema.TryGetProperty("enum", out JsonElement choices) && choices.EnumerateArray().All(c => c.ValueKind is JsonValueKind.String))
            return DataType.OneOf([.. choices.EnumerateArray().Select(c => c.GetString()!)]);
        string? type = schema.TryGetProperty("type", out JsonElement t) ? TypeName(t) : null;
        return type switch
        {
            "array" => DataType.ArrayOf(schema.TryGetProperty("items", out JsonElement items) ? Read(items) : DataType.Any),
            "object" => Fields(schema),
            "string" or "integer" or "number" or "boolean" => DataType.Parse(type)!,
            _ => DataType.Any,
        };
    }

    /// <summary>A type as a schema.</summary>
    public static JsonElement Write(DataType type) => JsonSerializer.SerializeToElement(Node(type));

    /// <summary>One type, also where null is allowed beside it (the form that C# types are written in).</summary>
    private static string? TypeName(JsonElement type)
    {
        if (type.ValueKind is JsonValueKind.String)
            return type.GetString();
        string?[] names = type.ValueKind is JsonValueKind.Array ? [.. type.EnumerateArray().Select(n => n.GetString()).Where(n => n != "null")] : [];
        return names.Length == 1 ? names[0] : null;
    }

    private static DataType Fields(JsonElement schema)
    {
        JsonElement more = schema.TryGetProperty("additionalProperties", out JsonElement given) ? given : default;
        if (!schema.TryGetProperty("properties", out JsonElement properties))
            return DataType.MapOf(more.ValueKind is JsonValueKind.Object ? Read(more) : DataType.Any);
        // What may have further fields is not closed, and only a closed object tells a wrong name.
        if (more.ValueKind is JsonValueKind.True or JsonValueKind.Object)
            return DataType.MapOf(DataType.Any);
        HashSet<string?> required = schema.TryGetProperty("required", out JsonElement names) ? [.. names.EnumerateArray().Select(n => n.GetString())] : [];
        return DataType.ObjectOf(properties.EnumerateObject().ToDictionary(p => p.Name, p => new DataField(Read(p.Value), required.Contains(p.Name))));
    }

    private static JsonNode Node(DataType type) => type.Kind switch
    {
        DataKind.Any => new JsonObject(),
        DataKind.Array => new JsonObject { ["type"] = "array", ["items"] = Node(type.Item) },
        DataKind.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Node(type.Item) },
        DataKind.Choice => new JsonObject { ["enum"] = new JsonArray([.. type.Choices.Select(c => JsonValue.Create(c))]) },
        DataKind.Duration => new JsonObject { ["type"] = "string", ["format"] = DurationFormat },
        DataKind.Size => new JsonObject { ["type"] = new JsonArray("string", "integer"), ["format"] = SizeFormat },
        DataKind.Object => new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(type.Fields.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)Node(f.Value.Type)))),
            ["required"] = new JsonArray([.. type.Fields.Where(f => f.Value.Required).Select(f => JsonValue.Create(f.Key))]),
            ["additionalProperties"] = false,
        },
        _ => new JsonObject { ["type"] = type.ToString() },
    };
}
