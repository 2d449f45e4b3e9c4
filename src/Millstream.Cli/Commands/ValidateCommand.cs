using System.CommandLine;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream validate FILE…</c>: tells every fault, or in a line what the file holds: a workflow, an agent, or models.</summary>
internal static class ValidateCommand
{
    private static readonly Argument<string[]> Files = new("FILE") { Description = "Workflow, agent and models files, YAML or JSON", Arity = ArgumentArity.OneOrMore, Validators = { UsageErrors.NotEmpty } };

    public static Command Create()
    {
        var command = new Command("validate", "Check workflow, agent and models files without running anything") { Files };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(Files)));
        return command;
    }

    private static int Run(string[] files)
    {
        int code = ExitCode.Completed;
        foreach (string file in files)
        {
            try
            {
                Console.Out.WriteLine(Say(file));
            }
            catch (WorkflowFileException e)
            {
                Failures.PrintFaults(e.Faults, Console.Error);
                code = ExitCode.Usage;
            }
        }

        return code;
    }

    private static string Say(string file) => FileKind.OfFile(file) switch
    {
        "agent" => Say(AgentFile.ReadWithoutAgents(file), file),
        "models" => $"{file}: {Count(ModelsFile.Read(file).Count, "endpoint")}",
        _ => Say(WorkflowFile.ReadWithoutAgents(file), file),
    };

    private static string Say(AgentDefinition agent, string file)
    {
        string tools = agent.Tools.Count == 0 ? "" : $" ({string.Join(", ", agent.Tools.Select(t => t.NeedsApproval == true ? $"{t.Name}, asks" : t.Name))})";
        return $"{file}: agent {agent.Name}, {(agent.Model is null ? "any model" : $"model {agent.Model}")}, {Count(agent.Tools.Count, "tool")}{tools}";
    }

    private static string Say(WorkflowDefinition workflow, string file)
    {
        string inputs = workflow.Inputs.Count == 0 ? "" : $" ({string.Join(", ", workflow.Inputs.Select(i => i.Default is null ? $"{i.Name}, needed" : i.Name))})";
        return $"{file}: {workflow.Name} version {workflow.Version}, {Count(workflow.Inputs.Count, "input")}{inputs}, {Count(workflow.Tasks.Count, "task")}";
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
