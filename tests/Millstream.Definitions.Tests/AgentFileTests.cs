using System.Text.Json;

namespace Millstream.Definitions.Tests;

public sealed class AgentFileTests : IDisposable
{
    public const string Reader = """
        kind: agent
        name: reader
        description: reads papers
        instructions: Read what you get. A ${{ is plain text here.
        model: large
        temperature: 0.5
        max_output_tokens: 500
        context: { messages: 40 }
        tools:
          - file.read
          - { use: file.write, name: save, description: saves, approval: always, output_limit: 100, with: { folder: out, max_bytes: 64KiB } }
          - { use: http.get, with: { allow_hosts: [api.example.com], secret_headers: { Authorization: "env:KEY" } } }
          - { use: sandbox.run, with: { limits: { time: 10s }, mounts: [{ host: data, path: /data, access: read }] } }
          - { use: mcp, name: everything, with: { command: [npx, server], env: { A: 1 }, secrets: { B: "file:/run/b" }, call_timeout: 20s } }
        approval: { everything: always, http.get: never }
        limits: { turns: 9, tool_calls: 20, tokens: 5000000000, cost: 0.25, time: 1h30m, depth: 1, action: hand_over }
        output: { title: string, pages: { type: array<integer>, description: where } }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("millstream").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Put(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static string[] AgentFaults(string text) => [.. Assert.Throws<WorkflowFileException>(() => AgentFile.Parse(text, "a.yaml")).Faults.Select(f => f.ToString()["a.yaml:".Length..])];

    [Fact]
    public void ToSpec_OfEveryKey_HoldsIt()
    {
        JsonElement spec = AgentFile.Parse(Reader).ToSpec();
        Assert.Equal("Read what you get. A ${{ is plain text here.", spec.GetProperty("instructions").GetString());
        Assert.Equal("""{"turns":9,"toolCalls":20,"tokens":5000000000,"cost":0.25,"time":"01:30:00","depth":1,"action":"handOver"}""", spec.GetProperty("limits").GetRawText());
        Assert.Equal("""{"type":"object","properties":{"title":{"type":"string"},"pages":{"type":"array","items":{"type":"integer"},"description":"where"}},"required":["title","pages"],"additionalProperties":false}""", spec.GetProperty("output").GetRawText());
        Assert.Equal((0.5, 500, 40), (spec.GetProperty("temperature").GetDouble(), spec.GetProperty("maxOutputTokens").GetInt32(), spec.GetProperty("contextMessages").GetInt32()));
        Assert.Equal(
            [
                """{"use":"file.read","name":"file_read"}""",
                """{"use":"file.write","name":"save","description":"saves","approval":"always","outputLimit":100,"with":{"folder":"out","max_bytes":"64KiB"}}""",
                """{"use":"http.get","name":"http_get","approval":"never","with":{"allow_hosts":["api.example.com"],"secret_headers":{"Authorization":"env:KEY"}}}""",
                """{"use":"sandbox.run","name":"sandbox_run","with":{"limits":{"time":"10s"},"mounts":[{"host":"data","path":"/data","access":"read"}]}}""",
                """{"use":"mcp","name":"everything","approval":"always","with":{"command":["npx","server"],"environment":{"A":"1"},"secrets":{"B":"file:/run/b"},"callTimeout":"00:00:20"}}""",
            ],
            spec.GetProperty("tools").EnumerateArray().Select(t => t.GetRawText()));
    }

    [Fact]
    public void Read_FilesThatItNames_AreInTheSpec()
    {
        Put("prompts/main.md", "Be brief.\n");
        Put("sub/inner.yaml", "kind: agent\nname: inner\ndescription: looks things up\ninstructions: { file: own.md }\ntools: [file.write]");
        Put("sub/own.md", "I am inner.");
        Put("flows/sum.yaml", "name: sum\ndescription: sums\ninput: { n: { type: integer } }\ntasks: { t: { uses: template, with: { file: t.txt } } }\noutput: ${{ input.n }}");
        Put("flows/t.txt", "text");
        string path = Put("main.yaml", """
            kind: agent
            name: main
            instructions: { file: prompts/main.md }
            tools: [{ use: agent, with: { file: sub/inner.yaml } }, { use: workflow, with: { file: flows/sum.yaml } }]
            """);
        AgentDefinition agent = AgentFile.Read(path);
        Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(_folder);
        JsonElement spec = agent.ToSpec();
        Assert.Equal("Be brief.\n", spec.GetProperty("instructions").GetString());
        JsonElement inner = spec.GetProperty("tools")[0], flow = spec.GetProperty("tools")[1];
        Assert.Equal(("inner", "looks things up", "I am inner."), (inner.GetProperty("name").GetString(), inner.GetProperty("description").GetString(), inner.GetProperty("with").GetProperty("spec").GetProperty("instructions").GetString()));
        // What the agents are made of is theirs to read and nobody's to write.
        string[] own = [.. inner.GetProperty("with").GetProperty("spec").GetProperty("tools")[0].GetProperty("with").GetProperty("protected").EnumerateArray().Select(p => Path.GetRelativePath(_folder, p.GetString()!))];
        Assert.Equal(["flows/sum.yaml", "flows/t.txt", "main.yaml", "prompts/main.md", "sub/inner.yaml", "sub/own.md"], own);
        var input = flow.GetProperty("with").GetProperty("workflow").Deserialize<FileWorkflowInput>(JsonSerializerOptions.Web)!;
        Assert.Equal(("sum", "t.txt"), (input.Definition().Name, Path.GetFileName(Assert.Single(input.Texts).Key)));
    }

    [Theory]
    [InlineData("kind: agent\nname: a\ninstructoins: x", "3:1: the agent has no key 'instructoins'; did you mean 'instructions'?")]
    [InlineData("name: a", "1:1: 'kind' is missing: write kind: agent")]
    [InlineData("kind: workflow\nname: a", "1:7: 'kind' is 'workflow'; here an agent file is wanted, kind: agent")]
    [InlineData("kind: agent", "1:1: 'name' is missing: a name for the agent")]
    [InlineData("", "1:1: the file is empty; an agent needs at least 'kind: agent' and 'name'")]
    [InlineData("kind: agent\nname: a\ntemperature: 3", "3:14: 'temperature' must be at most 2, this is 3")]
    [InlineData("kind: agent\nname: a\nmodel: ''", "3:8: 'model' is empty; name a model or a label of endpoints, or leave it out for any")]
    [InlineData("kind: agent\nname: a\ninstructions: [x]", "3:15: 'instructions' must be text or { file: NAME }, this is a list")]
    [InlineData("kind: agent\nname: a\ninstructions: { file: none.md }", "3:23: instructions.file: there is no file 'none.md'")]
    [InlineData("kind: agent\nname: a\ncontext: { messages: 3 }", "3:22: context.messages must be a whole number of at least 4, this is 3")]
    [InlineData("kind: agent\nname: a\ntools: [http.gte]", "3:9: tools[0]: there is no tool 'http.gte'; did you mean 'http.get'?")]
    [InlineData("kind: agent\nname: a\ntools: file.read", "3:8: 'tools' must be a list such as [file.read, { use: http.get }], this is the text 'file.read'")]
    [InlineData("kind: agent\nname: a\ntools: [{ name: x }]", "3:9: tools[0] needs 'use', its kind: sandbox.run, http.get, file.read, file.write, file.list, mcp, agent, workflow")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, url: x }]", "3:26: tools[0] has no key 'url'; there are: use, name, description, approval, output_limit, with")]
    [InlineData("kind: agent\nname: a\ntools: [file.read, file.read]", "3:20: a second tool has the name 'file_read'; the first stands in line 3. Give one of them another 'name'")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, name: a b }]", "3:33: tools[0].name 'a b' must be 1 to 64 letters, digits, '_' or '-'")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, approval: maybe }]", "3:37: tools[0].approval is 'maybe'; write never or always")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { folder: ../x } }]", "3:43: tools[0].with.folder '../x' leads out of the folder by '..'")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { folder: /etc } }]", "3:43: tools[0].with.folder '/etc' is absolute; give it relative to the folder")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.list, with: { max_entries: 0 } }]", "3:48: tools[0].with.max_entries is 0; give 1 to 100000")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { path: x } }]", "3:35: tools[0].with has no 'path'; there are: folder, max_bytes")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: file.read, with: { folder: \"${{ x }}\" } }]", "3:47: tools[0].with holds constants, and ${{ x }} is an expression; only workflow files have them")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { allow_hosts: [\"http://x/\"] } }]", "3:48: tools[0].with.allow_hosts: 'http://x/' is no name or address of a host; write it without scheme, port and path")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { secret_headers: { A: \"env:B\" } } }]", "3:50: tools[0].with.secret_headers needs 'allow_hosts', the hosts that get them")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { public: false } }]", "3:42: tools[0].with.public is false and 'allow_hosts' names no host, so nothing could be fetched")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: http.get, with: { allow_hosts: [x], headers: { a: x }, secret_headers: { A: \"env:B\" } } }]", "3:89: tools[0].with.secret_headers.A stands under 'headers', too; leave one of them out")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: mcp, with: {} }]", "3:27: tools[0].with needs either 'command', the program of the server, or 'url', its address")]
    [InlineData("kind: agent\nname: a\ntools: [mcp]", "3:9: tools[0].with needs either 'command', the program of the server, or 'url', its address")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: mcp, with: { url: \"http://x\", env: { A: b } } }]", "3:46: tools[0].with.env goes with 'command' only")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: sandbox.run, with: { limits: { time: soon } } }]", "3:53: tools[0].with.limits.time: 'soon' must be a duration such as 500ms, 30s, 5m or 1h30m")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: sandbox.run, with: { command: [ls] } }]", "3:37: tools[0].with has no 'command'; there are: env, secrets, mounts, limits")]
    [InlineData("kind: agent\nname: a\ntools: [agent]", "3:9: tools[0].with needs 'file' (string)")]
    [InlineData("kind: agent\nname: a\ntools: [{ use: agent, with: { file: a.yaml } }]", "3:37: tools[0].with.file: the agent 'a.yaml' would call itself")]
    [InlineData("kind: agent\nname: a\ntools: [file.read]\napproval: { fiel_read: always }", "4:13: 'approval' names 'fiel_read', which is no tool of this agent; did you mean 'file_read'?")]
    [InlineData("kind: agent\nname: a\napproval: sometimes", "3:11: 'approval' must be never or always, or a mapping of tools to them, this is the text 'sometimes'")]
    [InlineData("kind: agent\nname: a\nlimits: { action: halt }", "3:19: limits.action is 'halt'; write stop, ask or hand_over (stop fails the agent, ask waits for other limits, hand_over ends with what there is)")]
    [InlineData("kind: agent\nname: a\nlimits: { turns: 0 }", "3:18: limits.turns must be a whole number of at least 1, this is 0")]
    [InlineData("kind: agent\nname: a\nlimits: { time: 5 }", "3:17: limits.time must be a duration such as 500ms, 30s, 5m or 1h30m, this is 5")]
    [InlineData("kind: agent\nname: a\nlimits: { cost: free }", "3:17: limits.cost must be a number of at least 0, this is the text 'free'")]
    [InlineData("kind: agent\nname: a\noutput: text", "3:9: 'output' must be a JSON schema or { field: type }, this is the text 'text'")]
    [InlineData("kind: agent\nname: a\noutput: { n: strin }", "3:14: output.n has the type 'strin', which is none; did you mean 'string'?")]
    [InlineData("kind: agent\nname: a\noutput: { type: object, propertes: {} }", "3:25: output is a JSON schema, which has no 'propertes'; did you mean 'properties'?")]
    [InlineData("kind: agent\nname: a\noutput: { type: object, properties: { a: { type: text } } }", "3:50: output.properties.a.type must be string, integer, number, boolean, array, object or null, or a list of them, this is the text 'text'")]
    [InlineData("kind: agent\nname: a\noutput: { enum: x }", "3:17: output.enum must be a list of values, this is the text 'x'")]
    public void WrongFile_IsToldWithItsPlace(string text, string fault) => Assert.Equal([fault], AgentFaults(text));

    [Fact]
    public void WrongFile_WithSeveralFaults_TellsAll()
    {
        string[] faults = AgentFaults("name: a b\nmodle: x\ntools: [x.y, { use: file.read, with: { max_bytes: much } }]\nlimits: { depth: -1 }\noutput: { a: b }");
        Assert.Equal(["1:1", "1:7", "2:1", "3:9", "3:51", "4:18", "5:14"], faults.Select(f => string.Join(':', f.Split(':')[..2])));
    }

    [Theory]
    [InlineData("http.get", "allow_hosts: [x], secret_headers: { Authorization: \"Bearer hush\" }")]
    [InlineData("sandbox.run", "secrets: { KEY: hush }")]
    [InlineData("mcp", "command: [x], secrets: { KEY: hush }")]
    [InlineData("mcp", "url: \"http://x\", secret_headers: { KEY: hush }")]
    public void SecretItself_IsAFaultThatDoesNotRepeatIt(string use, string with)
    {
        string fault = Assert.Single(AgentFaults($"kind: agent\nname: a\ntools: [{{ use: {use}, with: {{ {with} }} }}]"));
        Assert.Contains("env:NAME or file:/path", fault);
        Assert.DoesNotContain("hush", fault);
    }

    [Fact]
    public void Cycle_OverAgentsAndWorkflows_IsAFault()
    {
        string a = Put("a.yaml", "kind: agent\nname: a\ntools: [{ use: agent, with: { file: b.yaml } }]");
        Put("b.yaml", "kind: agent\nname: b\ntools: [{ use: agent, with: { file: a.yaml } }]");
        WorkflowFault fault = Assert.Single(Assert.Throws<WorkflowFileException>(() => AgentFile.Read(a)).Faults);
        Assert.Equal(("b.yaml", 3), (Path.GetFileName(fault.File), fault.Line));
        Assert.EndsWith("a.yaml' would call itself", fault.Message);
    }

    [Fact]
    public void Nesting_WithoutEndInDepthOrNumber_IsAFault()
    {
        for (int i = 0; i < 12; i++)
            Put($"d{i}.yaml", $"kind: agent\nname: d{i}\ntools: [{{ use: agent, with: {{ file: d{i + 1}.yaml }} }}]");
        Assert.Contains("nested deeper than 8 levels", Assert.Throws<WorkflowFileException>(() => AgentFile.Read(Path.Combine(_folder, "d0.yaml"))).Message);
        for (int i = 0; i < 7; i++)
            Put($"w{i}.yaml", $"kind: agent\nname: w{i}\ntools:\n{string.Concat(Enumerable.Range(0, 20).Select(n => $"  - {{ use: agent, name: t{n}, with: {{ file: w{i + 1}.yaml }} }}\n"))}");
        Put("w7.yaml", "kind: agent\nname: w7");
        Assert.Contains("more than 1000 files are named", Assert.Throws<WorkflowFileException>(() => AgentFile.Read(Path.Combine(_folder, "w0.yaml"))).Message);
    }

    [Fact]
    public void Faults_OfAnInnerFile_HaveItsName()
    {
        string a = Put("a.yaml", "kind: agent\nname: a\ntools: [{ use: workflow, with: { file: w.yaml } }, { use: agent, with: { file: w.yaml } }]");
        Put("w.yaml", "name: w\ntasks: { t: { uses: file.red } }");
        string[] faults = [.. Assert.Throws<WorkflowFileException>(() => AgentFile.Read(a)).Faults.Select(f => $"{Path.GetFileName(f.File)}:{f.Line}: {f.Message}")];
        Assert.Contains("w.yaml:2: there is no task kind 'file.red'; did you mean 'file.read'?", faults);
        Assert.Contains("w.yaml:1: 'kind' is missing: write kind: agent", faults);
    }

    [Fact]
    public void Output_SchemaOfJson_StaysAsItIs()
    {
        AgentDefinition agent = AgentFile.Parse("""{"kind":"agent","name":"a","output":{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false}}""");
        Assert.Equal("""{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false}""", agent.OutputSchema?.GetRawText());
        Assert.Equal(("object", "string"), (agent.OutputType, AgentFile.Parse("kind: agent\nname: a").OutputType));
    }

    [Fact]
    public void Approval_AtTheToolItself_GoesBeforeTheOthers()
    {
        AgentDefinition agent = AgentFile.Parse("kind: agent\nname: a\napproval: always\ntools: [file.list, { use: file.read, approval: never }]");
        Assert.Equal([true, false], agent.Tools.Select(t => t.NeedsApproval));
        agent = AgentFile.Parse("kind: agent\nname: a\napproval: { file.read: always, one: never }\ntools: [file.list, { use: file.read, name: one }, { use: file.read, name: two }]");
        Assert.Equal([null, false, true], agent.Tools.Select(t => t.NeedsApproval));
    }
}
