using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Reads the top of a workflow file; the tasks are read by <see cref="TaskReader"/> and joined by <see cref="TaskGraph"/>.</summary>
internal sealed class WorkflowReader
{
    // Each becomes an object of the worker.
    private const int MostOfType = 10_000, MostInAll = 100_000;

    private readonly FaultList _faults;
    private readonly NodeReader _nodes;
    private readonly ReadContext _context;
    private readonly string _path;
    private readonly string _text;

    public WorkflowReader(FaultList faults, string text, FilePlace place)
    {
        _faults = faults;
        _nodes = new NodeReader(faults);
        _path = place.Path;
        _text = text;
        _context = new ReadContext(_nodes, new ValueCompiler(faults, place.Limits, text), new ValueChecker(faults), place);
    }

    public WorkflowDefinition? Read(YamlNode root)
    {
        if (_nodes.Map(root, "the workflow", Keys.Workflow) is not { } map)
            return null;
        FileKind.Workflow.Check(_nodes, map, isNeeded: false);
        // Editors find the schema by it; it means nothing here.
        _nodes.Text(map, "$schema", "'$schema'");
        string? name = _nodes.Name(map, "name", "'name'");
        string? version = _nodes.Text(map, "version", "'version'");
        Need(map, "name", "a name for the workflow");
        Need(map, "tasks", "the tasks");
        IReadOnlyList<InputDefinition> inputs = Inputs(map);
        List<TaskDraft> drafts = [];
        if (map.Find("tasks") is { } tasks && _nodes.Map(tasks.Value, "'tasks'") is { } taskMap)
        {
            var reader = new TaskReader(_context);
            drafts.AddRange(taskMap.Entries.Select(reader.Read));
            if (drafts.Count == 0)
                _faults.Add(taskMap.Mark, "'tasks' is empty; a workflow needs at least one task");
        }
        ValueNode? output = map.Find("output") is { } given ? _context.Compiler.Compile(given.Value) : null;
        var graph = new TaskGraph(_context, inputs, drafts);
        IReadOnlyList<TaskDefinition> checkedTasks = graph.Check();
        DataType outputType = DataType.Null;
        if (output is not null)
        {
            output = _context.Checker.Check(output, DataType.Any, graph.Root(null), "'output'");
            outputType = new ValueChecker(new FaultList("")).TypeOf(output, graph.Root(null));
        }
        _context.Compiler.TellRefused();
        var workflow = new WorkflowDefinition(_path, name ?? "", version ?? "1")
        {
            Text = _text,
            Texts = _context.Texts,
            Description = _nodes.Text(map, "description", "'description'"),
            Inputs = inputs,
            Resources = Resources(map),
            OnFailure = OnFailure(map),
            Tasks = checkedTasks,
            Output = output,
            OutputDataType = outputType,
        };
        // A worker offers the most that any of the files asks of it, so only the outermost knows.
        if (_context.Parents.Count == 0)
            _faults.AddAll(RequirementCheck.OfOffers(workflow));
        return workflow;
    }

    private FailureMode OnFailure(YamlMap map)
    {
        string? text = _nodes.Text(map, "on_failure", "'on_failure'");
        switch (text)
        {
            case null or "cancel":
                return FailureMode.Cancel;
            case "finish":
                return FailureMode.Finish;
            case "wait":
                return FailureMode.Wait;
            default:
                _faults.Add(map.Find("on_failure")!.Value.Mark, $"'on_failure' is '{text}'; write cancel (stop the others), finish (run what does not depend on it) or wait (for a signal to retry or skip){Names.Suggest(text, ["cancel", "finish", "wait"])}");
                return FailureMode.Cancel;
        }
    }

    private void Need(YamlMap map, string key, string what)
    {
        if (map.Find(key) is null)
            _faults.Add(map.Mark, $"'{key}' is missing: {what}");
    }

    private List<InputDefinition> Inputs(YamlMap map)
    {
        var inputs = new List<InputDefinition>();
        if (map.Find("input") is not { } section || _nodes.Map(section.Value, "'input'") is not { } inputMap)
            return inputs;
        foreach (YamlEntry entry in inputMap.Entries)
        {
            string name = $"the input '{entry.Key}'";
            _nodes.Id(entry, "the input");
            if (_nodes.Map(entry.Value, name, Keys.Input) is not { } input)
            {
                // Known all the same, so that what names it is not told, too.
                inputs.Add(new InputDefinition(entry.Key, DataType.Any));
                continue;
            }
            inputs.Add(new InputDefinition(entry.Key, Type(input, name)) { Description = _nodes.Text(input, "description", name + ".description") });
            if (input.Find("default") is { } fallback)
                inputs[^1] = inputs[^1] with { Default = Default(fallback.Value, inputs[^1].DataType, name + ".default") };
        }
        return inputs;
    }

    private DataType Type(YamlMap input, string name)
    {
        if (input.Find("type") is null)
        {
            _faults.Add(input.Mark, $"{name} needs 'type': string, integer, number, boolean, array<T>, object or any");
            return DataType.Any;
        }
        if (_nodes.Text(input, "type", name + ".type") is not { } text)
            return DataType.Any;
        if (DataType.Parse(text) is { } type)
            return type;
        string suggestion = Names.Suggest(text, ["string", "integer", "number", "boolean", "array<string>", "object", "any"]);
        _faults.Add(input.Find("type")!.Value.Mark, $"{name} has the type '{text}', which is none{suggestion}");
        return DataType.Any;
    }

    private JsonElement? Default(YamlNode node, DataType type, string name)
    {
        ValueNode value = _context.Compiler.Compile(node);
        if (value.Expressions().Any())
        {
            _faults.Add(node.Mark, $"{name} is a constant and cannot hold expressions");
            return null;
        }
        value = _context.Checker.Check(value, type, DataType.Any, name);
        return value.Evaluate(new ExpressionScope(Json.Null, new Dictionary<string, JsonElement>()));
    }

    private Dictionary<string, int> Resources(YamlMap map)
    {
        var resources = new Dictionary<string, int>(StringComparer.Ordinal);
        if (map.Find("resources") is not { } section || _nodes.Map(section.Value, "'resources'") is not { } resourceMap)
            return resources;
        foreach (YamlEntry entry in resourceMap.Entries)
        {
            if (entry.Key == ResourceRequirement.SlotType)
                _faults.Add(entry.KeyMark, $"the resource '{entry.Key}' stands for the slots of a worker, which every task takes by itself; use another type");
            else if (_nodes.IsName(entry.Key, entry.KeyMark, "the resource") && _nodes.Whole(resourceMap, entry.Key, $"the resource '{entry.Key}'", 1, MostOfType) is { } count)
                resources[entry.Key] = count;
        }
        long all = resources.Values.Sum(c => (long)c);
        if (all > MostInAll)
            _faults.Add(resourceMap.Mark, $"'resources' offers {all} in all; at most {MostInAll} are allowed");
        return resources;
    }
}

/// <summary>What all readers of one file share.</summary>
internal sealed record ReadContext(NodeReader Nodes, ValueCompiler Compiler, ValueChecker Checker, FilePlace Place)
{
    public FaultList Faults => Nodes.Faults;

    public WorkflowLimits Limits => Place.Limits;

    public string Path => Place.Path;

    public WorkflowTexts Texts => Place.Texts;

    public IReadOnlyList<string> Parents => Place.Parents;

    public bool HasAgents => Place.HasAgents;
}
