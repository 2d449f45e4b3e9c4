namespace Millstream.Definitions;

/// <summary>
/// Finds the type of an expression and what cannot be in it: names that do not exist, fields of lists, functions that are not
/// there. What it cannot know is any, and checked when it runs.
/// </summary>
internal sealed class ExprTyper(DataType root, Action<int, string> fault)
{
    public DataType TypeOf(Expr expr) => Value(expr, root);

    private DataType Value(Expr expr, DataType current)
    {
        DataType type = Find(expr, current);
        if (type.Kind is not (DataKind.Root or DataKind.Tasks))
            return type;
        fault(expr.At, $"this stands for everything; name one value: {string.Join(", ", type.Fields.Keys.Select(k => (type.Kind is DataKind.Tasks ? "tasks." : "") + k))}");
        return DataType.Any;
    }

    private DataType Find(Expr expr, DataType current)
    {
        switch (expr)
        {
            case CurrentExpr:
                return current;
            case FieldExpr field:
                return Field(field, current);
            case LiteralExpr literal:
                return literal.Type;
            case IndexExpr index:
                return Items(index.At, current, "an index");
            case SubExpr sub:
                DataType left = Find(sub.Left, current);
                if (left.Kind is DataKind.Tasks && sub.Right is not FieldExpr)
                    return Value(sub.Left, current);
                return Find(sub.Right, left);
            case PipeExpr pipe:
                return Find(pipe.Right, Value(pipe.Left, current));
            case ProjectionExpr projection:
                return Projection(projection, Value(projection.Left, current));
            case EitherExpr either:
                return DataType.Join(Value(either.Left, current), Value(either.Right, current));
            case CompareExpr compare:
                return Compare(compare, current);
            case ArithmeticExpr arithmetic:
                Number(arithmetic.Left, arithmetic.Operator, current);
                Number(arithmetic.Right, arithmetic.Operator, current);
                return DataType.Number;
            case SignExpr sign:
                Number(sign.Operand, "sign", current);
                return DataType.Number;
            case NotExpr not:
                Value(not.Operand, current);
                return DataType.Boolean;
            case ListExpr list:
                return DataType.ArrayOf(list.Items.Select(i => Value(i, current)).Aggregate(DataType.Join));
            case HashExpr hash:
                return DataType.ObjectOf(hash.Fields.GroupBy(f => f.Name).ToDictionary(g => g.Key, g => new DataField(Value(g.Last().Value, current))));
            case ReferenceExpr reference:
                fault(reference.At, "'&' stands only where a function wants an expression: sort_by(list, &name)");
                return DataType.Any;
            case CallExpr call:
                return Call(call, current);
            default:
                return DataType.Any;
        }
    }

    private DataType Field(FieldExpr field, DataType current)
    {
        if (current.Kind is DataKind.Any or DataKind.Null)
            return DataType.Any;
        if (current.Kind is DataKind.Map)
            return current.Item;
        if (current.Kind is DataKind.Array)
            fault(field.At, $"a list has no '{field.Name}'; '[].{field.Name}' takes it of each item, '[0].{field.Name}' of the first");
        else if (current.Kind is not (DataKind.Object or DataKind.Root or DataKind.Tasks))
            fault(field.At, $"{Article(current)} has no '{field.Name}'");
        else if (current.Fields.TryGetValue(field.Name, out DataField? found))
            return found.Type;
        else
            fault(field.At, Unknown(field, current));
        return DataType.Any;
    }

    private static string Unknown(FieldExpr field, DataType current)
    {
        string suggestion = Names.Suggest(field.Name, current.Fields.Keys);
        return current.Kind switch
        {
            DataKind.Tasks => $"there is no task '{field.Name}'{suggestion}",
            DataKind.Root when field.Quoted => $"\"{field.Name}\" in double quotes is a field, and there is none; a text stands in single quotes: '{field.Name}'",
            DataKind.Root when field.Name is "item" or "index" => $"'{field.Name}' exists only in a task with for_each",
            DataKind.Root when field.Name is "true" or "false" or "null" => $"'{field.Name}' is a field here; the value stands in back-ticks: `{field.Name}`",
            _ => $"there is no '{field.Name}'{suggestion}",
        };
    }

    private DataType Items(int at, DataType current, string what)
    {
        if (current.Kind is DataKind.Array)
            return current.Item;
        if (current.Kind is not (DataKind.Any or DataKind.Null))
            fault(at, $"{what} wants a list; this is {Article(current)}");
        return DataType.Any;
    }

