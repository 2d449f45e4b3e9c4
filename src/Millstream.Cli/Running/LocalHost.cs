using Millstream.Cli.Agents;
using Millstream.Cli.Running.Models;
using Millstream.Definitions;

namespace Millstream.Cli.Running;

/// <summary>What a workflow file asks this machine to offer: one worker that owns it all, so that a task may take several things together.</summary>
internal static class LocalHost
{
    public static AgentOrchestrator Start(params IReadOnlyList<WorkflowDefinition> workflows) => Start(null, ModelSet.None, workflows);

    /// <param name="journal">Where the jobs are kept; null for memory.</param>
    /// <param name="models">The endpoints that models are asked at.</param>
    /// <param name="workflows">What is to run; of each type the most that one of them says is offered.</param>
    public static AgentOrchestrator Start(IJournalStorage? journal, ModelSet models, params IReadOnlyList<WorkflowDefinition> workflows)
    {
        Dictionary<string, int> wanted = workflows.SelectMany(w => w.AllResources()).GroupBy(r => r.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Max(r => r.Value), StringComparer.Ordinal);
        // Sandboxes need no preparation, so as many as there are cores are offered unasked.
        wanted.TryAdd("sandbox", Environment.ProcessorCount);
        Resource[] resources = [.. wanted.OrderBy(w => w.Key, StringComparer.Ordinal).SelectMany(w => Enumerable.Range(1, w.Value).Select(i => Make(w.Key, i)))];
        // What is offered can all be used at once.
        Worker worker = new("local", resources, Math.Max(Worker.DefaultSlots, resources.Length));
        return new AgentOrchestrator(new OrchestratorOptions { Workers = [worker], Journal = journal, Claim = false, Agents = Agents, PoolResources = [.. models.Resources] });
    }

    /// <summary>Sees the jobs of a journal and runs none.</summary>
    public static AgentOrchestrator Observe(IJournalStorage journal) =>
        new(new OrchestratorOptions { Workers = [], Journal = journal, Claim = false, Agents = Agents });

    private static AgentRegistry Agents { get; } = new();

    /// <summary>What runs every workflow file.</summary>
    public static FileWorkflowAgent Agent { get; } = new([SandboxRunKind.Kind, LlmChatKind.Kind], Agents, [SandboxTool.Kind]);

    /// <summary>What runs every agent file.</summary>
    public static LlmSpecAgent LlmAgent { get; } = new(AgentTools.All(static () => LlmAgent!, Agent), new FileWorkflowReader(Agent));

    // The two call each other, so what finds them is filled last.
    static LocalHost() => Agents.Add(Agent).Add(LlmAgent);

    /// <summary>Whether a task of it may ask a model.</summary>
    public static bool AsksModels(WorkflowDefinition workflow) => workflow.WithNested().Any(w => w.Tasks.Any(t => t.Uses is "llm.chat" or "agent"));

    /// <summary>Whether a failed task should wait for somebody's decision.</summary>
    public static bool WaitsForSignals(WorkflowDefinition workflow) => workflow.WithNested().Any(w => w.OnFailure == FailureMode.Wait);

    private static Resource Make(string type, int number) => type == "sandbox" ? new SandboxResource($"sandbox-{number}") : new PlainResource($"{type}-{number}", type);
}
