using System.Text.Json;
using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class RunningTests
{
    private static TaskDefinition Task(string text) => WorkflowFile.Parse(Around(text)).Tasks[1];

    [Fact]
    public void With_NullWhereTextIsWanted_NamesPlacePathAndRemedy()
    {
        TaskDefinition task = Task("a: { uses: file.read, with: { path: \"${{ tasks.list.output.files[0].path }}\", max_bytes: \"${{ tasks.list.error }}\" } }");
        var e = Assert.Throws<WorkflowValueException>(() =>
            TaskInputs.With(task, KindShape.BuiltIn["file.read"].With, Scope(Json("{}"), Json("""{"list":{"output":{"files":[]}}}"""))));
        Assert.Equal("""
            7:43: with.path: string is wanted; ${{ tasks.list.output.files[0].path }} is null; give another value: ${{ not_null(tasks.list.output.files[0].path, 'text') }}
            """, e.Message);
    }

    [Fact]
    public void With_ValueOfAnotherType_IsFoundWhenItStarts()
    {
        TaskDefinition task = Task("a: { uses: sandbox.run, with: { command: [ls], limits: \"${{ tasks.list.output.files[0] }}\" } }");
        var e = Assert.Throws<WorkflowValueException>(() => TaskInputs.With(task, KindShape.BuiltIn["sandbox.run"].With,
            Scope(Json("{}"), Json("""{"list":{"output":{"files":[{"memroy":"1MiB","time":"soon"}]}}}"""))));
        Assert.Contains("with.limits.memroy: there is no 'memroy'; did you mean 'memory'?", e.Message);
        Assert.Contains("with.limits.time: 'soon' must be a duration such as 500ms", e.Message);
    }

    [Fact]
    public void With_NullInsideWhatAnExpressionGives_NamesTheExpressionAndTheKeyWithDots()
    {
        TaskDefinition task = Task("a: { uses: sandbox.run, with: { command: [ls, \"${{ tasks.list.error }}\"], mounts: \"${{ tasks.list.output.files }}\", files: { a.b: \"${{ tasks.list.error }}\", a: x } } }");
        var e = Assert.Throws<WorkflowValueException>(() => TaskInputs.With(task, KindShape.BuiltIn["sandbox.run"].With, Scope(Json("{}"),
            Json("""{"list":{"status":"skipped","error":null,"output":{"files":[{"host":null,"path":"/x"}]}}}"""))));
        Assert.Equal(
        [
            "7:53: with.command[1]: string is wanted; ${{ tasks.list.error }} is null, since the task 'list' was skipped; give another value: ${{ not_null(tasks.list.error, 'text') }}",
            "7:89: with.mounts[0].host: string is wanted, this is null; it comes from ${{ tasks.list.output.files }}, since the task 'list' was skipped",
            "7:137: with.files.a.b: string is wanted; ${{ tasks.list.error }} is null, since the task 'list' was skipped; give another value: ${{ not_null(tasks.list.error, 'text') }}",
        ], e.Message.Split('\n'));
    }

    [Theory]
    [InlineData("batch: 2", """["a","b"] ["c"]""")]
    [InlineData("max_parallel: 2", "\"a\" \"b\" \"c\"")]
    public void Items_WithAndWithoutBatch_AreRunsInOrder(string extra, string expected)
    {
        TaskDefinition task = Task($"a: {{ uses: agent, with: {{ agent: x, input: \"${{{{ item }}}}\" }}, for_each: \"${{{{ tasks.list.output.lines }}}}\", {extra} }}");
        IReadOnlyList<JsonElement> items = TaskInputs.Items(task, Scope(Json("{}"), Json("""{"list":{"output":{"lines":["a","b","c"]}}}""")));
        Assert.Equal(expected, string.Join(' ', items.Select(i => i.GetRawText())));
        Assert.Empty(TaskInputs.Items(task, Scope(Json("{}"), Json("""{"list":{"output":{"lines":[]}}}"""))));
        var e = Assert.Throws<WorkflowValueException>(() => TaskInputs.Items(task, Scope(Json("{}"), Json("""{"list":{"output":null}}"""))));
        Assert.Contains("for_each wants a list", e.Message);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("\"${{ input.n > `2` }}\"", true)]
    [InlineData("\"${{ input.n > `5` }}\"", false)]
    [InlineData("\"${{ tasks.list.output.files[0] }}\"", false)]
    public void Runs_Condition_NullCountsAsFalse(string condition, bool expected)
    {
        TaskDefinition task = Task($"a: {{ uses: agent, with: {{ agent: x }}, if: {condition} }}");
        Assert.Equal(expected, TaskInputs.Runs(task, Scope(Json("""{"n":3}"""), Json("""{"list":{"output":{"files":[]}}}"""))));
    }

    [Fact]
    public void TaskResult_OfForEach_KeepsPlacesAndTellsErrors()
    {
        JsonElement result = TaskResult.Of([RunEnd.Completed(Json("{\"stdout\":\"x\"}")), RunEnd.Failed("no"), RunEnd.Skipped]);
        Assert.Equal("""[{"stdout":"x"},null,null]""", result.GetProperty("output").GetRawText());
        Assert.Equal("""[{"index":1,"message":"no"}]""", result.GetProperty("errors").GetRawText());
        Assert.Equal("1 of 3 failed; the first: [1] no", result.GetProperty("error").GetString());
        WorkflowDefinition sizes = WorkflowFile.Parse(Sizes);
        JsonElement output = sizes.Output!.Evaluate(new ExpressionScope(Json("{}"), new Dictionary<string, JsonElement> { ["size"] = result }));
        Assert.Equal("""["x"]""", output.GetRawText());
    }

    [Fact]
    public void TaskResult_MatchesTheTypesThatExpressionsAreCheckedAgainst()
    {
        JsonElement single = TaskResult.Of(RunEnd.Completed(Json("1"))), many = TaskResult.Of([RunEnd.Failed("x")]);
        Assert.Equal(["output", "status", "error"], single.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["output", "status", "error", "results", "errors"], many.EnumerateObject().Select(p => p.Name));
        foreach (string name in many.EnumerateObject().Select(p => p.Name))
            Assert.NotNull(WorkflowFile.Parse(Around($"a: {{ uses: agent, with: {{ agent: x }}, for_each: \"${{{{ tasks.list.output.lines }}}}\" }}", $"${{{{ tasks.a.{name} }}}}")));
    }
}
