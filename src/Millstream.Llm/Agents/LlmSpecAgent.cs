using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What a job of <see cref="LlmSpecAgent"/> starts with.</summary>
public sealed record LlmSpecInput
{
    /// <summary>The agent.</summary>
    public required LlmAgentSpec Spec { get; init; }

    /// <summary>What it is to do.</summary>
    public required string Prompt { get; init; }

    /// <summary>A value that it gets beside the prompt; null for none.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>The absolute folder that it works in.</summary>
    public string Folder { get; init; } = "";
}

/// <summary>Runs LLM agents that are data, as agent files are: one agent for all of them, since what each is travels with its job.</summary>
/// <param name="kinds">The kinds of tools that specs may name.</param>
/// <param name="plans">What reads the workflows of planners; without it none can run.</param>
public sealed class LlmSpecAgent(IEnumerable<LlmToolKind>? kinds = null, IWorkflowReader? plans = null) : LoopAgent<LlmSpecInput, JsonElement, LlmEvent, LlmSignal, LlmState>
{
    /// <summary>The id of the agent.</summary>
    public const string AgentId = "llm-agent";

    private const string Mcp = "mcp";

    private readonly McpConnections _connections = new();
    private readonly ConditionalWeakTable<LlmSpecInput, LlmLoop> _loops = [];
    private readonly Dictionary<string, LlmToolKind> _kinds = (kinds ?? []).ToDictionary(k => k.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string Id => AgentId;

    internal override string NameFor(object? input) => ((LlmSpecInput)input!).Spec.Name;

    /// <summary>The agent that a spec means.</summary>
    /// <exception cref="ArgumentException">The spec names a kind of tool that is not there, or is wrong otherwise.</exception>
    internal LlmLoop Loop(LlmSpecInput input) => _loops.GetValue(input, Make);

    private LlmLoop Make(LlmSpecInput input)
    {
        LlmAgentSpec spec = input.Spec;
        LlmAgentOptions options = new()
        {
            Id = LlmTool.NameOf(spec.Name),
            Name = spec.Name,
            Instructions = spec.Instructions,
            Model = spec.Model,
            Tools = [.. spec.Tools.Where(t => t.Use != Mcp).Select(t => Make(t, input.Folder))],
            Servers = [.. spec.Tools.Where(t => t.Use == Mcp).Select(ServerOf)],
            Limits = spec.Limits,
            Chat = new ChatOptions { Temperature = spec.Temperature, MaxOutputTokens = spec.MaxOutputTokens },
            Context = spec.ContextMessages is { } most ? new ContextPolicy(most) : null,
        };
        options = options.Checked();
        if (spec.Plan is not { } plan)
            return new LlmLoop(options, OutputForm.Of(spec.Output), _connections, input.Folder);
        IWorkflowReader reader = plans ?? throw new ArgumentException($"Agent {spec.Name} is a planner, and this program reads no workflows; give {nameof(LlmSpecAgent)} a reader.");
        WorkflowRules rules = new(plan.Kinds, input.Folder) { Files = plan.Files };
        return LlmLoop.OfPlanner(options, new PlanPolicy { Reader = reader, Rules = rules, Approval = plan.Approval }, _connections, input.Folder);
    }

    /// <inheritdoc/>
    protected override LlmState Begin(LlmSpecInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        string text = input.Input is { } value ? $"{input.Prompt}\n\n{value.GetRawText()}".Trim() : input.Prompt;
        return Loop(input).Begin(new ChatMessage(ChatRole.User, text)) with { Spec = input };
    }

    /// <inheritdoc/>
    protected override async Task<Next<LlmState, JsonElement>> NextAsync(LlmState state, AgentContext<LlmEvent, LlmSignal> context)
    {
        Next<LlmState, object?> next = await Loop(state.Spec!).NextAsync(state, context);
        return next.IsDone ? Next.Done((JsonElement)next.Output!) : Next.Continue(next.State!);
    }

    private static McpServer ServerOf(LlmToolSpec spec)
    {
        Dictionary<string, JsonElement> fields = spec.With is { ValueKind: JsonValueKind.Object } with ? with.EnumerateObject().ToDictionary(f => f.Name, f => f.Value) : [];
        fields["name"] = JsonSerializer.SerializeToElement(spec.Name ?? Mcp, AIJson.Options);
        McpServer server = JsonSerializer.SerializeToElement(fields, AIJson.Options).Deserialize<McpServer>(AgentContract.DefaultOptions)!;
        return server with { Approval = spec.Approval ?? server.Approval, OutputLimit = spec.OutputLimit ?? server.OutputLimit };
    }

    private LlmTool Make(LlmToolSpec spec, string folder) => _kinds.TryGetValue(spec.Use, out LlmToolKind? kind) ? kind.Make(new LlmToolUse(spec, folder))
        : throw new ArgumentException($"There is no kind of tool '{spec.Use}'; there {(_kinds.Count == 0 ? "are none" : $"are {string.Join(", ", _kinds.Keys.Order(StringComparer.Ordinal))}")}.");
}
