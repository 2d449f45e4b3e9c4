using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>What the rounds of an agent need that is the same in all of them.</summary>
/// <param name="options">The agent.</param>
/// <param name="output">What it has to answer.</param>
/// <param name="connections">The jobs' connections to MCP servers.</param>
/// <param name="folder">The folder that it works in.</param>
/// <param name="plan">How its answer becomes a workflow, where it is a planner.</param>
internal sealed partial class LlmLoop(LlmAgentOptions options, OutputForm output, McpConnections connections, string folder = "", PlanPolicy? plan = null)
{
    private readonly ToolBox _own = new(options.Tools);

    public LlmAgentOptions Options => options;

    public OutputForm Output => output;

    public string Name => options.Name ?? options.Id;

    public static LlmLoop OfPlanner(LlmAgentOptions options, PlanPolicy plan, McpConnections connections, string folder = "") =>
        new(options with { Instructions = $"{options.Instructions}\n\n{plan.Reader.Guide(plan.Rules)}".Trim() }, new PlanForm(plan), connections, folder, plan);

    public LlmState Begin(params IReadOnlyList<ChatMessage> messages) => new LlmState { Limits = options.Limits.Or(LlmLimits.Default) }.With(messages);

    /// <summary>One round: a turn, or the wait for what it needs.</summary>
    public async Task<Next<LlmState, object?>> NextAsync(LlmState state, AgentContext<LlmEvent, LlmSignal> context)
    {
        bool goesOn = false;
        // Each round, since a replay tells nothing and one agent stands for many.
        context.Trace?.Name(Name);
        try
        {
            if (state.Started is null)
                state = state with { Started = context.Now };
            if (state.Servers is null && options.Servers.Count > 0)
                state = await AskServersAsync(state, context);
            Next<LlmState, object?> next = state.Plan is not null ? await new PlanRun(this, plan!, context).RunAsync(state) : await new LlmTurn(this, ToolsOf(state.Servers), context).RunAsync(state);
            goesOn = !next.IsDone;
            return next;
        }
        finally
        {
            if (!goesOn && options.Servers.Count > 0)
                connections.Close(context.JobId);
        }
    }

    private ToolBox ToolsOf(IReadOnlyDictionary<string, McpTools>? servers) => servers is not { Count: > 0 } ? _own
        : new ToolBox(_own, options.Servers.Where(s => servers.ContainsKey(s.Name)).SelectMany(s => McpTool.AllOf(s, servers[s.Name], folder, connections)));

    private async Task<LlmState> AskServersAsync(LlmState state, AgentContext<LlmEvent, LlmSignal> context)
    {
        Task<McpTools>[] asked = [.. options.Servers.Select(s => context.RunTaskAsync<McpTools>(McpTool.List(s, folder, connections), s.Name, $"mcp_list[{s.Name}]", new RunSettings(McpTool.ListPolicy), default))];
        McpTools[] tools = await Task.WhenAll(asked);
        Dictionary<string, McpTools> servers = options.Servers.Zip(tools).ToDictionary(s => s.First.Name, s => s.Second, StringComparer.Ordinal);
        ToolBox box = ToolsOf(servers);
        foreach ((McpTool tool, string why) in box.LeftOut)
            LeftOut(context.Logger, tool.ServerName, tool.Server.Name, why);
        ILookup<string, string> offered = box.All.OfType<McpTool>().ToLookup(t => t.Server.Name, t => t.ServerName, StringComparer.Ordinal);
        foreach ((string server, McpTools known) in servers)
            context.Emit(new LlmEvent.ToolsListed(server, [.. offered[server]], known.Hash));
        return state with { Servers = servers };
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the tool {Tool} of MCP server {Server} is left out: {Why}")]
    private static partial void LeftOut(ILogger logger, string tool, string server, string why);
}
