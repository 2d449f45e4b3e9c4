using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>An LLM agent as data, as an agent file says it. It travels with its job, so the job goes on as it began when the file is edited or gone.</summary>
public sealed record LlmAgentSpec
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in a sentence; what another agent reads that may call it.</summary>
    public string? Description { get; init; }

    /// <summary>The system message.</summary>
    public string? Instructions { get; init; }

    /// <summary>The model's name, or a label of an endpoint; null for any endpoint.</summary>
    public string? Model { get; init; }

    /// <summary>What it may call.</summary>
    public IReadOnlyList<LlmToolSpec> Tools { get; init; } = [];

    /// <summary>What it may use; limits that are null are those of <see cref="LlmLimits.Default"/>.</summary>
    public LlmLimits Limits { get; init; } = new();

    /// <summary>The JSON schema of its answer; null for text.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>What makes it a planner, which answers with a workflow that is then run; null for an agent that answers itself.</summary>
    public LlmPlanSpec? Plan { get; init; }

    /// <summary>The model's temperature; null for its default.</summary>
    public float? Temperature { get; init; }

    /// <summary>The most tokens that one call of the model may give; null for its default.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>How many messages of the conversation the model sees at most; null for all.</summary>
    public int? ContextMessages { get; init; }
}

/// <summary>What plans of an agent may use, as data.</summary>
public sealed record LlmPlanSpec
{
    /// <summary>The kinds of tasks.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>The texts of the agent and workflow files that plans may name, by the path that they name them by.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a person must allow each plan.</summary>
    public ToolApproval Approval { get; init; }
}

/// <summary>A tool of an agent as data.</summary>
public sealed record LlmToolSpec
{
    /// <summary>The kind of tool, as <c>http.get</c>, <c>mcp</c>, <c>agent</c> or <c>workflow</c>.</summary>
    public required string Use { get; init; }

    /// <summary>The name that the model calls it by; null for one made of the kind.</summary>
    public string? Name { get; init; }

    /// <summary>What the model reads about it; null for the kind's own text.</summary>
    public string? Description { get; init; }

    /// <summary>Whether a person must allow each call; null for the kind's own rule.</summary>
    public ToolApproval? Approval { get; init; }

    /// <summary>How many characters of its output the model gets at most; null for <see cref="LlmTool.DefaultOutputLimit"/>.</summary>
    public int? OutputLimit { get; init; }

    /// <summary>What the kind needs to know.</summary>
    public JsonElement? With { get; init; }
}
