using System.Text.Json;
using System.Text.Json.Nodes;
using DevLab.JmesPath;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Millstream.Definitions;

/// <summary>
/// One expression, read once and evaluated often. Plain paths are walked directly; the rest goes to the JMESPath library, parsed
/// anew each time, since its parsed expressions are not safe to share between threads.
/// </summary>
internal sealed class Expression
{
    private readonly string[]? _path;

    public Expression(string text, Expr tree)
    {
        Text = text;
        Tree = tree;
        _path = PathOf(tree);
    }

    public string Text { get; }

    public Expr Tree { get; }

    /// <summary>The value over <paramref name="scope"/>; null where a path leads nowhere.</summary>
    public JsonElement Evaluate(ExpressionScope scope) => _path is null ? Evaluated(scope) : scope.Walk(_path);

    private JsonElement Evaluated(ExpressionScope scope)
    {
        try
        {
            JToken result = new JmesPath().Parse(Text).Transform(scope.Tokens(Tree)).AsJToken();
            using var writer = new StringWriter();
            using (var json = new WholeNumberWriter(writer))
                (result ?? JValue.CreateNull()).WriteTo(json);
            return Json.Parse(writer.ToString());
        }
        catch (Exception e) when (e is not WorkflowValueException)
        {
            throw new WorkflowValueException(e.Message);
        }
    }

    private static string[]? PathOf(Expr expr) => expr switch
    {
        FieldExpr field => [field.Name],
        SubExpr { Left: var left, Right: FieldExpr right } when PathOf(left) is { } path => [.. path, right.Name],
        _ => null,
    };

    /// <summary>The library calculates with floats; 7 - 2 must be 5 in a text, not 5.0.</summary>
    private sealed class WholeNumberWriter(TextWriter writer) : JsonTextWriter(writer)
    {
        public override void WriteValue(double value)
        {
            if (Math.Floor(value) == value && Math.Abs(value) < 1L << 53)
                WriteValue((long)value);
            else
                base.WriteValue(value);
        }
    }
}

/// <summary>A value that an expression gave is not what its place needs; fails the task that asked for it. The message begins with the place.</summary>
internal sealed class WorkflowValueException(string message) : Exception(message)
{
    public WorkflowValueException(string file, Mark mark, string message) : this(new WorkflowFault(file, mark.Line, mark.Column, message).ToString())
    {
    }
}

internal static class Json
{
    public static JsonElement Null { get; } = Parse("null");

    /// <summary>How the library writes what it stores.</summary>
    public static JsonSerializerOptions Options => AgentContract.DefaultOptions;

    public static JsonNode? Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        _ => JsonValue.Create(value),
    };

    public static JsonElement Parse(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
        return document.RootElement.Clone();
    }
}
