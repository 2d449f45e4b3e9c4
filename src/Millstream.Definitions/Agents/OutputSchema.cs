using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>What an agent answers: a JSON schema, or the short form <c>{field: type}</c>. Either becomes a schema.</summary>
internal sealed class OutputSchema(NodeReader nodes)
{
    private static readonly string[] Types = ["string", "integer", "number", "boolean", "array", "object", "null"];
    private static readonly string[] Texts = ["$schema", "$id", "$ref", "$anchor", "$comment", "title", "description", "pattern", "format", "contentEncoding", "contentMediaType"];
    private static readonly string[] Numbers =
        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties"];
    private static readonly string[] Flags = ["uniqueItems", "deprecated", "readOnly", "writeOnly"];
    private static readonly string[] Schemas =
        ["items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "if", "then", "else", "not", "contentSchema"];
    private static readonly string[] SchemaLists = ["allOf", "anyOf", "oneOf", "prefixItems"];
    private static readonly string[] SchemaMaps = ["properties", "patternProperties", "$defs", "dependentSchemas"];
    private static readonly string[] Anything = ["const", "default", "examples", "enum", "required", "dependentRequired", "type"];
    private static readonly string[] Keywords = [.. Anything, .. SchemaMaps, .. SchemaLists, .. Schemas, .. Flags, .. Numbers, .. Texts];
    private static readonly HashSet<string> Marks = ["$schema", "$ref", "$defs", "type", "properties", "items", "enum", "const", .. SchemaLists];

    private FaultList Faults => nodes.Faults;

    public JsonElement? Read(YamlNode node)
    {
        int before = Faults.Count;
        if (node is not YamlMap map)
        {
            Faults.Add(node.Mark, $"'output' must be a JSON schema or {{ field: type }}, this is {node.Describe()}");
            return null;
        }
        if (map.Entries.Count == 0)
            Faults.Add(map.Mark, "'output' is empty; leave it out for text");
        JsonNode? schema = null;
        if (map.Entries.Any(e => Marks.Contains(e.Key)))
        {
            Check(map, "output");
            schema = Plain(map);
        }
        else
            schema = Short(map);
        return Faults.Count == before ? JsonSerializer.SerializeToElement(schema) : null;
    }

    private JsonObject Short(YamlMap map)
    {
        JsonObject properties = [];
        foreach (YamlEntry field in map.Entries)
        {
            string name = $"output.{field.Key}";
            nodes.Id(field, "the output");
            YamlMap? inner = field.Value as YamlMap;
            YamlNode? type = field.Value;
            if (inner is not null)
            {
                nodes.Map(inner, name, Keys.OutputField);
                type = inner.Find("type")?.Value;
            }
            if (type is not YamlScalar { IsNull: false } text)
                Faults.Add((type ?? field.Value).Mark, $"{name} must be a type, or {{ type, description }}; types are string, integer, number, boolean, array<T>, object or any");
            else if (DataType.Parse(text.Text) is not { } known)
                Faults.Add(text.Mark, $"{name} has the type '{text.Text}', which is none{Names.Suggest(text.Text, ["string", "integer", "number", "boolean", "array<string>", "object", "any"])}");
            else
            {
                JsonObject schema = (JsonObject)Json.Node(SchemaTypes.Write(known))!;
                if (inner is not null)
                    AgentDefinition.Put(schema, "description", nodes.Text(inner, "description", name + ".description"));
                properties[field.Key] = schema;
            }
        }
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([.. map.Entries.Select(e => (JsonNode)e.Key)]),
            ["additionalProperties"] = false,
        };
    }

    private void Check(YamlNode node, string name)
    {
        if (node is YamlScalar { Value: bool })
            return;
        if (node is not YamlMap map)
        {
            Faults.Add(node.Mark, $"{name} must be a JSON schema, this is {node.Describe()}");
            return;
        }
        foreach (YamlEntry entry in map.Entries)
            Keyword(entry, $"{name}.{entry.Key}", name);
    }

    private void Keyword(YamlEntry entry, string at, string name)
    {
        YamlNode value = entry.Value;
        if (SchemaMaps.Contains(entry.Key))
        {
            foreach (YamlEntry inner in nodes.Map(value, at)?.Entries ?? [])
                Check(inner.Value, $"{at}.{inner.Key}");
        }
        else if (Schemas.Contains(entry.Key))
            Check(value, at);
        else if (SchemaLists.Contains(entry.Key))
        {
            Is(value, value is YamlList { Items.Count: > 0 }, at, "a list of JSON schemas");
            foreach ((YamlNode item, int i) in ((value as YamlList)?.Items ?? []).Select((v, i) => (v, i)))
                Check(item, $"{at}[{i}]");
        }
        else if (Texts.Contains(entry.Key))
            Is(value, value is YamlScalar { Value: string }, at, "text");
        else if (Numbers.Contains(entry.Key))
            Is(value, value is YamlScalar { Value: long or double }, at, "a number");
        else if (Flags.Contains(entry.Key))
            Is(value, value is YamlScalar { Value: bool }, at, "true or false");
        else if (entry.Key is "enum" or "examples")
            Is(value, value is YamlList { Items.Count: > 0 }, at, "a list of values");
        else if (entry.Key is "required")
            Is(value, value is YamlList list && list.Items.All(i => i is YamlScalar { Value: string }), at, "a list of names");
        else if (entry.Key is "type")
            Type(value, at);
        else if (!Keywords.Contains(entry.Key))
            Faults.Add(entry.KeyMark, $"{name} is a JSON schema, which has no '{entry.Key}'{Names.Suggest(entry.Key, Keywords)}");
    }

    private void Type(YamlNode value, string at)
    {
        foreach (YamlNode node in value is YamlList { Items.Count: > 0 } list ? list.Items : [value])
        {
            string? text = (node as YamlScalar)?.Text;
            if (text is null || !Types.Contains(text))
                Faults.Add(node.Mark, $"{at} must be {string.Join(", ", Types[..^1])} or {Types[^1]}, or a list of them, this is {node.Describe()}{(text is null ? "" : Names.Near(text, Types))}");
        }
    }

    private void Is(YamlNode node, bool good, string name, string what)
    {
        if (!good)
            Faults.Add(node.Mark, $"{name} must be {what}, this is {node.Describe()}");
    }

    private static JsonNode? Plain(YamlNode node) => node switch
    {
        YamlMap map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key, Plain(e.Value)))),
        YamlList list => new JsonArray([.. list.Items.Select(Plain)]),
        _ => JsonSerializer.SerializeToNode(((YamlScalar)node).Value),
    };
}
