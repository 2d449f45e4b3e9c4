using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millstream.Definitions.Tests;

/// <summary>The part of JSON Schema 2020-12 that the published schema uses; a keyword that it does not know throws.</summary>
internal sealed class MiniSchema(JsonElement root)
{
    private static readonly HashSet<string> Silent = ["$schema", "$defs", "title", "description", "then"];

    public IEnumerable<string> Validate(JsonElement value) => Validate(value, root, "");

    private IEnumerable<string> Validate(JsonElement value, JsonElement schema, string path)
    {
        if (schema.ValueKind is JsonValueKind.True)
            return [];
        return schema.EnumerateObject().Where(k => !Silent.Contains(k.Name)).SelectMany(k => Keyword(value, schema, k, path));
    }

    private bool Fits(JsonElement value, JsonElement schema) => !Validate(value, schema, "").Any();

    private IEnumerable<string> Keyword(JsonElement value, JsonElement schema, JsonProperty keyword, string path)
    {
        JsonElement rule = keyword.Value;
        bool isObject = value.ValueKind is JsonValueKind.Object, isText = value.ValueKind is JsonValueKind.String;
        string[] names = isObject ? [.. value.EnumerateObject().Select(p => p.Name)] : [];
        bool good = true;
        switch (keyword.Name)
        {
            case "$ref":
                return Validate(value, root.GetProperty("$defs").GetProperty(rule.GetString()!["#/$defs/".Length..]), path);
            case "properties":
                return names.Where(n => rule.TryGetProperty(n, out _)).SelectMany(n => Validate(value.GetProperty(n), rule.GetProperty(n), $"{path}/{n}"));
            case "additionalProperties":
                string[] others = [.. names.Where(n => !(schema.TryGetProperty("properties", out JsonElement p) && p.TryGetProperty(n, out _)))];
                return rule.ValueKind is JsonValueKind.False ? others.Select(n => $"{path}: unknown {n}") : others.SelectMany(n => Validate(value.GetProperty(n), rule, $"{path}/{n}"));
            case "items":
                return value.ValueKind is JsonValueKind.Array ? value.EnumerateArray().SelectMany((v, i) => Validate(v, rule, $"{path}/{i}")) : [];
            case "allOf":
                return rule.EnumerateArray().SelectMany(r => Validate(value, r, path));
            case "if":
                return Fits(value, rule) ? Validate(value, schema.GetProperty("then"), path) : [];
            case "anyOf": good = rule.EnumerateArray().Any(r => Fits(value, r)); break;
            case "oneOf": good = rule.EnumerateArray().Count(r => Fits(value, r)) == 1; break;
            case "type": good = (rule.ValueKind is JsonValueKind.Array ? rule.EnumerateArray() : new[] { rule }.AsEnumerable()).Any(t => Is(value, t.GetString()!)); break;
            case "required": good = !isObject || rule.EnumerateArray().All(r => names.Contains(r.GetString())); break;
            case "dependentRequired": good = rule.EnumerateObject().All(d => !names.Contains(d.Name) || d.Value.EnumerateArray().All(r => names.Contains(r.GetString()))); break;
            case "propertyNames": good = names.All(n => Fits(JsonSerializer.SerializeToElement(n), rule)); break;
            case "minProperties": good = !isObject || names.Length >= rule.GetInt32(); break;
            case "enum": good = rule.EnumerateArray().Any(r => JsonElement.DeepEquals(r, value)); break;
            case "const": good = JsonElement.DeepEquals(rule, value); break;
            case "pattern": good = !isText || Regex.IsMatch(value.GetString()!, rule.GetString()!); break;
            case "minLength": good = !isText || value.GetString()!.Length >= rule.GetInt32(); break;
            case "maxItems": good = value.ValueKind is not JsonValueKind.Array || value.GetArrayLength() <= rule.GetInt32(); break;
            case "maximum": good = value.ValueKind is not JsonValueKind.Number || value.GetDouble() <= rule.GetDouble(); break;
            case "minimum": good = value.ValueKind is not JsonValueKind.Number || value.GetDouble() >= rule.GetDouble(); break;
            default: throw new NotSupportedException(keyword.Name);
        }
        return good ? [] : [$"{path}: {keyword.Name} {rule}"];
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind is JsonValueKind.Object,
        "array" => value.ValueKind is JsonValueKind.Array,
        "string" => value.ValueKind is JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind is JsonValueKind.Number,
        _ => throw new NotSupportedException(type),
    };
}
