using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Makes of a definition the graph that the workflow agent runs: each function of a node evaluates the file's expressions.</summary>
internal sealed class WorkflowCompiler(WorkflowDefinition definition, IReadOnlyDictionary<string, TaskKind> kinds, AgentRegistry agents, bool takesSignals, WorkflowTexts? texts = null)
{
    private const string FileAgentId = "llm-agent";

    private readonly List<GraphNode> _nodes = [];
    private readonly Dictionary<string, GraphNode> _byId = new(StringComparer.Ordinal);
    private readonly string _base = texts?.Folder ?? "";
    private readonly string _folder = Path.Combine(texts?.Folder ?? "", Path.GetDirectoryName(definition.File) ?? "");

    private FailureMode OnFailure => definition.OnFailure == FailureMode.Wait && !takesSignals ? FailureMode.Finish : definition.OnFailure;

    public Workflow<JsonElement, JsonElement> Compile()
    {
        GraphNode input = Add(new GraphNode(0, null) { Input = static _ => null, Result = static end => end.Output });
        Dictionary<string, TaskDefinition> left = definition.Tasks.ToDictionary(t => t.Id, StringComparer.Ordinal);
        foreach (TaskDefinition task in definition.Tasks)
            AddWithDependencies(task, left, input);
        GraphNode output = Add(new GraphNode(_nodes.Count, null)
        {
            Input = values => definition.Output?.Evaluate(Scope(values, _byId, isTask: false)) ?? Json.Null,
            Result = static end => end.Output,
            PassesWhenSkipped = true,
        });
        output.Dependencies.AddRange(_nodes[..^1]);
        return new Workflow<JsonElement, JsonElement>(new WorkflowGraph(definition.Name, definition.Version, new WorkflowOptions { OnFailure = OnFailure }, _nodes, output));
    }

    private void AddWithDependencies(TaskDefinition task, Dictionary<string, TaskDefinition> left, GraphNode input)
    {
        if (!left.Remove(task.Id))
            return;
        foreach (string dependency in task.DependsOn)
        {
            if (left.TryGetValue(dependency, out TaskDefinition? first))
                AddWithDependencies(first, left, input);
        }
        Dictionary<string, GraphNode> seen = task.DependsOn.ToDictionary(d => d, d => _byId[d], StringComparer.Ordinal);
        GraphNode node = task.IsForEach ? FanOut(task, seen) : Single(task, seen);
        node.Dependencies.Add(input);
        node.Dependencies.AddRange(seen.Values);
        _byId.Add(task.Id, Add(node));
    }

    private GraphNode Single(TaskDefinition task, Dictionary<string, GraphNode> seen) => new(_nodes.Count, task.Id)
    {
        Task = TaskOf(task),
        Child = ChildOf(task),
        Input = values => With(task, Scope(values, seen)),
        Condition = task.If is null ? null : values => TaskInputs.Runs(task, Scope(values, seen)),
        Result = static end => TaskResult.Of(EndOf(end)),
        Options = OptionsOf(task),
        ContinuesOnError = task.ContinueOnError,
        PassesWhenSkipped = true,
    };

    private GraphNode FanOut(TaskDefinition task, Dictionary<string, GraphNode> seen)
    {
        GraphNode node = null!;
        node = new GraphNode(_nodes.Count, task.Id)
        {
            Task = TaskOf(task),
            Child = ChildOf(task),
            Input = values => TaskInputs.Items(task, Scope(values, seen)).Select(i => (object?)i).ToArray(),
            ItemInput = (values, item, index) => With(task, Kept(values, node, seen).Set((JsonElement)item!, index)),
            ItemCondition = task.If is null ? null : (values, item, index) => TaskInputs.Runs(task, Kept(values, node, seen).Set((JsonElement)item!, index)),
            // Skipped as a whole, when what it needs was skipped by a signal.
            Result = static end => TaskResult.Of(EndOf(end)),
            Results = static ends => TaskResult.Of(ends.Select(EndOf).ToArray()),
            Options = OptionsOf(task),
            ContinuesOnError = task.ContinueOnError,
            PassesWhenSkipped = true,
        };
        return node;
    }

    private ExpressionScope Kept(NodeValues values, GraphNode node, Dictionary<string, GraphNode> seen) => values.Keep(node, () => Scope(values, seen));

    private ExpressionScope Scope(NodeValues values, Dictionary<string, GraphNode> seen, bool isTask = true) =>
        new((JsonElement)values.Input!, seen.ToDictionary(s => s.Key, s => values[s.Value].Output is JsonElement result ? result : TaskResult.Of(RunEnd.Skipped), StringComparer.Ordinal), definition.File, isTask);

