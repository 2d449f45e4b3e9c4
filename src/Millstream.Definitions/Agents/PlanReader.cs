using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>Reads what makes an agent a planner: which kinds of tasks its workflows may have, which files they may name, whether somebody must allow them.</summary>
internal sealed class PlanReader(ReadContext context)
{
    private static readonly string[] Approvals = ["never", "always"];

    private readonly NodeReader _nodes = context.Nodes;

    public JsonObject? Read(YamlMap agent)
    {
        if (agent.Find("plan") is not { } entry || _nodes.Map(entry.Value, "'plan'", Keys.Plan) is not { } map)
            return null;
        if (agent.Find("output") is { } output)
            context.Faults.Add(output.KeyMark, "'output' and 'plan' exclude each other: what a planner gives is the output of its workflow");
        if (map.Find("kinds") is null)
            context.Faults.Add(map.Mark, "'plan' needs 'kinds', the kinds of tasks that its workflows may have");
        List<string> kinds = [];
        foreach (YamlScalar kind in Items(map, "kinds"))
        {
            if (!KindShape.BuiltIn.ContainsKey(kind.Text))
                context.Faults.Add(kind.Mark, $"plan.kinds: there is no task kind '{kind.Text}'{Names.Suggest(kind.Text, KindShape.BuiltIn.Keys)}");
            kinds.Add(kind.Text);
        }
        JsonObject plan = new() { ["kinds"] = new JsonArray([.. kinds.Select(k => (JsonNode)k)]), ["files"] = Files(map) };
        if (_nodes.Choice(map, "approval", "plan.approval", Approvals) is { } approval)
            plan["approval"] = approval;
        return plan;
    }

    /// <summary>The texts of the files, and of those that they name, as they stand to the agent's own file.</summary>
    private JsonObject Files(YamlMap map)
    {
        WorkflowTexts texts = new(context.Texts);
        foreach (YamlScalar file in Items(map, "files"))
        {
            FilePlace place = context.Place with { Texts = texts };
            bool isAgent = FileKind.OfFile(place.Beside(file.Text)) == FileKind.Agent.Name;
            _ = isAgent
                ? (object?)place.Read(context.Faults, file.Text, file.Mark, "plan.files", FileKind.Agent, AgentFile.Parse, "")
                : place.Read(context.Faults, file.Text, file.Mark, "plan.files", FileKind.Workflow, WorkflowFile.Parse, "");
        }
        string folder = Path.GetDirectoryName(texts.FullPath(context.Path.Length == 0 ? "." : context.Path)) ?? "/";
        JsonObject files = [];
        foreach ((string path, string text) in texts.All.OrderBy(t => t.Key, StringComparer.Ordinal))
            files[Path.GetRelativePath(folder, path)] = text;
        return files;
    }

    private IEnumerable<YamlScalar> Items(YamlMap map, string key)
    {
        if (map.Find(key) is not { } entry)
            yield break;
        if (entry.Value is not YamlList list)
        {
            context.Faults.Add(entry.Value.Mark, $"plan.{key} must be a list, this is {entry.Value.Describe()}");
            yield break;
        }
        foreach (YamlNode node in list.Items)
        {
            if (node is YamlScalar { IsNull: false } scalar)
                yield return scalar;
            else
                context.Faults.Add(node.Mark, $"plan.{key} holds texts, this is {node.Describe()}");
        }
    }
}
