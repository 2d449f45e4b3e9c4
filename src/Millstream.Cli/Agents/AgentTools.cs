using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Agents;

/// <summary>The tools that agent files may use, joined to the LLM agent that calls them.</summary>
internal static class AgentTools
{
    private static readonly JsonElement AgentSchema = Json.Parse("""
        {"type":"object","properties":{"prompt":{"type":"string","description":"What the agent is to do, with all that it must know: it sees nothing of this conversation."}},"required":["prompt"],"additionalProperties":false}
        """);

    /// <param name="agent">Runs the agents that agents call; asked for when a tool is made.</param>
    /// <param name="workflows">Runs the workflows that agents call.</param>
    public static IReadOnlyList<LlmToolKind> All(Func<LlmSpecAgent> agent, FileWorkflowAgent workflows) =>
    [
        .. BuiltInTools.All.Append(SandboxTool.Kind).Select(k => new LlmToolKind(k.Name, use => Make(k, use))),
        new LlmToolKind("agent", use => AgentOf(agent(), use)),
        new LlmToolKind("workflow", use => WorkflowOf(workflows, use)),
    ];

    private static LlmTool Make(ToolKind kind, LlmToolUse use) => LlmTool.Of(
        kind.Make(new ToolKindUse(NameOf(use), use.Spec.With ?? Json.Null, use.Folder)), use.Spec.Description ?? kind.Description, kind.Schema, Options(use));

    private static LlmTool AgentOf(LlmSpecAgent agent, LlmToolUse use)
    {
        LlmAgentSpec spec = (use.Spec.With?.Find("spec") ?? throw Missing(use, "spec")).Deserialize<LlmAgentSpec>(Json.Options)!;
        return LlmTool.Of(agent, spec.Description ?? $"The agent {spec.Name}.", AgentSchema, given => new LlmSpecInput { Spec = spec, Prompt = given.Text("prompt")!, Folder = use.Folder }, Options(use));
    }

    private static LlmTool WorkflowOf(FileWorkflowAgent workflows, LlmToolUse use)
    {
        FileWorkflowInput input = (use.Spec.With?.Find("workflow") ?? throw Missing(use, "workflow")).Deserialize<FileWorkflowInput>(Json.Options)!;
        WorkflowDefinition workflow = input.Definition();
        return LlmTool.Of(workflows, workflow.Description ?? $"The workflow {workflow.Name}.", workflow.InputSchema(), given => input with { Inputs = workflow.BindInput([], given), TakesSignals = false }, Options(use));
    }

    private static string NameOf(LlmToolUse use) => use.Spec.Name ?? use.Spec.Use;

    private static LlmToolOptions Options(LlmToolUse use) => new()
    {
        Name = use.Spec.Name,
        Description = use.Spec.Description,
        Approval = use.Spec.Approval,
        OutputLimit = use.Spec.OutputLimit ?? LlmTool.DefaultOutputLimit,
    };

    private static ArgumentException Missing(LlmToolUse use, string what) => new($"Tool {NameOf(use)} has no '{what}'; read the agent's file again.");
}
