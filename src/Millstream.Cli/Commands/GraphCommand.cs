using System.CommandLine;
using Millstream.Cli.Graphs;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream graph FILE</c>: draws a workflow's tasks and what each waits for.</summary>
internal static class GraphCommand
{
    private static readonly Dictionary<string, Func<WorkflowGraph, string>> Formats = new()
    {
        ["mermaid"] = MermaidText.Of,
        ["dot"] = DotText.Of,
        ["svg"] = SvgText.Of,
    };

    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "A workflow file, YAML or JSON", Validators = { UsageErrors.NotEmpty } };
        Option<string> format = new("--format") { Description = "mermaid, dot or svg", DefaultValueFactory = _ => "mermaid", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong([.. Formats.Keys]);
        Option<string?> output = new("--output") { Description = "Write to this file instead of stdout", HelpName = "FILE" };
        var command = new Command("graph", "Draw a workflow's tasks and what each waits for") { file, format, output };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetRequiredValue(format), parsed.GetValue(output)));
        return command;
    }

    private static int Run(string file, string format, string? output)
    {
        if (FileKind.OfFile(file) is var kind && kind is "agent" or "models")
            throw new CommandException($"'{file}' is {(kind == "agent" ? "an agent" : "a models")} file, which has no tasks to draw; give a workflow file", ExitCode.Usage);
        string text = Formats[format](WorkflowGraph.Of(WorkflowFile.Read(file)));
        if (output is null)
            Console.Out.Write(text);
        else
            Write(output, text);
        return ExitCode.Completed;
    }

    private static void Write(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"'{path}' of --output cannot be written: {e.Message}");
        }
    }
}
