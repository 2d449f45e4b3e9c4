using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millstream.Definitions.Tests;

/// <summary>docs/llm-agents.md, docs/tools.md and docs/agent.schema.json say what the reader does.</summary>
public sealed class AgentDocsTests
{
    private static string Docs { get; } = Path.Combine(DocsTests.Root(), "docs");

    private static JsonElement Schema { get; } = Files.Json(File.ReadAllText(Path.Combine(Docs, "agent.schema.json")));

    public static TheoryData<string> Examples() =>
        [.. Regex.Matches(File.ReadAllText(Path.Combine(Docs, "llm-agents.md")), "```yaml\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value)];

    [Fact]
    public void Docs_HaveAnExampleOfEachKind() => Assert.Equal(["agent", "models", "workflow"], Examples().Select(e => FileKind.Of((string)e)).Distinct().Order());

    [Theory, MemberData(nameof(Examples))]
    public void Example_IsRead(string yaml)
    {
        string folder = Directory.CreateTempSubdirectory("millstream").FullName;
        File.WriteAllText(Path.Combine(folder, "reader.yaml"), Examples().Select(e => (string)e).First(e => FileKind.Of(e) == "agent" && e.Contains("name: reader", StringComparison.Ordinal)));
        string path = Path.Combine(folder, "file.yaml");
        if (FileKind.Of(yaml) == "agent")
            Assert.Empty(new MiniSchema(Schema).Validate(DocsTests.ToJson(yaml)));
        Assert.NotNull(FileKind.Of(yaml) switch { "agent" => AgentFile.Parse(yaml, path), "models" => ModelsFile.Parse(yaml, path), _ => (object)WorkflowFile.Parse(yaml, path) });
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void FileOfTheTests_FitsTheSchema() => Assert.Empty(new MiniSchema(Schema).Validate(DocsTests.ToJson(AgentFileTests.Reader)));

    [Theory]
    [InlineData("name: a")]
    [InlineData("kind: agent\nname: a b")]
    [InlineData("kind: agent\nname: a\nmodle: x")]
    [InlineData("kind: agent\nname: a\ntools: [http.gte]")]
    [InlineData("kind: agent\nname: a\ntools: [mcp]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: agent }]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: mcp, with: {} }]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { path: x } }]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { folder: ../x } }]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { allow_hosts: [x], secret_headers: { A: hush } } }]")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { secret_headers: { A: \"env:B\" } } }]")]
    [InlineData("kind: agent\nname: a\nlimits: { action: halt }")]
    [InlineData("kind: agent\nname: a\nlimits: { time: soon }")]
    [InlineData("kind: agent\nname: a\ntemperature: 3")]
    [InlineData("kind: agent\nname: a\napproval: sometimes")]
    [InlineData("kind: agent\nname: a\noutput: {}")]
    [InlineData("kind: agent\nname: a\nplan: { files: [] }")]
    public void WrongFile_IsRefusedByReaderAndSchema(string yaml)
    {
        Assert.Throws<WorkflowFileException>(() => AgentFile.Parse(yaml));
        Assert.NotEmpty(new MiniSchema(Schema).Validate(DocsTests.ToJson(yaml)));
    }

    [Fact]
    public void Schema_HasTheKeysOfTheReader()
    {
        JsonElement defs = Schema.GetProperty("$defs"), top = Schema.GetProperty("properties");
        DocsTests.Same(Keys.Agent, Schema);
        DocsTests.Same(Keys.Context, top.GetProperty("context"));
        DocsTests.Same(Keys.Plan, top.GetProperty("plan"));
        DocsTests.Same(Keys.AgentLimits, top.GetProperty("limits"));
        DocsTests.Same(Keys.Tool, defs.GetProperty("tool"));
        Assert.Equal(ToolShape.All.Keys, defs.GetProperty("tool").GetProperty("properties").GetProperty("use").GetProperty("enum").EnumerateArray().Select(k => k.GetString()!));
        foreach (ToolShape shape in ToolShape.All.Values)
            DocsTests.SameType(shape.With, defs.GetProperty(shape.Name));
    }

    [Fact]
    public void Docs_NameEveryKeyToolAndField()
    {
        string agents = File.ReadAllText(Path.Combine(Docs, "llm-agents.md")), tools = File.ReadAllText(Path.Combine(Docs, "tools.md"));
        IEnumerable<string> words = [.. Keys.Agent, .. Keys.Context, .. Keys.Tool, .. Keys.Plan, .. Keys.AgentLimits, .. Keys.OutputField, .. Keys.Models, .. Keys.Endpoint, .. Keys.Price, .. ModelsReader.Providers];
        Assert.DoesNotContain(words, w => !Has(agents, w));
        IEnumerable<string> names = ToolShape.All.Values.SelectMany(s => s.With.Fields.Keys.Append(s.Name))
            .Concat(BuiltInTools.All.SelectMany(t => t.Schema.GetProperty("properties").EnumerateObject().Select(p => p.Name)));
        Assert.DoesNotContain(names, w => !Has(tools, w));
    }

    private static bool Has(string text, string word) => Regex.IsMatch(text, $@"[` ,{{]{Regex.Escape(word)}[`:, ]");
}
