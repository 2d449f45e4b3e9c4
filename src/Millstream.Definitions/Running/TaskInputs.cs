using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What a task of a file needs when it starts, out of what is done by then. Throws <see cref="WorkflowValueException"/>.</summary>
internal static class TaskInputs
{
    /// <summary>The value under <c>with</c>, checked against what the kind takes.</summary>
    public static JsonElement With(TaskDefinition task, DataType wanted, ExpressionScope scope)
    {
        JsonElement with = task.With.Evaluate(scope);
        string[] faults = [.. JsonTypes.Check(with, wanted).Select(f => $"with{f.Path}: {f.Message}")];
        return faults.Length == 0 ? with : throw new WorkflowValueException($"the task '{task.Id}' (line {task.Line}): {string.Join("; ", faults)}");
    }

    /// <summary>What each run of a <c>for_each</c> gets as <c>item</c>: an item, or with <c>batch</c> a list of items.</summary>
    public static IReadOnlyList<JsonElement> Items(TaskDefinition task, ExpressionScope scope)
    {
        JsonElement list = task.ForEach!.Evaluate(scope);
        if (list.ValueKind is not JsonValueKind.Array)
        {
            string found = list.ValueKind is JsonValueKind.Null ? "null" : JsonTypes.Of(list).ToString();
            throw new WorkflowValueException($"the task '{task.Id}' (line {task.Line}): for_each wants a list; ${{{{{task.ForEach.Placed.Expression.Text}}}}} is {found}");
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
            _ => throw new WorkflowValueException($"the task '{task.Id}' (line {task.Line}): if wants true or false, this is {JsonTypes.Of(value)}"),
        };
    }
}
