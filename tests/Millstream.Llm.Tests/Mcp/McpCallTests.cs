using System.Text.Json;
using Millstream.Llm.Tests.Protocols;
using ModelContextProtocol.Client;

namespace Millstream.Llm.Tests;

/// <summary>Servers that do not do as the protocol says.</summary>
public sealed class McpCallTests : IDisposable
{
    // It writes down each call, and answers it with nonsense, or not at all.
    private const string Script = """
        import { appendFileSync } from 'node:fs';
        import { createInterface } from 'node:readline';
        const schema = { type: 'object' };
        const tools = [{ name: 'own', inputSchema: schema }, { name: 'silent', inputSchema: schema }, { name: 'nonsense', inputSchema: schema }, { name: 'nonsense', inputSchema: schema },
          { name: 'a.b', inputSchema: schema }, { name: 'a_b', inputSchema: schema }, { name: 'broken', inputSchema: { type: 'object', properties: 5 } }];
        const send = message => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');
        createInterface({ input: process.stdin }).on('line', line => {
          const { id, method, params } = JSON.parse(line);
          if (method === 'initialize')
            send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'odd', version: '1' } } });
          else if (method === 'tools/list')
            send({ id, result: { tools } });
          else if (method === 'tools/call') {
            appendFileSync(process.argv[2], params.name + '\n');
            if (params.name !== 'silent')
              send({ id, result: 5 });
          }
        });
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-mcp-").FullName;

    private string Calls => Path.Combine(_folder, "calls");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private McpServer Odd()
    {
        string script = Path.Combine(_folder, "odd.mjs");
        File.WriteAllText(script, Script);
        return new McpServer { Name = "odd", Command = ["node", script, Calls] };
    }

    [Fact]
    public async Task Call_ThatIsNotAnswered_EndsAtItsTimeoutAndIsNotSentAgain()
    {
        Assert.SkipWhen(Peers.Missing is not null, Peers.Missing ?? "");
        await using AgentTest test = new();
        test.Model.Call("odd_silent", callId: "c1").Say("done");
        Assert.Equal("done", await test.RunAsync(AgentTest.Agent() with { Servers = [Odd() with { CallTimeout = TimeSpan.FromSeconds(2) }] }));
        Assert.Equal("error: MCP server odd did not answer the call of silent within CallTimeout, 00:00:02; whether it made the call is not known", test.Model.Requests[1].Results["c1"]);
        Assert.Equal(["silent"], File.ReadAllLines(Calls));
    }

    [Fact]
    public async Task Call_AnswerThatCannotBeRead_IsNotSentAgain()
    {
        Assert.SkipWhen(Peers.Missing is not null, Peers.Missing ?? "");
        await using AgentTest test = new();
        test.Model.Call("odd_nonsense", callId: "c1").Say("done");
        Assert.Equal("done", await test.RunAsync(AgentTest.Agent() with { Servers = [Odd()] }));
        Assert.StartsWith("error: MCP server odd ", test.Model.Requests[1].Results["c1"], StringComparison.Ordinal);
        Assert.Equal(["nonsense"], File.ReadAllLines(Calls));
    }

    [Fact]
    public async Task Tools_ThatClashOrHaveNoSchema_AreLeftOut()
    {
        Assert.SkipWhen(Peers.Missing is not null, Peers.Missing ?? "");
        await using AgentTest test = new();
        test.Model.Call("odd_own", callId: "c1").Say("done");
        LlmTool own = LlmTool.Of(() => "mine", "odd_own");
        Job<string, LlmEvent, LlmSignal> job = await test.StartAsync(AgentTest.Agent(own) with { Servers = [Odd()] });
        List<LlmEvent> events = await AgentTest.EventsAsync(job);
        Assert.Equal("done", await job.Completion);
        Assert.Equal("mine", test.Model.Requests[1].Results["c1"]);
        Assert.Equal(["a.b", "nonsense", "silent"], Assert.Single(events.OfType<LlmEvent.ToolsListed>()).Tools.Order(StringComparer.Ordinal));
        Assert.Equal(["odd_a_b", "odd_nonsense", "odd_own", "odd_silent"], test.Model.Requests[0].Options!.Tools!.Select(t => t.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Tool_AllowedWithASchemaThatIsNone_IsGone()
    {
        McpTools good = Known("""{"type":"object"}"""), bad = Known("""{"type":"object","properties":5}""");
        McpTool tool = Assert.Single(McpTool.AllOf(Odd(), good, "", new McpConnections()));
        Assert.NotNull(tool.With(good));
        Assert.Null(tool.With(bad));
    }

    [Fact]
    public void Calls_AtMostOnce_AreNeverRepeated()
    {
        McpTool Tool(bool isOnce) => Assert.Single(McpTool.AllOf(Odd() with { AtMostOnce = isOnce }, Known("""{"type":"object"}"""), "", new McpConnections()));
        Assert.Equal((true, 1), (Tool(true).CallPolicy.AtMostOnce, Tool(true).CallPolicy.Retry.Attempts));
        Assert.Equal((false, 1), (Tool(false).CallPolicy.AtMostOnce, Tool(false).CallPolicy.Retry.Attempts));
    }

    [Fact]
    public async Task Http_Redirect_IsNotFollowed()
    {
        await using FaultServer elsewhere = new(), server = new();
        for (int i = 0; i < 4; i++)
            server.Answer(307, "", $"Location: {elsewhere.Url}/mcp");
        McpServer web = new() { Name = "web", Url = new Uri($"{server.Url}/mcp"), Headers = new Dictionary<string, string> { ["x-key"] = "canary" } };
        IClientTransport transport = McpTransports.Of(web, "", null!);
        for (int i = 0; i < 4; i++)
            elsewhere.Answer(404, "");
        await Assert.ThrowsAnyAsync<Exception>(() => McpClient.CreateAsync(transport, cancellationToken: TestContext.Current.CancellationToken));
        await ((IAsyncDisposable)transport).DisposeAsync();
        Assert.Contains(server.Requests, r => r.Contains("x-key: canary", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(elsewhere.Requests);
    }

    private static McpTools Known(string schema) => new("hash", [new McpToolInfo("one", "", JsonSerializer.Deserialize<JsonElement>(schema))]);
}
