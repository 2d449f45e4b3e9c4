using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>An agent file that was read and found right: immutable. It holds all that the files say that it names, so a job of it needs none of them.</summary>
public sealed class AgentDefinition
{
    internal AgentDefinition(string file, string name) => (File, Name) = (file, name);

    /// <summary>The file as it was named to the reader; empty for text without a file.</summary>
    public string File { get; }

    /// <summary>The agent's name.</summary>
    public string Name { get; }

    /// <summary>What it is for, in its author's words; null where nothing is said.</summary>
    public string? Description { get; internal init; }

    /// <summary>The system message; null where there is none.</summary>
    public string? Instructions { get; internal init; }

    /// <summary>The model's name or a label of endpoints; null for any.</summary>
    public string? Model { get; internal init; }

    /// <summary>What it may call, in the order of the file.</summary>
    public IReadOnlyList<AgentToolDefinition> Tools { get; internal init; } = [];

    /// <summary>The JSON schema of its answer; null for text.</summary>
    public JsonElement? OutputSchema { get; internal init; }

    /// <summary>What is known of its answer's type: <c>string</c> for text.</summary>
    public string OutputType => OutputDataType.ToString();

    internal DataType OutputDataType => OutputSchema is { } schema ? SchemaTypes.Read(schema) : DataType.String;

    /// <summary>What makes it a planner; null for an agent that answers itself.</summary>
    internal JsonObject? Plan { get; init; }

    internal double? Temperature { get; init; }

    internal int? MaxOutputTokens { get; init; }

    internal int? ContextMessages { get; init; }

    /// <summary>By the names of <c>LlmLimits</c>.</summary>
    internal JsonObject Limits { get; init; } = [];

    /// <summary>What was read for it, with its own text.</summary>
    internal WorkflowTexts Texts { get; init; } = new();

    /// <summary>
    /// The agent as data for <c>Millstream.Llm</c>: the JSON of an <c>LlmAgentSpec</c>. The agents that it may call stand in it under their tool's <c>with.spec</c>, workflows as
    /// the JSON of a <see cref="FileWorkflowInput"/> without inputs under <c>with.workflow</c>.
    /// </summary>
    public JsonElement ToSpec() => JsonSerializer.SerializeToElement(Spec([.. Texts.All.Keys.Order(StringComparer.Ordinal)]), AgentContract.DefaultOptions);

    /// <param name="own">The files that the agent is made of; none of its tools changes them.</param>
    internal JsonObject Spec(IReadOnlyList<string> own)
    {
        JsonObject spec = new() { ["name"] = Name };
        Put(spec, "description", Description);
        Put(spec, "instructions", Instructions);
        Put(spec, "model", Model);
        spec["tools"] = new JsonArray([.. Tools.Select(t => (JsonNode)t.Spec(own))]);
        spec["limits"] = Limits.DeepClone();
        Put(spec, "output", OutputSchema is { } schema ? Json.Node(schema) : null);
        Put(spec, "plan", Plan?.DeepClone());
        Put(spec, "temperature", Temperature);
        Put(spec, "maxOutputTokens", MaxOutputTokens);
        Put(spec, "contextMessages", ContextMessages);
        return spec;
    }

    internal static void Put(JsonObject to, string name, JsonNode? value)
    {
        if (value is not null)
            to[name] = value;
    }
}

/// <summary>One tool of an agent file.</summary>
public sealed record AgentToolDefinition
{
    internal AgentToolDefinition(string use, string name) => (Use, Name) = (use, name);

    /// <summary>The kind, such as <c>http.get</c>.</summary>
    public string Use { get; }

    /// <summary>The name that the model calls it by; of <c>mcp</c> that of the server.</summary>
    public string Name { get; }

    /// <summary>What the model reads about it; null for the kind's own text.</summary>
    public string? Description { get; internal init; }

    /// <summary>Whether a person must allow each call; null for the kind's own rule.</summary>
    public bool? NeedsApproval { get; internal init; }

    /// <summary>How many characters of its output the model gets; null for the default.</summary>
    public int? OutputLimit { get; internal init; }

    /// <summary>The agent that a tool of kind <c>agent</c> calls; else null.</summary>
    public AgentDefinition? Agent { get; internal init; }

    /// <summary>The workflow that a tool of kind <c>workflow</c> runs; else null.</summary>
    public WorkflowDefinition? Workflow { get; internal init; }

    /// <summary>What stands under <c>with</c>, checked.</summary>
    internal JsonElement? With { get; init; }

    internal JsonObject Spec(IReadOnlyList<string> own)
    {
        JsonObject spec = new() { ["use"] = Use, ["name"] = Name };
        AgentDefinition.Put(spec, "description", Description ?? Agent?.Description ?? Workflow?.Description);
        AgentDefinition.Put(spec, "approval", NeedsApproval switch { true => "always", false => "never", null => null });
        AgentDefinition.Put(spec, "outputLimit", OutputLimit);
        JsonObject with = With is { } given ? (JsonObject)Json.Node(given)! : [];
        if (Agent is not null)
            with["spec"] = Agent.Spec(own);
        if (Workflow is not null)
            with["workflow"] = JsonSerializer.SerializeToNode(FileWorkflowInput.Of(Workflow, Json.Null), AgentContract.DefaultOptions);
        if (Use == "file.write" && own.Count > 0)
            with["protected"] = new JsonArray([.. own.Select(p => (JsonNode)p)]);
        if (Use == "mcp")
            with = Server(with);
        if (with.Count > 0)
            spec["with"] = with;
        return spec;
    }

    // A server is a record of Millstream.Llm, and has its names.
    private static JsonObject Server(JsonObject with) => new(with.Select(e => KeyValuePair.Create(e.Key switch
    {
        "env" => "environment",
        "secret_headers" => "secretHeaders",
        "connect_timeout" => "connectTimeout",
        "call_timeout" => "callTimeout",
        _ => e.Key,
    }, e.Key.EndsWith("_timeout", StringComparison.Ordinal) && Units.TryDuration(e.Value!.GetValue<string>(), out TimeSpan time) ? JsonSerializer.SerializeToNode(time) : e.Value?.DeepClone())));
}
