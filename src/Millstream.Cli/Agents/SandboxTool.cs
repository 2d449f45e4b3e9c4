using System.Text.Json;
using System.Text.Json.Nodes;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Agents;

/// <summary><c>sandbox.run</c> for a model: it gives the command and files for it; mounts, limits, variables and secrets are those of the agent's file.</summary>
internal static class SandboxTool
{
    // Where the agent's folder stands unless its file says otherwise.
    public const string DefaultMount = "/data";

    private static readonly JsonArray AnyExitCode = [.. Enumerable.Range(0, 256).Select(c => (JsonNode)c)];

    public static ToolKind Kind { get; } = ToolKind.Of("sandbox.run",
        $"Runs one command in a fresh Linux sandbox without network, in the empty folder /work, which is gone afterwards. Unless told otherwise, the work folder can be read at {DefaultMount}. No shell is used: for pipes or several commands write [\"sh\", \"-c\", \"...\"]. Gives exitCode, stdout, stderr and the files asked for.",
        [
            new("command!", DataType.ArrayOf(DataType.String), "The program and its arguments."),
            new("stdin", DataType.String, "What it reads from its standard input."),
            new("files", DataType.MapOf(DataType.String), "Files put into /work before it runs: path, as in main.py, to text."),
            new("collect", DataType.ArrayOf(DataType.String), "Files of /work whose text is given back, by pattern, as in *.csv."),
        ], RunAsync, [ResourceRequirement.Exclusive("sandbox")]);

    private static async Task<JsonElement> RunAsync(JsonElement given, ToolKindUse use, TaskContext context)
    {
        if (!given.Texts("command").Any())
            throw new TerminalTaskException("sandbox.run: command is empty; its first item is the program");
        // Taken one by one, so that nothing else that is given can mean anything.
        JsonObject with = [];
        Take(with, given, "command", "stdin", "files", "collect");
        Take(with, use.With, "env", "secrets", "mounts", "limits");
        with["mounts"] ??= new JsonArray(new JsonObject { ["host"] = ".", ["path"] = DefaultMount, ["access"] = "read" });
        // How a command ends is for the model to judge.
        with["allowed_exit_codes"] = AnyExitCode.DeepClone();
        JsonObject result = (JsonObject)Json.Node(await SandboxRunKind.RunAsync(JsonSerializer.SerializeToElement(with), use.Folder, context))!;
        result.Remove("lines");
        return JsonSerializer.SerializeToElement(result);
    }

    private static void Take(JsonObject with, JsonElement from, params string[] names)
    {
        foreach (string name in names)
        {
            if (from.Find(name) is { } value)
                with[name] = Json.Node(value);
        }
    }
}
