using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What a task of a file needs when it starts, out of what is done by then. Throws <see cref="WorkflowValueException"/>.</summary>
internal static class TaskInputs
{
    /// <summary>The value under <c>with</c>, checked against what the kind takes.</summary>
    public static JsonElement With(TaskDefinition task, DataType wanted, ExpressionScope scope)
    {
        JsonElement with = task.With.Evaluate(scope);
        string[] faults = [.. JsonTypes.Check(with, wanted).Select(f => Say(task, f, scope))];
        return faults.Length == 0 ? with : throw new WorkflowValueException(string.Join('\n', faults));
    }

    private static string Say(TaskDefinition task, TypeFault fault, ExpressionScope scope)
    {
        ValueNode node = ValuePath.Find(task.With, fault.Path, out bool isWhole);
        string message = $"with{fault.Path}: {fault.Message}";
        if (node is not ExpressionValue { Placed: var placed })
            return scope.Fault(node.Mark, message).Message;
        if (fault.NullFor is not { } type)
            return scope.Fault(placed.Mark, $"{message}; it comes from {placed.Written}").Message;
        string reasons = scope.Reasons(placed.Expression.Tree);
        return scope.Fault(placed.Mark, isWhole
            ? $"with{fault.Path}: {type} is wanted; {placed.Written} is null{reasons}{scope.Remedies(placed, type)}"
            : $"{message}; it comes from {placed.Written}{reasons}").Message;
    }

    /// <summary>What each run of a <c>for_each</c> gets as <c>item</c>: an item, or with <c>batch</c> a list of items.</summary>
    public static IReadOnlyList<JsonElement> Items(TaskDefinition task, ExpressionScope scope)
    {
        JsonElement list = task.ForEach!.Evaluate(scope);
        if (list.ValueKind is not JsonValueKind.Array)
        {
            string found = list.ValueKind is JsonValueKind.Null ? "null" : JsonTypes.Of(list).ToString();
            PlacedExpression placed = task.ForEach.Placed;
            string why = list.ValueKind is JsonValueKind.Null ? scope.Reasons(placed.Expression.Tree) + scope.Remedies(placed, DataType.ArrayOf(DataType.Any), mayAsk: false) : "";
            throw scope.Fault(placed.Mark, $"for_each wants a list; {placed.Written} is {found}{why}");
        }
        return task.Batch is { } batch ? [.. list.EnumerateArray().Chunk(batch).Select(c => JsonSerializer.SerializeToElement(c))] : [.. list.EnumerateArray()];
    }

    /// <summary>Whether the task, or this item of it, runs; null counts as false.</summary>
    public static bool Runs(TaskDefinition task, ExpressionScope scope)
    {
        if (task.If is null)
            return true;
        JsonElement value = task.If.Evaluate(scope);
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw scope.Fault(task.If.Mark, $"if wants true or false, this is {JsonTypes.Of(value)}"),
        };
    }
}
