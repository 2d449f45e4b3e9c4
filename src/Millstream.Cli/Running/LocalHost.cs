using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Running;

/// <summary>What a workflow file asks this machine to offer: one worker that owns it all, so that a task may take several things together.</summary>
internal static class LocalHost
{
    public static AgentOrchestrator Start(WorkflowDefinition workflow)
    {
        Dictionary<string, int> wanted = new(workflow.AllResources(), StringComparer.Ordinal);
        // Sandboxes need no preparation, so as many as there are cores are offered unasked.
        wanted.TryAdd("sandbox", Environment.ProcessorCount);
        Resource[] resources = [.. wanted.OrderBy(w => w.Key, StringComparer.Ordinal).SelectMany(w => Enumerable.Range(1, w.Value).Select(i => Make(w.Key, i)))];
        // What is offered can all be used at once.
        Worker worker = new("local", resources, Math.Max(Worker.DefaultSlots, resources.Length));
        return new AgentOrchestrator(new OrchestratorOptions { Workers = [worker] });
    }

    public static WorkflowAgent<JsonElement, JsonElement> AgentOf(WorkflowDefinition workflow, AgentOrchestrator orchestrator) =>
        workflow.ToWorkflow([SandboxRunKind.Kind], orchestrator.Agents, takesSignals: false).Agent;

    /// <summary>Whether a failed task should wait for somebody's decision.</summary>
    public static bool WaitsForSignals(WorkflowDefinition workflow) => workflow.WithNested().Any(w => w.OnFailure == FailureMode.Wait);

    private static Resource Make(string type, int number) => type == "sandbox" ? new SandboxResource($"sandbox-{number}") : new PlainResource($"{type}-{number}", type);
}
