using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>One call that the model asked for, on its way to a result.</summary>
internal sealed class ToolCall(FunctionCallContent call)
{
    public FunctionCallContent Call => call;

    public string Id => call.CallId;

    public LlmTool? Tool { get; set; }

    public JsonElement Arguments { get; set; }

    /// <summary>Whether a person has changed the arguments.</summary>
    public bool IsChanged { get; set; }

    /// <summary>Its task or child, once it runs.</summary>
    public Task<ToolEnd>? Work { get; set; }

    /// <summary>The tools that its server has now, while it waits for somebody to allow them.</summary>
    public McpTools? Changed { get; set; }

    /// <summary>What the model gets; null until it is there.</summary>
    public FunctionResultContent? Result { get; set; }

    /// <summary>Runs the tool. What goes wrong with it is an end, too: the model is told.</summary>
    public void Start(AgentContext context, CancellationToken stop) => Work = EndAsync(Tool!, new ToolRun(context, $"{Tool!.Name}[{Id}]", Id, Arguments, stop));

    private static async Task<ToolEnd> EndAsync(LlmTool tool, ToolRun run)
    {
        try
        {
            ToolOutcome outcome = await tool.RunAsync(run);
            return outcome.IsError
                ? new ToolEnd(default, ToolFailure.Failed, ToolResultText.Of(outcome.Result, int.MaxValue))
                : new ToolEnd(outcome.Result, default, null) { Changed = outcome.Changed };
        }
        catch (TaskFailedException e)
        {
            return new ToolEnd(default, ToolFailure.Failed, e.Error.Message);
        }
        catch (ChildJobFailedException e)
        {
            return new ToolEnd(default, ToolFailure.Failed, e.Error.Message);
        }
        catch (OperationCanceledException)
        {
            return new ToolEnd(default, ToolFailure.Stopped, "it was stopped before it gave a result");
        }
        catch (PayloadTooLargeException e)
        {
            return new ToolEnd(default, ToolFailure.Failed, e.Message);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ToolInputException)
        {
            return new ToolEnd(default, ToolFailure.InvalidArguments, e.Message);
        }
    }
}

/// <summary>How a call ended: with a result, or with an error for the model.</summary>
internal sealed record ToolEnd(JsonElement Result, ToolFailure Failure, string? Error)
{
    /// <summary>The tools that the tool's server has now, where they are others and the call was not made.</summary>
    public McpTools? Changed { get; init; }
}
