using System.Text.Json;
using System.Text.Json.Serialization;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Tests.Agents;

/// <summary>What the readers of files give is what the agents and endpoints take, which never see each other.</summary>
[Collection("processes")]
public sealed class FilesOfAgentsTests : IDisposable
{
    private const string Inner = "kind: agent\nname: inner\ninstructions: hello\noutput: { n: integer }";
    private const string Flow = "name: flow\ninput: { n: { type: integer, description: how many } }\ntasks: { t: { uses: template, with: { text: x } } }";
    private const string Main = """
        kind: agent
        name: main
        tools:
          - { use: agent, approval: always, output_limit: 7, with: { file: inner.yaml } }
          - { use: workflow, with: { file: flow.yaml } }
          - { use: mcp, name: m, with: { url: "https://x/", secret_headers: { A: "env:B" }, call_timeout: 5s } }
          - { use: sandbox.run, with: { limits: { time: 5s } } }
          - file.read
          - file.write
          - file.list
          - http.get
        limits: { turns: 3, cost: 0.5, time: 90s, action: hand_over }
        temperature: 0.5
        context: { messages: 9 }
        """;

    // As the library stores what jobs start with.
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    private readonly TempFolder _folder = new();

    public FilesOfAgentsTests()
    {
        _folder.Write("inner.yaml", Inner);
        _folder.Write("flow.yaml", Flow);
        _folder.Write("main.yaml", Main);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Agent_IsASpec()
    {
        LlmAgentSpec spec = AgentFile.Read(Path.Combine(_folder.Path, "main.yaml")).ToSpec().Deserialize<LlmAgentSpec>(Options)!;
        Assert.Equal(new LlmLimits { Turns = 3, Cost = 0.5m, Time = TimeSpan.FromSeconds(90), Action = LimitAction.HandOver }, spec.Limits);
        Assert.Equal((0.5f, 9, ToolApproval.Always, 7), (spec.Temperature, spec.ContextMessages, spec.Tools[0].Approval, spec.Tools[0].OutputLimit));
        Assert.Equal("hello", spec.Tools[0].With!.Value.GetProperty("spec").Deserialize<LlmAgentSpec>(Options)!.Instructions);
        Dictionary<string, JsonElement> fields = spec.Tools[2].With!.Value.EnumerateObject().ToDictionary(f => f.Name, f => f.Value);
        fields["name"] = JsonSerializer.SerializeToElement("m");
        McpServer server = JsonSerializer.SerializeToElement(fields).Deserialize<McpServer>(Options)!;
        Assert.Equal(("env:B", TimeSpan.FromSeconds(5)), (server.SecretHeaders["A"].Reference, server.CallTimeout));
    }

    [Fact]
    public void Tools_OfEveryKind_AreMade()
    {
        LlmAgentSpec spec = AgentFile.Read(Path.Combine(_folder.Path, "main.yaml")).ToSpec().Deserialize<LlmAgentSpec>(Options)!;
        Dictionary<string, LlmToolKind> kinds = Millstream.Cli.Agents.AgentTools.All(() => LocalHost.LlmAgent, LocalHost.Agent).ToDictionary(k => k.Name);
        LlmTool[] tools = [.. spec.Tools.Where(t => t.Use != "mcp").Select(t => kinds[t.Use].Make(new LlmToolUse(t, _folder.Path)))];
        Assert.Equal(["inner", "flow", "sandbox_run", "file_read", "file_write", "file_list", "http_get"], tools.Select(t => t.Name));
        Assert.Equal((ToolApproval.Always, 7, LlmTool.DefaultOutputLimit), (tools[0].Approval, tools[0].OutputLimit, tools[1].OutputLimit));
        Assert.Equal("""{"type":"object","properties":{"n":{"type":"integer","description":"how many"}},"required":["n"],"additionalProperties":false}""", tools[1].InputSchema.GetRawText());
        Assert.All(tools, t => Assert.Equal("object", t.InputSchema.GetProperty("type").GetString()));
    }

    [Fact]
    public void Models_AreEndpoints()
    {
        LlmEndpoint endpoint = ModelsFile.Parse("""
            kind: models
            endpoints: [{ id: a, provider: openai-responses, model: m, base_url: "http://127.0.0.1:1/v1", api_key: "env:K", labels: [x], max_concurrency: 2, requests_per_minute: 3, tokens_per_minute: 4,
              tier: 5, weight: 6, first_token_timeout: 7s, stall_timeout: 8s, price: { input: 1, output: 2, cached_input: 0.5 } }]
            """).Single().Deserialize<LlmEndpoint>(Options)!;
        Assert.Empty(endpoint.Validate());
        Assert.Equal((LlmProvider.OpenAIResponses, "http://127.0.0.1:1/v1", "env:K", 2, 3L, 4L, 5, 6.0), (endpoint.Provider, endpoint.BaseUrl, endpoint.ApiKey?.Reference, endpoint.MaxConcurrency, endpoint.RequestsPerMinute, endpoint.TokensPerMinute, endpoint.Tier, endpoint.Weight));
        Assert.Equal((TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8), new LlmPrice(1, 2, 0.5m)), (endpoint.FirstTokenTimeout, endpoint.StallTimeout, endpoint.Price));
    }

    [Fact]
    public async Task Validate_TakesAllKindsOfFiles_GraphOnlyWorkflows()
    {
        string agent = Path.Combine(_folder.Path, "main.yaml"), models = _folder.Write("models.yaml", "kind: models\nendpoints: [{ id: a, provider: ollama, model: m }]");
        CommandResult right = await CommandProcess.RunAsync("validate", agent, models);
        Assert.Equal((0, $"{agent}: agent main, any model, 8 tools (inner, asks, flow, m, sandbox_run, file_read, file_write, file_list, http_get)\n{models}: 1 endpoint\n"), (right.ExitCode, right.Output));
        CommandResult wrong = await CommandProcess.RunAsync("validate", _folder.Write("wrong.yaml", "kind: agent\nname: a\nmodle: x"));
        Assert.Equal(2, wrong.ExitCode);
        Assert.EndsWith("wrong.yaml:3:1: the agent has no key 'modle'; did you mean 'model'?\n", wrong.Error);
        CommandResult graph = await CommandProcess.RunAsync("graph", agent);
        Assert.Equal((2, ""), (graph.ExitCode, graph.Output));
        Assert.Contains("is an agent file, which has no tasks to draw; give a workflow file", graph.Error);
    }
}
