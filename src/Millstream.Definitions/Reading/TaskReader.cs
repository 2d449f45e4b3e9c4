namespace Millstream.Definitions;

/// <summary>A task as it was read, before its types are checked against those of the others.</summary>
internal sealed record TaskDraft(string Id, Mark Mark, TaskDefinition Task, KindShape? Kind, MapValue With, IReadOnlyList<(string Id, Mark Mark)> Needs)
{
    public ValueNode? ForEach { get; init; }

    public ValueNode? If { get; init; }
}

/// <summary>Reads one task.</summary>
internal sealed class TaskReader(ReadContext context)
{
    private readonly NodeReader _nodes = context.Nodes;

    public TaskDraft Read(YamlEntry entry)
    {
        string name = $"the task '{entry.Key}'";
        _nodes.Id(entry, "the task");
        var empty = new MapValue(entry.Value.Mark, []);
        if (_nodes.Map(entry.Value, name, Keys.Task) is not { } map)
            return new TaskDraft(entry.Key, entry.KeyMark, new TaskDefinition(entry.Key, ""), null, empty, []);
        KindShape? kind = Kind(map, entry, name);
        var task = new TaskDefinition(entry.Key, kind?.Name ?? "")
        {
            Line = entry.KeyMark.Line,
            Batch = _nodes.Whole(map, "batch", name + ".batch", 1),
            MaxParallel = _nodes.Whole(map, "max_parallel", name + ".max_parallel", 1),
            AtMostOnce = _nodes.Flag(map, "at_most_once", name + ".at_most_once") ?? false,
            ContinueOnError = _nodes.Flag(map, "continue_on_error", name + ".continue_on_error") ?? false,
            Timeout = _nodes.Duration(map, "timeout", name + ".timeout"),
            ExpectedTime = _nodes.Duration(map, "expected_time", name + ".expected_time"),
            Retry = Retry(map, name),
            Description = _nodes.Text(map, "description", name + ".description"),
        };
        task = Requires(map, task, name);
        if (task.AtMostOnce && task.Retry.Attempts > 1)
            context.Faults.Add(map.Find("at_most_once")!.Value.Mark, $"{name} has 'at_most_once' and retry.attempts {task.Retry.Attempts}; a task that must not be repeated has one attempt");
        if (task.AtMostOnce && task.Uses is "agent" or "workflow")
            context.Faults.Add(map.Find("at_most_once")!.Value.Mark, $"{name} has 'at_most_once', which the tasks inside can have; {task.Uses} goes on where it was");
        foreach (string key in (string[])["batch", "max_parallel"])
        {
            if (map.Find(key) is { } only && map.Find("for_each") is null)
                context.Faults.Add(only.KeyMark, $"{name} has '{key}' without 'for_each'");
        }
        MapValue with = empty;
        if (map.Find("with") is { } given && _nodes.Map(given.Value, name + ".with") is not null)
            with = (MapValue)context.Compiler.Compile(given.Value);
        return new TaskDraft(entry.Key, entry.KeyMark, task, kind, with, Needs(map, name))
        {
            ForEach = map.Find("for_each") is { } forEach ? context.Compiler.Compile(forEach.Value) : null,
            If = map.Find("if") is { } condition ? context.Compiler.Compile(condition.Value) : null,
        };
    }

    private KindShape? Kind(YamlMap map, YamlEntry entry, string name)
    {
        if (map.Find("uses") is null)
            context.Faults.Add(entry.KeyMark, $"{name} needs 'uses', its kind: {string.Join(", ", KindShape.BuiltIn.Keys)}");
        if (_nodes.Text(map, "uses", name + ".uses") is not { } uses)
            return null;
        if (KindShape.BuiltIn.TryGetValue(uses, out KindShape? kind))
            return kind;
        context.Faults.Add(map.Find("uses")!.Value.Mark, $"there is no task kind '{uses}'{Names.Suggest(uses, KindShape.BuiltIn.Keys)}");
        return null;
    }