    private DataType Projection(ProjectionExpr projection, DataType left)
    {
        DataType item;
        if (projection.Kind is ProjectionKind.Values)
        {
            if (left.Kind is not (DataKind.Any or DataKind.Null or DataKind.Map or DataKind.Object))
                fault(projection.At, $"'*' wants an object; this is {Article(left)}");
            item = left.Kind is DataKind.Map ? left.Item : DataType.Any;
        }
        else if (projection.Kind is ProjectionKind.Slice && left.IsText)
            return DataType.String;
        else
            item = Items(projection.At, left, projection.Kind switch { ProjectionKind.Filter => "a filter", ProjectionKind.Slice => "a slice", _ => "'[]'" });
        if (projection.Kind is ProjectionKind.Flatten && item.Kind is DataKind.Array)
            item = item.Item;
        if (projection.Condition is not null)
            Value(projection.Condition, item);
        return DataType.ArrayOf(Find(projection.Right, item));
    }

    private DataType Compare(CompareExpr compare, DataType current)
    {
        DataType left = Value(compare.Left, current), right = Value(compare.Right, current);
        bool known = left.Kind is not (DataKind.Any or DataKind.Null) && right.Kind is not (DataKind.Any or DataKind.Null);
        if (compare.Operator is not ("==" or "!="))
        {
            if (known && !(left.Fits(DataType.Number) && right.Fits(DataType.Number)))
                fault(compare.At, $"'{compare.Operator}' compares numbers; these are {left} and {right}");
        }
        else if (compare.Left is ArithmeticExpr != compare.Right is ArithmeticExpr && (left.Kind is DataKind.Integer || right.Kind is DataKind.Integer))
            fault(compare.At, $"'{compare.Operator}' tells a calculated 2.0 from 2; compare with >= and <=");
        else if (known && !left.Fits(right) && !right.Fits(left))
            fault(compare.At, $"{left} and {right} are never equal");
        return DataType.Boolean;
    }

    private void Number(Expr operand, string sign, DataType current)
    {
        DataType type = Value(operand, current);
        if (!type.Fits(DataType.Number))
            fault(operand.At, $"'{sign}' calculates with numbers; this is {Article(type)}" + (sign == "-" ? " (a name with '-' in it is written \"a-b\")" : ""));
    }

    private DataType Call(CallExpr call, DataType current)
    {
        if (!Function.All.TryGetValue(call.Name, out Function? function))
        {
            fault(call.At, $"there is no function '{call.Name}'{Names.Suggest(call.Name, Function.All.Keys)}");
            return DataType.Any;
        }
        if (call.Arguments.Count < function.Least || call.Arguments.Count > function.Parameters.Count && !function.Repeats)
            fault(call.At, $"{call.Name} takes ({string.Join(", ", function.Parameters)}); here are {call.Arguments.Count} values");
        DataType[] types = [.. call.Arguments.Select(a => a is ReferenceExpr ? DataType.Any : Value(a, current))];
        DataType first = types.Length == 0 ? DataType.Any : types[0];
        DataType item = types.FirstOrDefault(t => t.Kind is DataKind.Array)?.Item ?? DataType.Any;
        DataType mapped = DataType.Any;
        for (int i = 0; i < types.Length; i++)
        {
            string wanted = function.Parameter(i);
            if (call.Arguments[i] is ReferenceExpr reference && wanted == "&")
                mapped = Value(reference.Body, item);
            else if (wanted == "&")
                fault(call.Arguments[i].At, $"{call.Name} wants an expression here: &name");
            else if (call.Arguments[i] is ReferenceExpr || !types[i].Fits(DataType.Parse(wanted)!))
                fault(call.Arguments[i].At, $"{call.Name} wants {wanted} here; this is {types[i]}");
        }
        return function.Result switch
        {
            "item" => item,
            "same" => first,
            "mapped" => DataType.ArrayOf(mapped),
            _ => DataType.Parse(function.Result)!,
        };
    }

    private static string Article(DataType type) => type.Kind switch
    {
        DataKind.Array or DataKind.Integer or DataKind.Map or DataKind.Object => "an " + type,
        DataKind.Null or DataKind.Any => type.ToString(),
        _ => "a " + (type.IsText ? "string" : type.ToString()),
    };
}
