using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>
/// Runs workflow files: one agent for all of them. The texts come with the job's input, so a job goes on in any process that has registered this
/// agent, whatever became of the files. It behaves as the workflow's own agent does.
/// </summary>
/// <param name="kinds">The code of the kinds beside <see cref="BuiltInKinds.All"/>, as <c>sandbox.run</c>.</param>
/// <param name="agents">The agents that tasks of kind <c>agent</c> may name.</param>
/// <param name="tools">Tools of agents beside <see cref="BuiltInTools.All"/>: what kinds of the same name do in workflows that a model has written.</param>
public sealed class FileWorkflowAgent(IEnumerable<TaskKind>? kinds = null, AgentRegistry? agents = null, IEnumerable<ToolKind>? tools = null) : Agent<FileWorkflowInput, JsonElement, WorkflowEvent, WorkflowSignal>
{
    /// <summary>The id of the agent.</summary>
    public const string AgentId = "workflow-file";

    private const int MostCompiled = 256;

    private readonly Dictionary<string, TaskKind> _kinds = BuiltInKinds.All.Concat(kinds ?? []).ToDictionary(k => k.Name, StringComparer.Ordinal);
    private readonly Dictionary<string, TaskKind> _restricted = RestrictedKinds.Of([.. BuiltInKinds.All, .. kinds ?? []], [.. BuiltInTools.All, .. tools ?? []]);
    private readonly AgentRegistry _agents = agents ?? new AgentRegistry();
    // By content: what a text gives is always the same, so this is no state of a job.
    private readonly ConcurrentDictionary<string, WorkflowGraph> _compiled = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string Id => AgentId;

    internal override string Operation => WorkflowOperation;

    internal override string NameFor(object? input) => ((FileWorkflowInput)input!).Name;

    /// <inheritdoc/>
    protected override async Task<JsonElement> RunCoreAsync(FileWorkflowInput input, AgentContext<WorkflowEvent, WorkflowSignal> context) =>
        (JsonElement)(await new WorkflowRun(Compile(input), context, input.Inputs).RunAsync())!;

    private WorkflowGraph Compile(FileWorkflowInput input)
    {
        // As it comes back from a journal its dictionary is another one, but in the same order.
        string key = Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(input with { Inputs = Definitions.Json.Null })));
        if (_compiled.TryGetValue(key, out WorkflowGraph? known))
            return known;
        WorkflowTexts texts = new(input.Folder, input.Texts);
        WorkflowGraph graph = new WorkflowCompiler(input.Definition(), input.IsRestricted ? _restricted : _kinds, _agents, input.TakesSignals, texts).Compile().Graph;
        if (_compiled.Count >= MostCompiled)
            _compiled.Clear();
        return _compiled[key] = graph;
    }
}