    private static object With(TaskDefinition task, ExpressionScope scope) => TaskInputs.With(task, KindOf(task), scope);

    private static DataType KindOf(TaskDefinition task) => task.Workflow is { } nested ? NestedWorkflow.With(nested)
        : task.Uses == "template" ? TemplateText.With((MapValue)task.With)
        : KindShape.BuiltIn[task.Uses].With;

    private static RunEnd EndOf(NodeEnd end) => end.Status switch
    {
        WorkflowTaskStatus.Completed => RunEnd.Completed(end.Output is JsonElement output ? output : Json.Null),
        WorkflowTaskStatus.Failed => RunEnd.Failed(end.Error!.Message),
        _ => RunEnd.Skipped,
    };

    private static NodeOptions OptionsOf(TaskDefinition task) => new()
    {
        MaxParallel = task.MaxParallel,
        Requirements = task.Requires,
        ExpectedTime = task.ExpectedTime,
        Policy = new TaskPolicy
        {
            Timeout = task.Timeout,
            AtMostOnce = task.AtMostOnce,
            Retry = new RetryPolicy { Attempts = task.Retry.Attempts, Delay = task.Retry.Delay, Factor = task.Retry.Factor, MaxDelay = task.Retry.MaxDelay, Jitter = task.Retry.Jitter },
        },
    };

    private AgentTask? TaskOf(TaskDefinition task)
    {
        if (task.Uses is "agent" or "workflow")
            return null;
        return kinds.TryGetValue(task.Uses, out TaskKind? kind)
            ? kind.Make(new TaskKindUse(task.Id, _folder) { BaseFolder = _base, Texts = texts })
            : throw new NotSupportedException($"The task '{task.Id}' uses {task.Uses}, for which this host has no code; it has {string.Join(", ", kinds.Keys)}.");
    }

    private Func<object?, (Agent, object?)>? ChildOf(TaskDefinition task)
    {
        if (task.Workflow is { } nested)
        {
            WorkflowAgent<JsonElement, JsonElement> agent = new WorkflowCompiler(nested, kinds, agents, takesSignals, texts).Compile().Agent;
            return with => (agent, nested.BindInput([], ((JsonElement)with!).Find("input")));
        }
        if (task.Agent is { } file)
            return AgentOf(task, file.ToSpec());
        if (task.Uses != "agent")
            return null;
        return with =>
        {
            var given = (JsonElement)with!;
            string id = given.Text("agent")!;
            Agent agent = agents.Find(id, given.Text("version")) ?? throw new WorkflowValueException(definition.File, ValuePath.Find(task.With, ".agent", out _).Mark, NoAgent(id, given.Text("version")));
            try
            {
                return (agent, agent.ReadInput(given.Find("input") ?? Json.Null));
            }
            catch (ArgumentException e)
            {
                throw new WorkflowValueException(definition.File, ValuePath.Find(task.With, ".input", out _).Mark, e.Message);
            }
        };
    }

    /// <summary>What runs an agent file: the agent of Millstream.Llm for all of them, which this library knows by its id and the names of its input.</summary>
    private Func<object?, (Agent, object?)> AgentOf(TaskDefinition task, JsonElement spec) => with =>
    {
        var given = (JsonElement)with!;
        Agent agent = agents.Find(FileAgentId) ?? throw new WorkflowValueException(definition.File, ValuePath.Find(task.With, ".file", out _).Mark,
            $"this host runs no agent files; register the agent '{FileAgentId}' (LlmSpecAgent of Millstream.Llm)");
        string folder = _base.Length > 0 ? _base : Directory.GetCurrentDirectory();
        return (agent, agent.ReadInput(JsonSerializer.SerializeToElement(new { spec, prompt = given.Text("prompt") ?? "", input = given.Find("input"), folder })));
    };

    private string NoAgent(string id, string? version)
    {
        string[] versions = [.. agents.List().Where(a => a.Id == id).Select(a => a.Version)];
        return versions.Length > 0
            ? $"there is no version '{version}' of the agent '{id}'; registered are: {string.Join(", ", versions)}"
            : $"there is no agent '{id}'{(agents.List().Count == 0 ? "; none are registered" : Names.Suggest(id, agents.List().Select(a => a.Id).Distinct()))}";
    }

    private GraphNode Add(GraphNode node)
    {
        _nodes.Add(node);
        return node;
    }
}
