using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Checks values against the types wanted of them, with the types of what their expressions name.</summary>
internal sealed class ValueChecker(FaultList faults)
{
    /// <summary>The value, with plain scalars made text where text is wanted.</summary>
    public ValueNode Check(ValueNode value, DataType wanted, DataType root, string name)
    {
        switch (value)
        {
            case ConstantValue constant:
                return Constant(constant, wanted, name);
            case ExpressionValue expression:
                Fit(TypeOf(expression.Placed, root), wanted, expression.Placed, name);
                return value;
            case TextValue text:
                Text(text, root);
                if (!DataType.String.Fits(wanted))
                    faults.Add(text.Mark, $"{name} wants {wanted}; an expression inside text gives a string");
                return value;
            case ListValue list:
                if (wanted.Kind is not (DataKind.Any or DataKind.Array))
                    faults.Add(list.Mark, $"{name} wants {wanted}, not a list");
                DataType item = wanted.Kind is DataKind.Array ? wanted.Item : DataType.Any;
                return list with { Items = [.. list.Items.Select((v, i) => Check(v, item, root, $"{name}[{i}]"))] };
            default:
                return Map((MapValue)value, wanted, root, name);
        }
    }

    /// <summary>The type of a value as far as it is known.</summary>
    public DataType TypeOf(ValueNode value, DataType root) => value switch
    {
        ConstantValue constant => JsonTypes.Of(constant.Value),
        ExpressionValue expression => TypeOf(expression.Placed, root),
        ListValue { Items.Count: > 0 } list => DataType.ArrayOf(list.Items.Select(v => TypeOf(v, root)).Aggregate(DataType.Join)),
        ListValue => DataType.ArrayOf(DataType.Any),
        MapValue map => DataType.ObjectOf(map.Entries.ToDictionary(e => e.Key, e => new DataField(TypeOf(e.Value, root)))),
        _ => DataType.String,
    };

    public DataType TypeOf(PlacedExpression placed, DataType root)
    {
        string text = placed.Expression.Text;
        return new ExprTyper(root, (at, message) => faults.Add(ValueCompiler.At(placed.Mark, text, at), message)).TypeOf(placed.Expression.Tree);
    }

    private ConstantValue Constant(ConstantValue constant, DataType wanted, string name)
    {
        if (wanted.IsText && constant.Written is { Length: > 0 } written && constant.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.String))
            constant = constant with { Value = JsonSerializer.SerializeToElement(written) };
        foreach ((string path, string message) in JsonTypes.Check(constant.Value, wanted))
            faults.Add(constant.Mark, $"{name}{path}: {message}{Hint(constant, wanted)}");
        return constant;
    }

    private static string Hint(ConstantValue constant, DataType wanted) =>
        !wanted.IsText && constant.Value is { ValueKind: JsonValueKind.String } value && value.GetString() is { } text
        && (text.Contains("input.", StringComparison.Ordinal) || text.Contains("tasks.", StringComparison.Ordinal) || text.StartsWith("item", StringComparison.Ordinal))
            ? $"; an expression is written ${{{{ {text} }}}}" : "";

    private void Fit(DataType type, DataType wanted, PlacedExpression placed, string name)
    {
        if (type.Fits(wanted))
            return;
        string hint = wanted.IsText && type.Fits(DataType.Number) || wanted.IsText && type.Kind is DataKind.Boolean ? $"; write to_string({placed.Expression.Text.Trim()})" : "";
        faults.Add(placed.Mark, $"{name} wants {wanted}; {placed.Expression.Text.Trim()} is {type}{hint}");
    }

    private void Text(TextValue text, DataType root)
    {
        foreach (PlacedExpression placed in text.Expressions())
        {
            DataType type = TypeOf(placed, root);
            if (type.Kind is DataKind.Null or DataKind.Array or DataKind.Map or DataKind.Object)
                faults.Add(placed.Mark, $"{placed.Expression.Text.Trim()} is {type} and cannot stand in text; join(', ', list) or to_string(value) make text");
        }
    }

    private MapValue Map(MapValue map, DataType wanted, DataType root, string name)
    {
        if (wanted.Kind is not (DataKind.Any or DataKind.Map or DataKind.Object))
            faults.Add(map.Mark, $"{name} wants {wanted}, not a mapping");
        var entries = new List<(string, Mark, ValueNode)>();
        foreach ((string key, Mark keyMark, ValueNode value) in map.Entries)
        {
            DataType type = wanted.Kind is DataKind.Map ? wanted.Item : DataType.Any;
            if (wanted.Kind is DataKind.Object)
            {
                if (wanted.Fields.TryGetValue(key, out DataField? field))
                    type = field.Type;
                else
                    faults.Add(keyMark, $"{name} has no '{key}'{Names.Suggest(key, wanted.Fields.Keys)}");
            }
            entries.Add((key, keyMark, Check(value, type, root, $"{name}.{key}")));
        }
        foreach ((string key, DataField field) in wanted.Fields)
        {
            if (wanted.Kind is DataKind.Object && field.Required && map.Entries.All(e => e.Key != key))
                faults.Add(map.Mark, $"{name} needs '{key}' ({field.Type})");
        }
        return map with { Entries = entries };
    }
}
