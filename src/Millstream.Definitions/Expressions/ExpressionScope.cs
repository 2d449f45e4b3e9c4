using System.Text.Json;
using DevLab.JmesPath;
using Newtonsoft.Json.Linq;

namespace Millstream.Definitions;

/// <summary>
/// The values that expressions see: input, tasks, item and index. One evaluation at a time: a value is converted for the
/// expression library once and kept for the next item.
/// </summary>
/// <param name="input">The workflow's input.</param>
/// <param name="tasks">What became of each task, as <see cref="TaskResult"/> makes it.</param>
/// <param name="file">The file that the expressions stand in, for messages.</param>
/// <param name="isTask">Whether they are a task's, which may have an <c>if</c>.</param>
internal sealed class ExpressionScope(JsonElement input, IReadOnlyDictionary<string, JsonElement> tasks, string file = "", bool isTask = false)
{
    private const int ErrorLength = 300;

    private readonly Dictionary<string, JProperty> _tokens = new(StringComparer.Ordinal);
    private JsonElement? _item;
    private JsonElement _index;

    /// <summary>Sets what changes from item to item; the rest stays converted.</summary>
    public ExpressionScope Set(JsonElement item, int index)
    {
        _item = item;
        _index = JsonSerializer.SerializeToElement(index);
        _tokens.Remove("item");
        _tokens.Remove("index");
        return this;
    }

    /// <summary>The value at a path of names; null where it leads nowhere.</summary>
    public JsonElement Walk(string[] path)
    {
        int from = path[0] == "tasks" ? 2 : 1;
        JsonElement value = Json.Null;
        if (path[0] == "tasks" && (path.Length < 2 || !tasks.TryGetValue(path[1], out value)))
            return Json.Null;
        if (path[0] != "tasks")
            value = Root(path[0]);
        foreach (string name in path.AsSpan(from))
        {
            if (value.ValueKind is not JsonValueKind.Object || !value.TryGetProperty(name, out value))
                return Json.Null;
        }
        return value;
    }

    /// <summary>Only what the expression names, since a conversion costs time by size.</summary>
    public JToken Tokens(Expr expr)
    {
        var named = new JObject();
        foreach (string id in TaskReferences.In(expr).Distinct())
        {
            if (tasks.TryGetValue(id, out JsonElement result))
                named.Add(Token("tasks." + id, id, result));
        }
        var root = new JObject(new JProperty("tasks", named));
        foreach (string name in (string[])["input", "item", "index"])
        {
            if (Names(expr, name))
                root.Add(Token(name, name, Root(name)));
        }
        return root;
    }

    public WorkflowValueException Fault(Mark mark, string message) => new(file, mark, message);

    /// <summary>Why an expression may have given nothing: ", since the task 'b' failed: …" for those it names that did not complete.</summary>
    public string Reasons(Expr expr) => string.Concat(Incomplete(expr).Select(t =>
        $", {(t.Error is null ? $"since the task '{t.Id}' was skipped" : $"since the task '{t.Id}' failed: {Shortened(t.Error)}")}"));

    /// <summary>What to write where an expression may give null: a condition, where that helps, or another value.</summary>
    public string Remedies(PlacedExpression placed, DataType wanted, bool mayAsk = true)
    {
        string instead = $"give another value: ${{{{ not_null({placed.Expression.Text.Trim()}, {Sample(wanted)}) }}}}";
        string[] asked = [.. Incomplete(placed.Expression.Tree).Select(t => $"tasks.{t.Id}.status == 'completed'")];
        return asked.Length > 0 && isTask && mayAsk ? $"; run this task only where that is there (if: ${{{{ {string.Join(" && ", asked)} }}}}), or {instead}" : $"; {instead}";
    }

    private IEnumerable<(string Id, string? Error)> Incomplete(Expr expr)
    {
        foreach (string id in TaskReferences.In(expr).Distinct())
        {
            string? status = tasks.TryGetValue(id, out JsonElement task) ? task.Text("status") : null;
            if (status is RunEnd.FailedStatus or RunEnd.SkippedStatus)
                yield return (id, status == RunEnd.FailedStatus ? task.Text("error") ?? "" : null);
        }
    }

    private static string Shortened(string error)
    {
        error = error.ReplaceLineEndings(" ");
        return error.Length <= ErrorLength ? error : error[..ErrorLength] + "…";
    }

    private static string Sample(DataType type) => type.Kind switch
    {
        DataKind.Array => "`[]`",
        DataKind.Map or DataKind.Object => "`{}`",
        DataKind.Boolean => "`false`",
        DataKind.Integer or DataKind.Number => "`0`",
        DataKind.Duration => "'30s'",
        DataKind.Size => "'64MiB'",
        DataKind.Choice => $"'{type.Choices[0]}'",
        _ => "'text'",
    };

    private JsonElement Root(string name) => name switch
    {
        "input" => input,
        "item" => _item ?? Json.Null,
        "index" => _item is null ? Json.Null : _index,
        _ => Json.Null,
    };

    private JProperty Token(string key, string name, JsonElement value)
    {
        if (!_tokens.TryGetValue(key, out JProperty? property))
            _tokens[key] = property = new JProperty(name, JmesPath.ParseJson(value.GetRawText()));
        // A token that has a parent would be copied.
        if (property.Parent is not null)
            property.Remove();
        return property;
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