    private List<(string, Mark)> Needs(YamlMap map, string name)
    {
        var needs = new List<(string, Mark)>();
        if (map.Find("needs") is not { } entry)
            return needs;
        foreach (YamlNode node in entry.Value is YamlList list ? list.Items : [entry.Value])
        {
            if (node is YamlScalar { IsNull: false } scalar)
                needs.Add((scalar.Text, scalar.Mark));
            else
                context.Faults.Add(node.Mark, $"{name}.needs holds ids of tasks, this is {node.Describe()}");
        }
        return needs;
    }

    private RetryDefinition Retry(YamlMap task, string name)
    {
        var retry = new RetryDefinition();
        if (task.Find("retry") is not { } entry || _nodes.Map(entry.Value, name + ".retry", Keys.Retry) is not { } map)
            return retry;
        return new RetryDefinition
        {
            Attempts = _nodes.Whole(map, "attempts", name + ".retry.attempts", 1) ?? retry.Attempts,
            Delay = _nodes.Duration(map, "delay", name + ".retry.delay") ?? retry.Delay,
            Factor = _nodes.Number(map, "factor", name + ".retry.factor", 1) ?? retry.Factor,
            MaxDelay = _nodes.Duration(map, "max_delay", name + ".retry.max_delay") ?? retry.MaxDelay,
            Jitter = _nodes.Flag(map, "jitter", name + ".retry.jitter") ?? retry.Jitter,
        };
    }

    private TaskDefinition Requires(YamlMap map, TaskDefinition task, string name)
    {
        if (map.Find("requires") is not { } entry)
            return task;
        if (entry.Value is not YamlList list)
        {
            context.Faults.Add(entry.Value.Mark, $"{name}.requires must be a list such as [{{ type: gpu, amount: 1 }}], this is {entry.Value.Describe()}");
            return task;
        }
        (ResourceRequirement? Requirement, Mark Mark)[] read = [.. list.Items.Select((node, i) => (Requirement(node, $"{name}.requires[{i}]"), node.Mark))];
        // With one of them unknown, indexes and sums would be wrong.
        if (read.Any(r => r.Requirement is null))
            return task;
        task = task with { Requires = [.. read.Select(r => r.Requirement!)], RequirementMarks = [.. read.Select(r => r.Mark)] };
        RequirementCheck.OfTask(context.Faults, task, entry.Value.Mark, name);
        return task;
    }

    private ResourceRequirement? Requirement(YamlNode node, string name)
    {
        if (_nodes.Map(node, name, Keys.Requirement) is not { } map)
            return null;
        string? type = _nodes.Text(map, "type", name + ".type");
        if (map.Find("type") is null)
            context.Faults.Add(map.Mark, $"{name} needs 'type', the type of the resource");
        bool exclusive = _nodes.Flag(map, "exclusive", name + ".exclusive") ?? true;
        int? amount = map.Find("amount") is null ? 1 : _nodes.Whole(map, "amount", name + ".amount", 1, exclusive ? ResourceRequirement.MaxGang : int.MaxValue);
        LabelSelector? labels = null;
        if (_nodes.Text(map, "labels", name + ".labels") is { } text && !LabelSelector.TryParse(text, out labels, out string? error))
            context.Faults.Add(map.Find("labels")!.Value.Mark, $"{name}.labels: {error}");
        if (type is null || amount is null || !IsType(type, map, name))
            return null;
        return exclusive ? ResourceRequirement.Exclusive(type, labels, amount.Value) : ResourceRequirement.Units(type, amount.Value, labels);
    }

    // Not held to the pattern of 'resources': the types of a host's own resources are free.
    private bool IsType(string type, YamlMap map, string name)
    {
        string? fault = string.IsNullOrWhiteSpace(type) ? "is empty; name the type of the resource, as in gpu"
            : type == ResourceRequirement.SlotType ? $"is '{type}', which every task takes by itself; leave it out"
            : null;
        if (fault is not null)
            context.Faults.Add(map.Find("type")!.Value.Mark, $"{name}.type {fault}");
        return fault is null;
    }
}
