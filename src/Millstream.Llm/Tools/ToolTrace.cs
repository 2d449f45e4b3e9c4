using System.Text.Json;

namespace Millstream;

/// <summary>One call of a tool in traces, by OpenTelemetry's conventions for GenAI.</summary>
internal sealed class ToolTrace(LlmTool tool, ToolRun run) : IWorkTrace
{
    public string SpanName => $"execute_tool {tool.Name}";

    public IEnumerable<KeyValuePair<string, object?>> Begin(bool withContent)
    {
        yield return new("gen_ai.operation.name", "execute_tool");
        yield return new("gen_ai.tool.name", tool.Name);
        yield return new("gen_ai.tool.call.id", run.CallId);
        yield return new("gen_ai.tool.type", tool.TraceType);
        if (tool.Description.Length > 0)
            yield return new("gen_ai.tool.description", tool.Description);
        if (withContent)
            yield return new("gen_ai.tool.call.arguments", run.Arguments.GetRawText());
    }

    public KeyValuePair<string, object?>? Result(object? output)
    {
        try
        {
            string? json = output is McpOutcome outcome ? outcome.Result?.Content.GetRawText() : JsonSerializer.Serialize(output, AgentContract.DefaultOptions);
            return json is null ? null : new KeyValuePair<string, object?>("gen_ai.tool.call.result", json);
        }
        catch (Exception)
        {
            // Converters are the tool's code, and what cannot be shown is no reason to fail.
            return null;
        }
    }

    public string? ErrorType(object? output) => output is McpOutcome { Result.IsError: true } ? "tool_error" : null;
}
