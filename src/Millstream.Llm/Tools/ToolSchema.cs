using System.Text.Json;
using Json.Schema;

namespace Millstream;

/// <summary>A JSON schema that values are checked against.</summary>
internal sealed class ToolSchema
{
    private const int MostFaults = 5;

    private static readonly EvaluationOptions Options = new() { OutputFormat = OutputFormat.List };

    private readonly JsonSchema? _schema;

    public ToolSchema(JsonElement schema)
    {
        try
        {
            // A registry of its own: that of the process takes each $id once, from whoever comes first. Nothing is fetched.
            _schema = JsonSchema.FromText(schema.GetRawText(), new BuildOptions { SchemaRegistry = new SchemaRegistry() });
        }
        // Servers send what they like, and the parser throws what it likes.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new ArgumentException($"This is no JSON schema: {e.Message}", nameof(schema), e);
        }
    }

    /// <summary>What is wrong with a value, in a sentence; null where it fits.</summary>
    public string? Fault(JsonElement value)
    {
        EvaluationResults results;
        try
        {
            results = _schema!.Evaluate(value, Options);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return $"the schema cannot be applied: {e.Message}";
        }
        if (results.IsValid)
            return null;
        string[] faults = [.. (results.Details ?? []).Where(d => d.Errors is not null).SelectMany(d => d.Errors!.Select(e => $"{Place(d.InstanceLocation.ToString())}: {e.Value}")).Distinct().Take(MostFaults)];
        return faults.Length == 0 ? "they do not fit the schema" : string.Join("; ", faults);
    }

    private static string Place(string pointer) => pointer.Length == 0 ? "the whole" : pointer;
}
