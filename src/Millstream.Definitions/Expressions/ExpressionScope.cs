using System.Text.Json;
using DevLab.JmesPath;
using Newtonsoft.Json.Linq;

namespace Millstream.Definitions;

/// <summary>The values that expressions see: input, tasks, item and index. For one evaluation at a time.</summary>
internal sealed class ExpressionScope
{
    private readonly Dictionary<string, JsonElement> _roots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JProperty> _tokens = new(StringComparer.Ordinal);

    public ExpressionScope(JsonElement input, JsonElement tasks)
    {
        _roots["input"] = input;
        _roots["tasks"] = tasks;
    }

    /// <summary>Sets what changes from item to item; the rest stays converted.</summary>
    public ExpressionScope Set(JsonElement item, int index)
    {
        _roots["item"] = item;
        _roots["index"] = JsonSerializer.SerializeToElement(index);
        _tokens.Remove("item");
        _tokens.Remove("index");
        return this;
    }

    public bool TryGet(string name, out JsonElement value) => _roots.TryGetValue(name, out value);

    /// <summary>Only the roots that the expression names, since a conversion costs time by size.</summary>
    public JToken Tokens(Expr expr)
    {
        var root = new JObject();
        foreach ((string name, JsonElement value) in _roots)
        {
            if (!Names(expr, name))
                continue;
            if (!_tokens.TryGetValue(name, out JProperty? property))
                _tokens[name] = property = new JProperty(name, JmesPath.ParseJson(value.GetRawText()));
            if (property.Parent is not null)
                property.Remove();
            root.Add(property);
        }
        return root;
    }

    private static bool Names(Expr expr, string name) => expr switch
    {
        FieldExpr field => field.Name == name,
        SubExpr sub => Names(sub.Left, name) || Names(sub.Right, name),
        PipeExpr pipe => Names(pipe.Left, name) || Names(pipe.Right, name),
        ProjectionExpr p => Names(p.Left, name) || Names(p.Right, name) || p.Condition is not null && Names(p.Condition, name),
        EitherExpr either => Names(either.Left, name) || Names(either.Right, name),
        CompareExpr compare => Names(compare.Left, name) || Names(compare.Right, name),
        ArithmeticExpr arithmetic => Names(arithmetic.Left, name) || Names(arithmetic.Right, name),
        SignExpr sign => Names(sign.Operand, name),
        NotExpr not => Names(not.Operand, name),
        ListExpr list => list.Items.Any(i => Names(i, name)),
        HashExpr hash => hash.Fields.Any(f => Names(f.Value, name)),
        ReferenceExpr reference => Names(reference.Body, name),
        CallExpr call => call.Arguments.Any(a => Names(a, name)),
        _ => false,
    };
}
