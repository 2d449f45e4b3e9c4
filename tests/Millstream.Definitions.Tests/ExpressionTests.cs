using System.Text.Json;
using DevLab.JmesPath;
using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class ExpressionTests
{
    private static readonly JsonElement Input = Json("""
        {"s":"a-b","n":7,"f":2.5,"b":true,"list":["x","y"],"nums":[3,1,2],"deep":[[1],[2,3]],"rows":[{"k":"p","v":2},{"k":"q","v":1}],"o":{"k":1},"day":"2026-01-02T03:04:05Z"}
        """);

    private static readonly DataType Root = DataType.RootOf(new Dictionary<string, DataField> { ["input"] = new(JsonTypes.Of(Input)) });

    [Theory]
    [InlineData("input.s", "\"a-b\"", "string")]
    [InlineData("input.day", "\"2026-01-02T03:04:05Z\"", "string")]
    [InlineData("[input.day][0]", "\"2026-01-02T03:04:05Z\"", "string")]
    [InlineData("input.n - `2`", "5", "number")]
    [InlineData("input.n * `2` + `1`", "15", "number")]
    [InlineData("input.f", "2.5", "number")]
    [InlineData("input.n > `3` && input.b", "true", "boolean")]
    [InlineData("!input.b", "false", "boolean")]
    [InlineData("input.list[0]", "\"x\"", "string")]
    [InlineData("input.list[-1]", "\"y\"", "string")]
    [InlineData("input.nums[:2]", "[3,1]", "array<integer>")]
    [InlineData("input.deep[]", "[1,2,3]", "array<integer>")]
    [InlineData("input.deep[*][0]", "[1,2]", "array<integer>")]
    [InlineData("input.rows[].k", "[\"p\",\"q\"]", "array<string>")]
    [InlineData("input.rows[?v > `1`].k", "[\"p\"]", "array<string>")]
    [InlineData("input.rows[?v > `1`].k | [0]", "\"p\"", "string")]
    [InlineData("input.rows[*].{name: k, n: v}", "[{\"name\":\"p\",\"n\":2},{\"name\":\"q\",\"n\":1}]", "array<object>")]
    [InlineData("input.rows[].[k, k]", "[[\"p\",\"p\"],[\"q\",\"q\"]]", "array<array<string>>")]
    [InlineData("input.o.*", "[1]", "array<any>")]
    [InlineData("input.missing || 'none'", "\"none\"", "any")]
    [InlineData("sort_by(input.rows, &v)[0].k", "\"q\"", "string")]
    [InlineData("map(&k, input.rows)", "[\"p\",\"q\"]", "array<string>")]
    [InlineData("max_by(input.rows, &v).k", "\"p\"", "string")]
    [InlineData("join(',', input.list)", "\"x,y\"", "string")]
    [InlineData("length(input.list) == `2`", "true", "boolean")]
    [InlineData("sum(input.nums)", "6", "number")]
    [InlineData("sort(input.nums)", "[1,2,3]", "array<integer>")]
    [InlineData("keys(input.o)", "[\"k\"]", "array<string>")]
    [InlineData("to_string(input.n)", "\"7\"", "string")]
    [InlineData("split(input.s, '-')", "[\"a\",\"b\"]", "array<string>")]
    [InlineData("type(input.b)", "\"boolean\"", "string")]
    [InlineData("not_null(input.missing, `3`)", "3", "any")]
    [InlineData("(input.n)", "7", "integer")]
    [InlineData("input.o.\"k\"", "1", "integer")]
    public void Evaluate_GivesTheValueOfTheTypeThatWasFound(string text, string json, string type)
    {
        Expr tree = ExprParser.Parse(text);
        var faults = new List<string>();
        DataType found = new ExprTyper(Root, (_, message) => faults.Add(message)).TypeOf(tree);
        Assert.Equal(type, found.ToString());
        Assert.All(faults, f => Assert.Contains("'missing'", f));
        JsonElement value = new Expression(text, tree).Evaluate(Scope(Input));
        Assert.Equal(json, value.GetRawText());
        Assert.Empty(JsonTypes.Check(value, found));
    }

    [Fact]
    public void Functions_AreThoseOfTheLibrary()
    {
        foreach (Function function in Function.All.Values)
        {
            string arguments = string.Join(", ", Enumerable.Range(0, function.Least).Select(i => function.Parameter(i) == "&" ? "&a" : "a"));
            Assert.NotNull(new JmesPath().Parse($"{function.Name}({arguments})"));
            if (!function.Repeats)
                Assert.ThrowsAny<Exception>(() => new JmesPath().Parse($"{function.Name}({string.Join(", ", Enumerable.Repeat("a", function.Parameters.Count + 1))})"));
        }
        Assert.ThrowsAny<Exception>(() => new JmesPath().Parse("nope(a)"));
    }

    [Theory]
    [InlineData("${{ input.s }}/${{ input.n }}/${{ input.b }}", "a-b/7/true")]
    [InlineData("$${{ input.s }} and ${{ input.s }}", "${{ input.s }} and a-b")]
    [InlineData("x ${{ '}}' }}", "x }}")]
    [InlineData("x ${{ join(`\"\\n\"`, input.list) }}", "x x\ny")]
    public void Text_WithExpressions_BecomesText(string text, string expected)
    {
        ValueNode value = Compile(text, out string[] faults);
        Assert.Empty(faults);
        Assert.Equal(expected, value.Evaluate(Scope(Input)).GetString());
    }

    [Theory]
    [InlineData("x ${{ input.none }}", "is null and cannot stand in text")]
    [InlineData("x ${{ input.list }}", "is array<string> and cannot stand in text")]
    public void Text_WithNullOrList_Fails(string text, string message)
    {
        var e = Assert.Throws<WorkflowValueException>(() => Compile(text, out _).Evaluate(Scope(Input)));
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void Scope_OverManyItems_GivesEachItsOwn()
    {
        var scope = Scope(Input);
        var expression = new Expression("join('-', [input.s, item])", ExprParser.Parse("join('-', [input.s, item])"));
        for (int i = 0; i < 100; i++)
            Assert.Equal($"a-b-{i}", expression.Evaluate(scope.Set(Json($"\"{i}\""), i)).GetString());
    }

    [Fact]
    public void Expression_SharedByJobs_GivesEachItsOwnData()
    {
        var expression = new Expression("input.rows[?v > `1`].{k: k, of: join('', [k, k])} | [0]", ExprParser.Parse("input.rows[?v > `1`].{k: k, of: join('', [k, k])} | [0]"));
        Parallel.For(0, 4000, i =>
        {
            JsonElement value = expression.Evaluate(Scope(Json($$"""{"rows":[{"k":"x","v":1},{"k":"{{i}}","v":2}]}""")));
            Assert.Equal($$"""{"k":"{{i}}","of":"{{i}}{{i}}"}""", value.GetRawText());
        });
    }

    private static ValueNode Compile(string text, out string[] faults)
    {
        var list = new FaultList("");
        ValueNode value = new ValueCompiler(list, WorkflowLimits.Default, text).Compile(new YamlScalar(new Mark(1, 1), text, false, false));
        faults = list.Count == 0 ? [] : ["fault"];
        return value;
    }
}
