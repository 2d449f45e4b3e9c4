using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>
/// A built-in tool of agents: what a model gives when it calls it, and the task that does it. The task's input is what the model gives; all that decides what the
/// tool may do comes from the agent's file.
/// </summary>
/// <param name="Name">The name, as <c>http.get</c>.</param>
/// <param name="Description">What a model reads about it.</param>
/// <param name="Schema">The JSON schema of what a model gives, an object.</param>
/// <param name="Make">Makes the task for one entry of a file's tools. Pure.</param>
public sealed record ToolKind(string Name, string Description, JsonElement Schema, Func<ToolKindUse, AgentTask<JsonElement, JsonElement>> Make)
{
    /// <summary>A tool of a function. What a model gives is checked before it is called, whoever checked it before.</summary>
    internal static ToolKind Of(string name, string description, IReadOnlyList<ToolParameter> parameters, Func<JsonElement, ToolKindUse, TaskContext, Task<JsonElement>> run, IReadOnlyList<ResourceRequirement>? requirements = null)
    {
        DataType type = DataType.ObjectOf([.. parameters.Select(p => (p.Name, p.Type))]);
        JsonObject schema = (JsonObject)Json.Node(SchemaTypes.Write(type))!;
        foreach (ToolParameter parameter in parameters)
            ((JsonObject)schema["properties"]![parameter.Name.TrimEnd('!')]!)["description"] = parameter.Description;
        return new ToolKind(name, description, JsonSerializer.SerializeToElement(schema), use => AgentTask.Create<JsonElement, JsonElement>(use.Name, async (given, context) =>
        {
            if (JsonTypes.Check(given, type).Select(f => $"{name}: {(f.Path.Length > 0 ? f.Path[1..] + ": " : "")}{f.Message}").FirstOrDefault() is { } fault)
                throw new TerminalTaskException(fault);
            return await KindFailureException.ToldAsync(() => run(given, use, context));
        }, requirements));
    }
}

/// <summary>An entry of an agent file's tools.</summary>
/// <param name="Name">The name that the model calls it by.</param>
/// <param name="With">What the file says under <c>with</c>; JSON null for nothing.</param>
/// <param name="Folder">The absolute folder that the agent works in.</param>
public sealed record ToolKindUse(string Name, JsonElement With, string Folder);

/// <summary>What a model gives by one name; with <c>!</c> behind the name it must.</summary>
internal sealed record ToolParameter(string Name, DataType Type, string Description);
