namespace Millstream.Definitions;

/// <summary>Joins the tasks: who waits for whom, cycles, and the types of what each takes from the others.</summary>
internal sealed class TaskGraph
{
    private readonly ReadContext _context;
    private readonly List<TaskDraft> _drafts;
    private readonly Dictionary<string, TaskDraft> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _dependencies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DataType> _outputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskDefinition> _tasks = new(StringComparer.Ordinal);
    private readonly DataType _input;

    public TaskGraph(ReadContext context, IReadOnlyList<InputDefinition> inputs, List<TaskDraft> drafts)
    {
        _context = context;
        _drafts = drafts;
        _input = DataType.ObjectOf(inputs.ToDictionary(i => i.Name, i => new DataField(i.DataType), StringComparer.Ordinal));
        foreach (TaskDraft draft in drafts)
            _byId[draft.Id] = draft;
        foreach (TaskDraft draft in drafts)
            _dependencies[draft.Id] = Dependencies(draft);
    }

    /// <summary>All tasks in the order of the file, with checked values.</summary>
    public IReadOnlyList<TaskDefinition> Check()
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        foreach (TaskDraft draft in _drafts)
            Visit(draft.Id, done, path);
        return [.. _drafts.Select(d => _tasks[d.Id])];
    }

    /// <summary>The names that expressions of a task see; with null those of the output.</summary>
    public DataType Root(DataType? item)
    {
        var fields = new Dictionary<string, DataField>(StringComparer.Ordinal)
        {
            ["input"] = new(_input),
            ["tasks"] = new(DataType.TasksOf(_drafts.GroupBy(d => d.Id).ToDictionary(g => g.Key, g => new DataField(Result(g.First()))))),
        };
        if (item is not null)
        {
            fields["item"] = new(item);
            fields["index"] = new(DataType.Integer);
        }
        return DataType.RootOf(fields);
    }

    private DataType Result(TaskDraft draft)
    {
        DataType output = _outputs.GetValueOrDefault(draft.Id, DataType.Any);
        if (draft.ForEach is null)
            return DataType.ObjectOf(("output", output), ("status", DataType.String), ("error", DataType.String));
        DataType result = DataType.ObjectOf(("ok", DataType.Boolean), ("output", output), ("error", DataType.String));
        return DataType.ObjectOf(("output", DataType.ArrayOf(output)), ("status", DataType.String), ("error", DataType.String),
            ("results", DataType.ArrayOf(result)),
            ("errors", DataType.ArrayOf(DataType.ObjectOf(("index", DataType.Integer), ("message", DataType.String)))));
    }

    private List<string> Dependencies(TaskDraft draft)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string id, Mark mark) in draft.Needs)
        {
            if (!_byId.ContainsKey(id))
                _context.Faults.Add(mark, $"the task '{draft.Id}' needs '{id}', which is none{Names.Suggest(id, _byId.Keys.Where(k => k != draft.Id))}");
            named.Add(id);
        }
        foreach (ValueNode? value in (ValueNode?[])[draft.With, draft.ForEach, draft.If])
        {
            foreach (PlacedExpression placed in value?.Expressions() ?? [])
                named.UnionWith(TaskReferences.In(placed.Expression.Tree));
        }
        return [.. _drafts.Select(d => d.Id).Where(named.Contains).Distinct()];
    }

    private void Visit(string id, HashSet<string> done, List<string> path)
    {
        if (done.Contains(id))
            return;
        int from = path.IndexOf(id);
        if (from >= 0)
        {
            _context.Faults.Add(_byId[id].Mark, $"the tasks wait for each other: {string.Join(" -> ", path.Skip(from).Append(id))}");
            return;
        }
        path.Add(id);
        foreach (string dependency in _dependencies[id])
            Visit(dependency, done, path);
        path.RemoveAt(path.Count - 1);
        if (done.Add(id))
            CheckTask(_byId[id]);
    }

    private void CheckTask(TaskDraft draft)
    {
        string name = $"the task '{draft.Id}'";
        ExpressionValue? forEach = ForEach(draft, name, out DataType? item);
        DataType root = Root(item);
        ValueNode? condition = draft.If is null ? null : _context.Checker.Check(draft.If, DataType.Boolean, root, name + ".if");
        WorkflowDefinition? nested = draft.Kind?.Name == "workflow" ? NestedWorkflow.Read(_context, draft.With, name) : null;
        AgentDefinition? agent = draft.Kind?.Name == "agent" ? NestedAgent.Read(_context, draft.With, name) : null;
        DataType with = nested is not null ? NestedWorkflow.With(nested)
            : draft.Kind?.Name == "agent" ? NestedAgent.With(_context, draft.With, name)
            : draft.Kind?.With ?? DataType.Any;
        ValueNode values = _context.Checker.Check(draft.With, with, root, name + ".with");
        if (draft.Kind?.Name == "template")
            TemplateText.Check(_context, (MapValue)values, name);
        if (values is MapValue given)
        {
            ValueRanges.Check(_context.Faults, draft.Kind?.Name, given, name);
            SecretReferences.Check(_context.Faults, draft.Kind?.Name, given, name);
        }
        if (draft.Kind?.Name == "llm.chat" && !draft.With.Entries.Any(e => e.Key is "prompt" or "messages"))
            _context.Faults.Add(draft.With.Mark, $"{name}.with needs 'prompt' or 'messages', what the model is to answer");
        if (draft.Kind?.Name == "sandbox.run")
            SandboxValues.Check(_context.Faults, (MapValue)values, name);
        if (draft.Kind?.Name == "http.get")
        {
            HttpGet.Check(_context.Faults, (MapValue)values, name);
            values = NamedHosts.Allow((MapValue)values);
        }
        _outputs[draft.Id] = nested?.OutputDataType ?? agent?.OutputDataType ?? draft.Kind?.Output ?? DataType.Any;
        _tasks[draft.Id] = draft.Task with
        {
            DependsOn = _dependencies[draft.Id],
            With = values,
            ForEach = forEach,
            If = condition,
            Workflow = nested,
            Agent = agent,
        };
    }

    private ExpressionValue? ForEach(TaskDraft draft, string name, out DataType? item)
    {
        item = null;
        if (draft.ForEach is null)
            return null;
        item = DataType.Any;
        if (draft.ForEach is not ExpressionValue expression)
        {
            _context.Faults.Add(draft.ForEach.Mark, $"{name}.for_each must be one expression that gives a list: ${{{{ tasks.ID.output.lines }}}}");
            return null;
        }
        DataType list = _context.Checker.TypeOf(expression.Placed, Root(null));
        if (list.Kind is DataKind.Array)
            item = list.Item;
        else if (list.Kind is not DataKind.Any)
            _context.Faults.Add(expression.Placed.Mark, $"{name}.for_each wants a list; {expression.Placed.Expression.Text.Trim()} is {list}");
        if (draft.Task.Batch is not null)
            item = DataType.ArrayOf(item);
        return expression;
    }
}
