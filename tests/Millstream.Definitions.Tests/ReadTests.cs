using System.Text.Json;
using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class ReadTests
{
    [Fact]
    public void Parse_TheExample_GivesItsGraph()
    {
        WorkflowDefinition sizes = WorkflowFile.Parse(Sizes);
        Assert.Equal(("sizes", "1", "array<string>"), (sizes.Name, sizes.Version, sizes.OutputType));
        Assert.Equal(4, sizes.Resources["sandbox"]);
        Assert.Equal(["list", "size"], sizes.Tasks.Select(t => t.Id));
        TaskDefinition list = sizes.Tasks[0], size = sizes.Tasks[1];
        Assert.Equal((TimeSpan.FromSeconds(30), false, 1), (list.Timeout, list.IsForEach, list.Retry.Attempts));
        Assert.Equal((null, true, 3), (size.Timeout, size.IsForEach, size.Retry.Attempts));
        Assert.True(size.ContinueOnError);
        Assert.Equal(["list"], size.DependsOn);
        Assert.Empty(list.DependsOn);
    }

    [Fact]
    public void Evaluate_TheExample_FillsCommandsMountsAndOutput()
    {
        WorkflowDefinition sizes = WorkflowFile.Parse(Sizes);
        var scope = Scope(Json("""{"path":"/a b"}"""), Json("""
            {"list":{"output":{"lines":["x","2026-01-02"]}},"size":{"output":[{"stdout":"1 x"},null,{"stdout":"3 y"}]}}
            """));
        Assert.Equal("""{"command":["ls","/in"],"mounts":[{"host":"/a b","path":"/in","access":"read"}]}""", sizes.Tasks[0].With.Evaluate(scope).GetRawText());
        Assert.Equal("""["x","2026-01-02"]""", sizes.Tasks[1].ForEach!.Evaluate(scope).GetRawText());
        scope.Set(Json("\"a\\nb\""), 1);
        Assert.Equal("/in/a\nb", sizes.Tasks[1].With.Evaluate(scope).GetProperty("command")[2].GetString());
        Assert.Equal("""["1 x","3 y"]""", sizes.Output!.Evaluate(scope).GetRawText());
    }

    [Fact]
    public void Parse_TheSameAsJson_GivesTheSame()
    {
        const string json = """
            {"name": "j", "version": "2", "tasks": {"a": {"uses": "file.read", "with": {"path": "x"}}}, "output": "${{ tasks.a.output.text }}"}
            """;
        WorkflowDefinition workflow = WorkflowFile.Parse(json);
        Assert.Equal(("j", "2", "string"), (workflow.Name, workflow.Version, workflow.OutputType));
    }

    [Fact]
    public void Parse_NumbersWhereTextIsWanted_StandAsWritten()
    {
        WorkflowDefinition workflow = WorkflowFile.Parse("name: t\nversion: 1.10\ntasks: { a: { uses: sandbox.run, with: { command: [head, -n, 08, true] } } }");
        Assert.Equal("1.10", workflow.Version);
        Assert.Equal("""["head","-n","08","true"]""", workflow.Tasks[0].With.Evaluate(Scope(default)).GetProperty("command").GetRawText());
    }

    [Fact]
    public void Parse_Requires_GivesRequirements()
    {
        WorkflowDefinition workflow = WorkflowFile.Parse(Around(
            "b: { uses: agent, with: { agent: x }, needs: list, requires: [{ type: gpu, amount: 2, labels: \"vendor = nvidia\" }, { type: tokens, amount: 50, exclusive: false }] }"));
        TaskDefinition task = workflow.Tasks[1];
        Assert.Equal(["list"], task.DependsOn);
        Assert.Equal([ResourceRequirement.Exclusive("gpu", LabelSelector.Parse("vendor = nvidia"), 2), ResourceRequirement.Units("tokens", 50)], task.Requires);
    }

    [Fact]
    public void Read_NestedWorkflow_TypesItsInputAndOutput()
    {
        string folder = Directory.CreateTempSubdirectory("millstream").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "sub"));
            File.WriteAllText(Path.Combine(folder, "sub", "inner.yaml"),
                "name: inner\ninput: { n: { type: integer } }\ntasks: { r: { uses: file.read, with: { path: a } } }\noutput: ${{ tasks.r.output.lines }}");
            string outer = Path.Combine(folder, "outer.yaml");
            File.WriteAllText(outer, "name: outer\ntasks: { w: { uses: workflow, with: { file: sub/inner.yaml, input: { n: 1 } } } }\noutput: ${{ tasks.w.output[0] }}");
            WorkflowDefinition workflow = WorkflowFile.Read(outer);
            Assert.Equal("string", workflow.OutputType);
            Assert.Equal("inner", workflow.Tasks[0].Workflow!.Name);
            File.WriteAllText(outer, "name: outer\ntasks: { w: { uses: workflow, with: { file: sub/inner.yaml, input: { m: x } } } }");
            var e = Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(outer));
            Assert.Contains("has no 'm'; there are: n", e.Message);
            Assert.Contains("needs 'n' (integer)", e.Message);
            File.WriteAllText(outer, "name: outer\ntasks: { w: { uses: workflow, with: { file: outer.yaml } } }");
            Assert.Contains("would run itself", Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(outer)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Read_NoFile_SaysSo() =>
        Assert.Equal("there is no file '/nowhere/w.yaml'", Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read("/nowhere/w.yaml")).Faults[0].Message);

    [Fact]
    public void BindInput_DefaultsObjectAndAssignments_InThisOrder()
    {
        WorkflowDefinition workflow = WorkflowFile.Parse(
            "name: t\ninput: { a: { type: string, default: x }, b: { type: integer }, c: { type: array<string>, default: [p] } }\ntasks: { r: { uses: file.read, with: { path: a } } }");
        JsonElement input = workflow.BindInput(["b=5", "c=[\"q\"]"], Json("""{"b":4,"a":"y=z"}"""));
        Assert.Equal("""{"a":"y=z","b":5,"c":["q"]}""", input.GetRawText());
    }

    [Fact]
    public void BindInput_WrongInputs_AreAllTold()
    {
        WorkflowDefinition workflow = WorkflowFile.Parse(
            "name: t\ninput: { path: { type: string }, count: { type: integer }, deep: { type: boolean } }\ntasks: { r: { uses: file.read, with: { path: a } } }");
        var e = Assert.Throws<WorkflowFileException>(() => workflow.BindInput(["pth=x", "count=many", "nothing"], Json("""{"deep":1}""")));
        Assert.Equal(
        [
            "'nothing' is no input; write name=value",
            "the input 'count': 'many' is not of type integer",
            "the input 'deep': boolean is wanted, this is integer",
            "the input 'path' (string) is missing; give it with --input path=VALUE",
            "there is no input 'pth'; did you mean 'path'?",
        ], e.Faults.Select(f => f.Message).Order(StringComparer.Ordinal));
    }
}
