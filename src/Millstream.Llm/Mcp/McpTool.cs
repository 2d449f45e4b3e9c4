using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Millstream;

/// <summary>A tool of an MCP server: each call is a task that uses the job's connection.</summary>
internal sealed class McpTool : LlmTool
{
    private readonly AgentTask<McpCallInput, McpOutcome> _task;
    private readonly McpConnections _connections;
    private readonly string _tool;
    private readonly string _folder;

    private McpTool(McpServer server, McpToolInfo info, McpTools known, string folder, McpConnections connections)
        : base(NameOf($"{server.Name}_{info.Name}"), info.Description, info.InputSchema, new LlmToolOptions { Approval = server.Approval, OutputLimit = server.OutputLimit, Requirements = server.Requirements })
    {
        (Server, Known, _tool, _folder, _connections) = (server, known, info.Name, folder, connections);
        _task = AgentTask.Create<McpCallInput, McpOutcome>(Name, (input, context) => connections.CallAsync(server, folder, input, context),
            // One attempt: no second one may send the call again.
            policy: new TaskPolicy { AtMostOnce = server.AtMostOnce });
    }

    public McpServer Server { get; }

    /// <summary>How its calls are run.</summary>
    public TaskPolicy CallPolicy => _task.Policy;

    internal override string TraceType => "extension";

    /// <summary>The tools that the job knows.</summary>
    public McpTools Known { get; }

    /// <summary>The server's name of it.</summary>
    public string ServerName => _tool;

    /// <summary>The tools of a server; two may have one name as models know them.</summary>
    public static IEnumerable<McpTool> AllOf(McpServer server, McpTools known, string folder, McpConnections connections) =>
        known.Tools.Select(t => new McpTool(server, t, known, folder, connections));

    /// <summary>The same tool of another list; null where it is gone, or can be called no more since its schema is none.</summary>
    public McpTool? With(McpTools now)
    {
        if (now.Tools.FirstOrDefault(t => t.Name == _tool) is not { } info)
            return null;
        McpTool tool = new(Server, info, now, _folder, _connections);
        return tool.SchemaFault is null ? tool : null;
    }

    /// <summary>Why its schema is none; null where it is one.</summary>
    public string? SchemaFault
    {
        get
        {
            try
            {
                _ = Schema;
                return null;
            }
            catch (ArgumentException e)
            {
                return e.Message;
            }
        }
    }

    /// <summary>How a server is asked for its tools.</summary>
    public static TaskPolicy ListPolicy { get; } = new() { Retry = new RetryPolicy { Attempts = 3 } };

    /// <summary>The task that asks a server for its tools.</summary>
    public static AgentTask<string, McpTools> List(McpServer server, string folder, McpConnections connections) =>
        AgentTask.Create<string, McpTools>("mcp_list", (_, context) => connections.ListAsync(server, folder, context), policy: ListPolicy);

    internal override async Task<ToolOutcome> RunAsync(ToolRun run)
    {
        McpOutcome outcome = await RunTaskAsync<McpOutcome>(_task, new McpCallInput(_tool, Known.Hash, run.Arguments), run);
        return new ToolOutcome(outcome.Result?.Content ?? default) { IsError = outcome.Result?.IsError == true, Changed = outcome.Changed };
    }
}

/// <summary>One call.</summary>
/// <param name="Tool">The server's name of the tool.</param>
/// <param name="Hash">The hash of the tools that the job knows.</param>
/// <param name="Arguments">The arguments.</param>
internal sealed record McpCallInput(string Tool, string Hash, JsonElement Arguments);

/// <summary>What came of a call: a result, or no call at all since the tools have changed.</summary>
internal sealed record McpOutcome(McpResult? Result, McpTools? Changed);

/// <summary>What a server answered.</summary>
internal sealed record McpResult(JsonElement Content, bool IsError)
{
    public static McpResult Of(CallToolResult result)
    {
        bool isError = result.IsError == true;
        if (!isError && result.StructuredContent is { } structured)
            return new McpResult(structured.Clone(), false);
        return new McpResult(JsonSerializer.SerializeToElement(string.Join("\n", result.Content.Select(Text)), AIJson.Options), isError);
    }

    private static string Text(ContentBlock block) => block switch
    {
        TextContentBlock text => text.Text,
        ImageContentBlock image => $"[an image, {image.MimeType}, {image.DecodedData.Length} bytes]",
        AudioContentBlock audio => $"[a sound, {audio.MimeType}, {audio.DecodedData.Length} bytes]",
        EmbeddedResourceBlock { Resource: TextResourceContents text } => text.Text,
        EmbeddedResourceBlock embedded => $"[a resource, {embedded.Resource.Uri}]",
        ResourceLinkBlock link => $"[a resource, {link.Name}, {link.Uri}]",
        _ => $"[{block.Type}]",
    };
}
