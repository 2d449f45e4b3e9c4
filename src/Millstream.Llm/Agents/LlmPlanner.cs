using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// An LLM agent that answers with a workflow, which is then run as a child job; the workflow's output is its own. The text is checked as a workflow file is, may use
/// the allowed kinds of tasks only, and a person may have to allow it. Faults go back to the model.
/// </summary>
public sealed class LlmPlanner : LoopAgent<string, JsonElement, LlmEvent, LlmSignal, LlmState>
{
    private readonly LlmLoop _loop;

    /// <summary>Makes a planner.</summary>
    /// <param name="options">The agent. What one must know to write a workflow is added to its instructions.</param>
    /// <param name="plan">How its answer becomes a workflow.</param>
    /// <exception cref="ArgumentException">The options have faults; lists all.</exception>
    public LlmPlanner(LlmAgentOptions options, PlanPolicy plan)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(plan);
        _loop = LlmLoop.OfPlanner(options.Checked(), plan, new McpConnections());
    }

    /// <inheritdoc/>
    public override string Id => _loop.Options.Id;

    /// <inheritdoc/>
    public override string Name => _loop.Name;

    /// <inheritdoc/>
    public override string Version => _loop.Options.Version;

    /// <inheritdoc/>
    protected override LlmState Begin(string input) => _loop.Begin(new ChatMessage(ChatRole.User, input));

    /// <inheritdoc/>
    protected override async Task<Next<LlmState, JsonElement>> NextAsync(LlmState state, AgentContext<LlmEvent, LlmSignal> context)
    {
        Next<LlmState, object?> next = await _loop.NextAsync(state, context);
        return next.IsDone ? Next.Done((JsonElement)next.Output!) : Next.Continue(next.State!);
    }
}
