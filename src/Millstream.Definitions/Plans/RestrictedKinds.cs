using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>
/// What kinds of tasks do in a workflow that a model has written. Its author is not trusted, so files are those of its folder only, pages are public ones, and a sandbox has the mounts,
/// limits and secrets that agents' tools have unless their file says otherwise: the code is that of these tools.
/// </summary>
internal static class RestrictedKinds
{
    /// <summary>The kinds, of those of <paramref name="kinds"/> that can be trusted and of tools for the rest.</summary>
    public static Dictionary<string, TaskKind> Of(IEnumerable<TaskKind> kinds, IEnumerable<ToolKind> tools)
    {
        Dictionary<string, TaskKind> restricted = kinds.Where(k => k.Name is "template" or "llm.chat").ToDictionary(k => k.Name, StringComparer.Ordinal);
        foreach (ToolKind tool in tools.Where(t => KindShape.BuiltIn.ContainsKey(t.Name)))
            restricted[tool.Name] = new TaskKind(tool.Name, use => Make(tool, use));
        return restricted;
    }

    private static AgentTask<JsonElement, JsonElement> Make(ToolKind tool, TaskKindUse use)
    {
        AgentTask<JsonElement, JsonElement> task = tool.Make(new ToolKindUse(use.TaskId, Json.Null, use.BaseFolder));
        return AgentTask.Create<JsonElement, JsonElement>(use.TaskId, async (with, context) => Shaped(tool.Name, await task.RunAsync(Given(tool.Name, with), context)), task.Requirements, task.Policy);
    }

    // A host in the text of a file is its author's word, and so allowed; in a plan it is a model's.
    private static JsonElement Given(string kind, JsonElement with)
    {
        if (kind != "http.get" || with.Find("allow_hosts") is null)
            return with;
        var given = (JsonObject)Json.Node(with)!;
        given.Remove("allow_hosts");
        return JsonSerializer.SerializeToElement(given);
    }

    // The output of the kind, of which a tool leaves out what a model has no use for.
    private static JsonElement Shaped(string kind, JsonElement output)
    {
        if (output.ValueKind is not JsonValueKind.Object)
            return output;
        var shaped = (JsonObject)Json.Node(output)!;
        switch (kind)
        {
            case "file.read":
                shaped["lines"] = Lines(output.Text("text"));
                break;
            case "sandbox.run":
                shaped["lines"] = Lines(output.Text("stdout"));
                break;
            case "http.get":
                shaped["headers"] = output.Text("type") is { } type ? new JsonObject { ["content-type"] = type } : [];
                shaped["json"] = output.Text("type")?.Contains("json", StringComparison.OrdinalIgnoreCase) == true ? Parsed(output.Text("text")) : null;
                break;
        }
        return JsonSerializer.SerializeToElement(shaped);
    }

    private static JsonArray Lines(string? text) => [.. FileKinds.Lines(text ?? "").Select(l => (JsonNode)l)];

    private static JsonNode? Parsed(string? text)
    {
        try
        {
            return JsonNode.Parse(text ?? "");
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
