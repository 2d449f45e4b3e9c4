using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>Reads the top of an agent file; the tools are read by <see cref="AgentToolReader"/>.</summary>
internal sealed class AgentReader
{
    // What a store's reader of JSON takes is 64 levels, and a spec stands inside an entry.
    private const int MostLevels = 48;
    private static readonly string[] Actions = ["stop", "ask", "hand_over"];

    private readonly FaultList _faults;
    private readonly NodeReader _nodes;
    private readonly ReadContext _context;

    public AgentReader(FaultList faults, string text, FilePlace place)
    {
        _faults = faults;
        _nodes = new NodeReader(faults);
        _context = new ReadContext(_nodes, new ValueCompiler(faults, place.Limits, text), new ValueChecker(faults), place);
    }

    public AgentDefinition? Read(YamlNode root)
    {
        if (_nodes.Map(root, "the agent", Keys.Agent) is not { } map)
            return null;
        FileKind.Agent.Check(_nodes, map, isNeeded: true);
        // Editors find the schema by it; it means nothing here.
        _nodes.Text(map, "$schema", "'$schema'");
        string? name = _nodes.Name(map, "name", "'name'");
        if (map.Find("name") is null)
            _faults.Add(map.Mark, "'name' is missing: a name for the agent");
        double? temperature = _nodes.Number(map, "temperature", "'temperature'", 0);
        if (temperature > 2)
            _faults.Add(map.Find("temperature")!.Value.Mark, $"'temperature' must be at most 2, this is {map.Find("temperature")!.Value.Describe()}");
        AgentDefinition agent = new(_context.Path, name ?? "")
        {
            Description = _nodes.Text(map, "description", "'description'"),
            Instructions = Instructions(map),
            Model = Model(map),
            Temperature = temperature,
            MaxOutputTokens = _nodes.Whole(map, "max_output_tokens", "'max_output_tokens'", 1),
            ContextMessages = map.Find("context") is { } context && _nodes.Map(context.Value, "'context'", Keys.Context) is { } inner ? _nodes.Whole(inner, "messages", "context.messages", 4) : null,
            Plan = new PlanReader(_context).Read(map),
            Tools = new AgentToolReader(_context).Read(map),
            Limits = Limits(map),
            OutputSchema = map.Find("output") is { } output ? new OutputSchema(_nodes).Read(output.Value) : null,
            Texts = _context.Texts,
        };
        if (_faults.Count == 0 && Levels(agent.Spec([])) is var levels and > MostLevels)
            _faults.Add(map.Mark, $"the agent with all that it calls is JSON of {levels} levels; at most {MostLevels} are allowed, so let agents call each other less deep, or make 'output' flatter");
        return agent;
    }

    private string? Model(YamlMap map)
    {
        string? model = _nodes.Text(map, "model", "'model'");
        if (model is not null && string.IsNullOrWhiteSpace(model))
            _faults.Add(map.Find("model")!.Value.Mark, "'model' is empty; name a model or a label of endpoints, or leave it out for any");
        return model;
    }

    // No expressions are looked for: it is text for a model, which may well speak of them.
    private string? Instructions(YamlMap map)
    {
        if (map.Find("instructions") is not { } entry)
            return null;
        if (entry.Value is YamlScalar { IsNull: false } text)
            return text.Text;
        if (entry.Value is not YamlMap given)
        {
            _faults.Add(entry.Value.Mark, $"'instructions' must be text or {{ file: NAME }}, this is {entry.Value.Describe()}");
            return null;
        }
        _nodes.Map(given, "'instructions'", ["file"]);
        if (given.Find("file") is null)
            _faults.Add(given.Mark, "'instructions' needs 'file', a text file");
        if (_nodes.Text(given, "file", "instructions.file") is not { } file)
            return null;
        try
        {
            return _context.Texts.Load(_context.Place.Beside(file), _context.Limits);
        }
        catch (WorkflowFileException e)
        {
            _faults.Add(given.Find("file")!.Value.Mark, $"instructions.file: {e.Faults[0].Message}");
            return null;
        }
    }

    private JsonObject Limits(YamlMap map)
    {
        JsonObject limits = [];
        if (map.Find("limits") is not { } entry || _nodes.Map(entry.Value, "'limits'", Keys.AgentLimits) is not { } given)
            return limits;
        AgentDefinition.Put(limits, "turns", _nodes.Whole(given, "turns", "limits.turns", 1));
        AgentDefinition.Put(limits, "toolCalls", _nodes.Whole(given, "tool_calls", "limits.tool_calls", 0));
        AgentDefinition.Put(limits, "tokens", _nodes.Long(given, "tokens", "limits.tokens", 1));
        AgentDefinition.Put(limits, "cost", _nodes.Number(given, "cost", "limits.cost", 0) is { } cost ? JsonValue.Create(Money(cost, given)) : null);
        AgentDefinition.Put(limits, "time", _nodes.Duration(given, "time", "limits.time") is { } time ? JsonSerializer.SerializeToNode(time) : null);
        AgentDefinition.Put(limits, "depth", _nodes.Whole(given, "depth", "limits.depth", 0));
        if (_nodes.Choice(given, "action", "limits.action", Actions, " (stop fails the agent, ask waits for other limits, hand_over ends with what there is)") is { } action)
            limits["action"] = action == "hand_over" ? "handOver" : action;
        return limits;
    }

    private decimal? Money(double cost, YamlMap given)
    {
        if (cost <= 1_000_000_000)
            return (decimal)cost;
        _faults.Add(given.Find("cost")!.Value.Mark, $"limits.cost must be at most 1000000000 dollars, this is {given.Find("cost")!.Value.Describe()}");
        return null;
    }

    private static int Levels(JsonNode? node) => node switch
    {
        JsonObject map => 1 + map.Select(e => Levels(e.Value)).DefaultIfEmpty(0).Max(),
        JsonArray list => 1 + list.Select(Levels).DefaultIfEmpty(0).Max(),
        _ => 0,
    };
}
