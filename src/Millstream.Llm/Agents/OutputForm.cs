using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What an agent has to answer: text, or JSON of a schema.</summary>
internal abstract class OutputForm
{
    private const string Field = "result";

    /// <summary>The format that the model is asked for; null for text.</summary>
    public abstract ChatResponseFormat? Format { get; }

    /// <summary>The output that a text holds; where it holds none, what is wrong with it.</summary>
    public abstract bool TryRead(string text, out object? output, out string fault);

    /// <summary>Whether the output is a workflow that is yet to be run.</summary>
    public virtual bool IsPlan => false;

    /// <summary>What the model is told to mend.</summary>
    public abstract string Repair(string fault);

    public static OutputForm Of(Type type)
    {
        if (type == typeof(string))
            return new Text();
        AIJsonSchemaCreateOptions options = new() { TransformOptions = new AIJsonSchemaTransformOptions { DisallowAdditionalProperties = true, RequireAllProperties = true, MoveDefaultKeywordToDescription = true } };
        JsonElement schema = AIJsonUtilities.CreateJsonSchema(type, serializerOptions: AgentContract.DefaultOptions, inferenceOptions: options);
        return new Json(schema, json => json.Deserialize(type, AgentContract.DefaultOptions));
    }

    /// <exception cref="ArgumentException">It is no schema.</exception>
    public static OutputForm Of(JsonElement? schema) => schema is { } given ? new Json(given, static json => json.Clone()) : new TextAsJson();

    // Models without a format of their own put it into a block of Markdown.
    protected static string WithoutFence(string text)
    {
        string trimmed = text.Trim();
        if (!trimmed.StartsWith("```", StringComparison.Ordinal))
            return trimmed;
        int from = trimmed.IndexOf('\n'), to = trimmed.LastIndexOf("```", StringComparison.Ordinal);
        return from > 0 && to > from ? trimmed[(from + 1)..to].Trim() : trimmed;
    }

    private sealed class Text : OutputForm
    {
        public override ChatResponseFormat? Format => null;

        public override bool TryRead(string text, out object? output, out string fault)
        {
            (output, fault) = (text, "");
            return true;
        }

        public override string Repair(string fault) => fault;
    }

    private sealed class TextAsJson : OutputForm
    {
        public override ChatResponseFormat? Format => null;

        public override bool TryRead(string text, out object? output, out string fault)
        {
            (output, fault) = (JsonSerializer.SerializeToElement(text, AIJson.Options), "");
            return true;
        }

        public override string Repair(string fault) => fault;
    }

    // Providers want an object at the top.
    private sealed class Json : OutputForm
    {
        private readonly Func<JsonElement, object?> _read;
        private readonly JsonElement _schema;
        private readonly ToolSchema _check;
        private readonly bool _isWrapped;

        public Json(JsonElement schema, Func<JsonElement, object?> read)
        {
            _read = read;
            _isWrapped = !(schema.ValueKind is JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement type) && type.ValueKind is JsonValueKind.String && type.ValueEquals("object"));
            _schema = !_isWrapped ? schema : JsonSerializer.SerializeToElement(new Dictionary<string, object>
            {
                ["type"] = "object", ["properties"] = new Dictionary<string, JsonElement> { [Field] = schema }, ["required"] = new[] { Field }, ["additionalProperties"] = false,
            }, AIJson.Options);
            _check = new ToolSchema(_schema);
            Format = ChatResponseFormat.ForJsonSchema(_schema, "answer");
        }

        public override ChatResponseFormat? Format { get; }

        public override bool TryRead(string text, out object? output, out string fault)
        {
            output = null;
            try
            {
                using JsonDocument document = JsonDocument.Parse(WithoutFence(text));
                if (_check.Fault(document.RootElement) is { } misfit)
                {
                    fault = misfit;
                    return false;
                }
                output = _read(_isWrapped ? document.RootElement.GetProperty(Field) : document.RootElement);
                fault = "";
                return true;
            }
            catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or ArgumentException)
            {
                fault = $"it is not the JSON that is wanted: {e.Message}";
                return false;
            }
        }

        public override string Repair(string fault) =>
            $"Your answer does not fit: {fault}. Answer again with JSON only, without any text around it, that fits this JSON schema:\n{_schema.GetRawText()}";

    }
}
