using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millstream.Definitions.Tests;

/// <summary>docs/workflows.md and docs/workflow.schema.json say what the reader does.</summary>
public sealed class DocsTests
{
    private static string Docs { get; } = Path.Combine(Root(), "docs");

    internal static JsonElement Schema { get; } = Files.Json(File.ReadAllText(Path.Combine(Docs, "workflow.schema.json")));

    public static TheoryData<string> Examples() =>
        [.. Regex.Matches(File.ReadAllText(Path.Combine(Docs, "workflows.md")), "```yaml\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value)];

    [Fact]
    public void Docs_HaveExamples() => Assert.True(Examples().Count >= 2);

    [Theory, MemberData(nameof(Examples))]
    public void Example_IsReadAndFitsTheSchema(string yaml)
    {
        Assert.NotEmpty(WorkflowFile.Parse(yaml).Tasks);
        Assert.Empty(new MiniSchema(Schema).Validate(ToJson(yaml)));
    }

    [Theory]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { pth: x } } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.red, with: { path: x } } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, batch: 2 } }")]
    [InlineData("name: t\ntasks: { my-task: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\ntasks: {}")]
    [InlineData("name: t\nkind: agent\ntasks: { a: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\nresources: { sandbox: 0 }\ntasks: { a: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\ntasks: { a: { uses: template, with: { values: {} } } }")]
    [InlineData("name: t\ntasks: { a: { uses: sandbox.run, with: { command: [ls], limits: { memory: much } } } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, timeout: soon } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, expected_time: soon } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, retry: { attempts: 0 } } }")]
    [InlineData("name: t\nresources: { slot: 4 }\ntasks: { a: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\nresources: { \"\": 4 }\ntasks: { a: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\nresources: { gpu: 10001 }\ntasks: { a: { uses: file.read, with: { path: x } } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, requires: [{ type: slot }] } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, requires: [{ type: gpu, amount: 17 }] } }")]
    [InlineData("name: t\ntasks: { a: { uses: sandbox.run, with: { command: [ls] }, requires: [{ type: sandbox }] } }")]
    public void WrongFile_IsRefusedByReaderAndSchema(string yaml)
    {
        Assert.NotEmpty(Files.Faults(yaml));
        Assert.NotEmpty(new MiniSchema(Schema).Validate(ToJson(yaml)));
    }

    [Theory]
    [InlineData("name: t\nresources: { gpu: 10000, slots: 1 }\ntasks: { a: { uses: file.read, with: { path: x }, requires: [{ type: gpu, amount: 16 }] } }")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: x }, requires: [{ type: tokens/day, amount: 100000, exclusive: false }, { type: sandbox }] } }")]
    public void RightFile_FitsReaderAndSchema(string yaml)
    {
        Assert.NotEmpty(WorkflowFile.Parse(yaml).Tasks);
        Assert.Empty(new MiniSchema(Schema).Validate(ToJson(yaml)));
    }

    [Fact]
    public void Schema_HasTheKeysOfTheReader()
    {
        JsonElement defs = Schema.GetProperty("$defs"), task = defs.GetProperty("task").GetProperty("properties");
        Same(Keys.Workflow, Schema);
        Same(Keys.Input, Schema.GetProperty("properties").GetProperty("input").GetProperty("additionalProperties"));
        Same(Keys.Task, defs.GetProperty("task"));
        Same(Keys.Retry, task.GetProperty("retry"));
        Same(Keys.Requirement, task.GetProperty("requires").GetProperty("items"));
        Assert.Equal(KindShape.BuiltIn.Keys, task.GetProperty("uses").GetProperty("enum").EnumerateArray().Select(k => k.GetString()!));
        foreach (KindShape kind in KindShape.BuiltIn.Values)
            SameType(kind.With, defs.GetProperty(kind.Name));
    }

    [Fact]
    public void Docs_NameEveryKeyKindAndField()
    {
        string text = File.ReadAllText(Path.Combine(Docs, "workflows.md"));
        IEnumerable<string> words = Keys.Workflow.Concat(Keys.Input).Concat(Keys.Task).Concat(Keys.Retry).Concat(Keys.Requirement)
            .Concat(KindShape.BuiltIn.Values.SelectMany(k => k.With.Fields.Keys.Concat(k.Output.Fields.Keys).Append(k.Name)));
        Assert.DoesNotContain(words, w => !Regex.IsMatch(text, $@"[` ,{{]{Regex.Escape(w)}[`:, ]"));
    }

    internal static void SameType(DataType type, JsonElement schema)
    {
        if (schema.ValueKind is JsonValueKind.True)
            return;
        if (schema.TryGetProperty("anyOf", out JsonElement choices) && !schema.TryGetProperty("properties", out _))
            schema = choices[0];
        if (type.Kind is DataKind.Array && type.Item.Kind is DataKind.Object)
            SameType(type.Item, schema.GetProperty("items"));
        if (type.Kind is not DataKind.Object)
            return;
        Same(type.Fields.Keys, schema);
        Assert.Equal(type.Fields.Where(f => f.Value.Required).Select(f => f.Key).Order(),
            schema.TryGetProperty("required", out JsonElement required) ? required.EnumerateArray().Select(r => r.GetString()!).Order() : []);
        foreach ((string name, DataField field) in type.Fields)
            SameType(field.Type, schema.GetProperty("properties").GetProperty(name));
    }

    internal static void Same(IEnumerable<string> keys, JsonElement schema) =>
        Assert.Equal(keys.Order(StringComparer.Ordinal), schema.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));

    /// <summary>The file as the JSON that an editor would check against the schema.</summary>
    internal static JsonElement ToJson(string yaml) => JsonSerializer.SerializeToElement(Plain(new YamlReader(new FaultList(""), WorkflowLimits.Default).Read(yaml)!));

    private static object? Plain(YamlNode node) => node switch
    {
        YamlMap map => map.Entries.ToDictionary(e => e.Key, e => Plain(e.Value)),
        YamlList list => list.Items.Select(Plain).ToArray(),
        _ => ((YamlScalar)node).Value,
    };

    internal static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Millstream.slnx")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
