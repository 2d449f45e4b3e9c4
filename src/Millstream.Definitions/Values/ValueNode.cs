using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>A value of a file, some of it given by expressions when its task starts.</summary>
internal abstract record ValueNode(Mark Mark)
{
    public abstract JsonNode? Build(ExpressionScope scope);

    public JsonElement Evaluate(ExpressionScope scope) => JsonSerializer.SerializeToElement(Build(scope));

    /// <summary>All expressions in it, with their places.</summary>
    public abstract IEnumerable<PlacedExpression> Expressions();
}

/// <summary>An expression and where its text begins.</summary>
internal sealed record PlacedExpression(Expression Expression, Mark Mark)
{
    /// <summary>As it is written.</summary>
    public string Written => $"${{{{{Expression.Text}}}}}";

    public JsonElement Evaluate(ExpressionScope scope)
    {
        try
        {
            return Expression.Evaluate(scope);
        }
        catch (WorkflowValueException e)
        {
            throw scope.Fault(Mark, $"{Written}: {e.Message}{scope.Reasons(Expression.Tree)}");
        }
    }
}

/// <summary>A constant; <paramref name="Written"/> is the text of a plain scalar as it stands, to be used where text is wanted.</summary>
internal sealed record ConstantValue(Mark Mark, JsonElement Value, string? Written) : ValueNode(Mark)
{
    public override JsonNode? Build(ExpressionScope scope) => Json.Node(Value);

    public override IEnumerable<PlacedExpression> Expressions() => [];
}

/// <summary>An expression alone: keeps its type.</summary>
internal sealed record ExpressionValue(Mark Mark, PlacedExpression Placed) : ValueNode(Mark)
{
    public override JsonNode? Build(ExpressionScope scope) => Json.Node(Placed.Evaluate(scope));

    public override IEnumerable<PlacedExpression> Expressions() => [Placed];
}

/// <summary>Expressions inside text: strings as they are, numbers and booleans as JSON; nothing else.</summary>
internal sealed record TextValue(Mark Mark, IReadOnlyList<(string Literal, PlacedExpression? Placed)> Parts) : ValueNode(Mark)
{
    public override JsonNode? Build(ExpressionScope scope)
    {
        var text = new StringBuilder();
        foreach ((string literal, PlacedExpression? placed) in Parts)
            text.Append(placed is null ? literal : Text(placed, scope));
        return JsonValue.Create(text.ToString());
    }

    public override IEnumerable<PlacedExpression> Expressions() => Parts.Where(p => p.Placed is not null).Select(p => p.Placed!);

    private static string Text(PlacedExpression placed, ExpressionScope scope)
    {
        JsonElement value = placed.Evaluate(scope);
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            JsonValueKind.Null => throw scope.Fault(placed.Mark, $"{placed.Written} is null and cannot stand in text{scope.Reasons(placed.Expression.Tree)}{scope.Remedies(placed, DataType.String)}"),
            _ => throw scope.Fault(placed.Mark, $"{placed.Written} is {JsonTypes.Of(value)} and cannot stand in text; join(', ', list) or to_string(value) make text"),
        };
    }
}

internal sealed record ListValue(Mark Mark, IReadOnlyList<ValueNode> Items) : ValueNode(Mark)
{
    public override JsonNode? Build(ExpressionScope scope) => new JsonArray([.. Items.Select(i => i.Build(scope))]);

    public override IEnumerable<PlacedExpression> Expressions() => Items.SelectMany(i => i.Expressions());
}

internal sealed record MapValue(Mark Mark, IReadOnlyList<(string Key, Mark KeyMark, ValueNode Value)> Entries) : ValueNode(Mark)
{
    public override JsonNode? Build(ExpressionScope scope)
    {
        var map = new JsonObject();
        foreach ((string key, _, ValueNode value) in Entries)
            map[key] = value.Build(scope);
        return map;
    }

    public override IEnumerable<PlacedExpression> Expressions() => Entries.SelectMany(e => e.Value.Expressions());
}
