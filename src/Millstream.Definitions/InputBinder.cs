using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>Makes a job's input out of defaults, a JSON object and name=value texts.</summary>
internal static class InputBinder
{
    public static JsonElement Bind(WorkflowDefinition workflow, IEnumerable<string> assignments, JsonElement? values)
    {
        var faults = new FaultList(workflow.File);
        var given = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (values is { } element)
            FromObject(workflow, element, given, faults);
        var assigned = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string assignment in assignments)
            FromText(workflow, assignment, given, assigned, faults);
        var bound = new JsonObject();
        foreach (InputDefinition input in workflow.Inputs)
        {
            if (!given.TryGetValue(input.Name, out JsonElement value))
            {
                if (input.Default is not { } fallback)
                {
                    faults.Add(default, $"the input '{input.Name}' ({input.Type}) is missing; give it with --input {input.Name}=VALUE");
                    continue;
                }
                value = fallback;
            }
            else
            {
                foreach ((string path, string message) in JsonTypes.Check(value, input.DataType))
                    faults.Add(default, $"the input '{input.Name}'{path}: {message}");
            }
            bound[input.Name] = Json.Node(value);
        }
        faults.ThrowIfAny();
        return JsonSerializer.SerializeToElement(bound);
    }

    private static void FromObject(WorkflowDefinition workflow, JsonElement values, Dictionary<string, JsonElement> given, FaultList faults)
    {
        if (values.ValueKind is not JsonValueKind.Object)
        {
            faults.Add(default, $"the inputs must be a JSON object by name; this is {JsonTypes.Of(values)}");
            return;
        }
        foreach (JsonProperty property in values.EnumerateObject())
        {
            if (Known(workflow, property.Name, faults) is not null)
                given[property.Name] = property.Value;
        }
    }

    private static void FromText(WorkflowDefinition workflow, string assignment, Dictionary<string, JsonElement> given, Dictionary<string, string> assigned, FaultList faults)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            faults.Add(default, $"'{assignment}' is no input; write name=value");
            return;
        }
        string name = assignment[..equals], text = assignment[(equals + 1)..];
        if (Known(workflow, name, faults) is not { } input)
            return;
        if (!assigned.TryAdd(name, text))
            faults.Add(default, $"the input '{name}' is given twice, as '{assigned[name]}' and as '{text}'; give it once{(input.DataType.Kind is DataKind.Array ? ", a list as JSON" : "")}");
        if (Read(text, input.DataType) is { } value)
            given[name] = value;
        else
        {
            faults.Add(default, $"the input '{name}': '{text}' is not of type {input.Type}{(input.DataType.Kind is DataKind.Array or DataKind.Map ? "; write it as JSON" : "")}");
            given[name] = input.Default ?? Placeholder(input.DataType);
        }
    }

    /// <summary>Keeps a wrong input from being named a second time as missing; the fault above ends the binding.</summary>
    private static JsonElement Placeholder(DataType type) => Json.Parse(type.Kind switch
    {
        DataKind.Array => "[]",
        DataKind.Map => "{}",
        DataKind.Boolean => "false",
        DataKind.Integer or DataKind.Number => "0",
        _ => "\"\"",
    });

    private static InputDefinition? Known(WorkflowDefinition workflow, string name, FaultList faults)
    {
        InputDefinition? input = workflow.Inputs.FirstOrDefault(i => i.Name == name);
        if (input is null)
            faults.Add(default, $"there is no input '{name}'{Names.Suggest(name, workflow.Inputs.Select(i => i.Name))}");
        return input;
    }

    private static JsonElement? Read(string text, DataType type) => type.Kind switch
    {
        DataKind.String => JsonSerializer.SerializeToElement(text),
        DataKind.Boolean => text is "true" or "false" ? Json.Parse(text) : null,
        DataKind.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? JsonSerializer.SerializeToElement(whole) : null,
        DataKind.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real) ? JsonSerializer.SerializeToElement(real) : null,
        DataKind.Any => FromJson(text) ?? JsonSerializer.SerializeToElement(text),
        _ => FromJson(text),
    };

    private static JsonElement? FromJson(string text)
    {
        try
        {
            return Json.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
