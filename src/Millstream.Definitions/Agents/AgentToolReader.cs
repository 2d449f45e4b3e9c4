using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millstream.Definitions;

/// <summary>Reads the tools of an agent file, and who must approve their calls.</summary>
internal sealed partial class AgentToolReader(ReadContext context)
{
    // More than any provider takes.
    private const int MostTools = 128;
    private static readonly string[] Approvals = ["never", "always"];

    private readonly NodeReader _nodes = context.Nodes;

    public IReadOnlyList<AgentToolDefinition> Read(YamlMap agent)
    {
        List<(AgentToolDefinition Tool, Mark Mark)> tools = [];
        if (agent.Find("tools") is { } entry)
        {
            if (entry.Value is not YamlList list)
                context.Faults.Add(entry.Value.Mark, $"'tools' must be a list such as [file.read, {{ use: http.get }}], this is {entry.Value.Describe()}");
            else if (list.Items.Count > MostTools)
                context.Faults.Add(list.Mark, $"'tools' has {list.Items.Count} tools; at most {MostTools} are allowed");
            else
                tools.AddRange(list.Items.Select((node, i) => (Tool(node, $"tools[{i}]"), node.Mark)));
        }
        foreach (IGrouping<string, (AgentToolDefinition Tool, Mark Mark)> same in tools.Where(t => t.Tool.Name.Length > 0).GroupBy(t => t.Tool.Name))
        {
            foreach ((_, Mark mark) in same.Skip(1))
                context.Faults.Add(mark, $"a second tool has the name '{same.Key}'; the first stands in line {same.First().Mark.Line}. Give one of them another 'name'");
        }
        return agent.Find("approval") is { } approval ? Approve(approval.Value, [.. tools.Select(t => t.Tool)]) : [.. tools.Select(t => t.Tool)];
    }

    private AgentToolDefinition Tool(YamlNode node, string name)
    {
        if (node is YamlScalar { IsNull: false } only)
            return Kind(only.Text, only.Mark, name) is not { } alone ? new AgentToolDefinition(only.Text, "") : With(alone, null, node.Mark, null, name);
        if (node is not YamlMap)
        {
            context.Faults.Add(node.Mark, $"{name} must be the name of a tool or {{ use, name, description, approval, output_limit, with }}, this is {node.Describe()}");
            return new AgentToolDefinition("", "");
        }
        YamlMap map = _nodes.Map(node, name, Keys.Tool)!;
        if (map.Find("use") is null)
            context.Faults.Add(map.Mark, $"{name} needs 'use', its kind: {string.Join(", ", ToolShape.All.Keys)}");
        string? use = _nodes.Text(map, "use", name + ".use"), given = _nodes.Name(map, "name", name + ".name");
        ToolShape? shape = use is null ? null : Kind(use, map.Find("use")!.Value.Mark, name + ".use");
        AgentToolDefinition tool = shape is null ? new AgentToolDefinition(use ?? "", given ?? "") : With(shape, given, map.Mark, map.Find("with")?.Value, name);
        return tool with
        {
            Description = _nodes.Text(map, "description", name + ".description"),
            NeedsApproval = _nodes.Choice(map, "approval", name + ".approval", Approvals) is { } approval ? approval == "always" : null,
            OutputLimit = _nodes.Whole(map, "output_limit", name + ".output_limit", 1),
        };
    }

    private ToolShape? Kind(string use, Mark mark, string name)
    {
        if (ToolShape.All.TryGetValue(use, out ToolShape? shape))
            return shape;
        context.Faults.Add(mark, $"{name}: there is no tool '{use}'{Names.Suggest(use, ToolShape.All.Keys)}");
        return null;
    }

    private AgentToolDefinition With(ToolShape shape, string? name, Mark mark, YamlNode? given, string at)
    {
        MapValue with = new(mark, []);
        int before = context.Faults.Count;
        if (given is not null && _nodes.Map(given, at + ".with") is not null)
            with = (MapValue)context.Compiler.Compile(given);
        foreach (PlacedExpression placed in with.Expressions())
            context.Faults.Add(placed.Mark, $"{at}.with holds constants, and {placed.Written} is an expression; only workflow files have them");
        if (context.Faults.Count == before)
            with = (MapValue)context.Checker.Check(with, shape.With, DataType.Any, at + ".with");
        if (context.Faults.Count == before)
            ToolValues.Check(context.Faults, shape.Name, with, at);
        AgentDefinition? agent = null;
        WorkflowDefinition? workflow = null;
        if (shape.Name is "agent" or "workflow" && FilePlace.FileOf(context.Faults, with, at, shape.Name, out string file) is { } node)
        {
            if (shape.Name == "agent")
                agent = context.Place.Read(context.Faults, file, node.Mark, at, FileKind.Agent, AgentFile.Parse);
            else
                // Texts of its own, so that what the tool is given holds no more than the workflow needs.
                workflow = NestedWorkflow.Read(context.Place with { Texts = new WorkflowTexts(context.Texts) }, context.Faults, file, node.Mark, at);
        }
        bool isRight = context.Faults.Count == before;
        return new AgentToolDefinition(shape.Name, name ?? (shape.Name is "agent" or "workflow" ? agent?.Name ?? workflow?.Name ?? "" : Other().Replace(shape.Name, "_")))
        {
            Agent = agent,
            Workflow = workflow,
            With = isRight && with.Entries.Count > 0 ? with.Evaluate(new ExpressionScope(Json.Null, new Dictionary<string, JsonElement>())) : null,
        };
    }

    /// <summary>What stands under 'approval' at the top: for all tools, or by the names of some. What stands at a tool itself goes before it.</summary>
    private IReadOnlyList<AgentToolDefinition> Approve(YamlNode node, IReadOnlyList<AgentToolDefinition> tools)
    {
        if (node is YamlScalar)
        {
            bool? all = Approval(node, "'approval'");
            return [.. tools.Select(t => t with { NeedsApproval = t.NeedsApproval ?? all })];
        }
        Dictionary<string, bool?> byName = new(StringComparer.Ordinal);
        foreach (YamlEntry entry in _nodes.Map(node, "'approval'")?.Entries ?? [])
        {
            if (tools.Any(t => t.Name == entry.Key || t.Use == entry.Key))
                byName[entry.Key] = Approval(entry.Value, $"approval.{entry.Key}");
            else
                context.Faults.Add(entry.KeyMark, $"'approval' names '{entry.Key}', which is no tool of this agent{Names.Suggest(entry.Key, tools.SelectMany(t => (string[])[t.Name, t.Use]).Distinct())}");
        }
        return [.. tools.Select(t => t with { NeedsApproval = t.NeedsApproval ?? byName.GetValueOrDefault(t.Name) ?? byName.GetValueOrDefault(t.Use) })];
    }

    private bool? Approval(YamlNode node, string name)
    {
        if (node is YamlScalar { Text: "never" or "always" } text)
            return text.Text == "always";
        context.Faults.Add(node.Mark, $"{name} must be never or always{(name == "'approval'" ? ", or a mapping of tools to them" : "")}, this is {node.Describe()}");
        return null;
    }

    [GeneratedRegex("[^A-Za-z0-9_-]")] private static partial Regex Other();
}
