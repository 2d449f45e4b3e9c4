using System.CommandLine;
using System.CommandLine.Help;
using Millstream.Cli.Commands;

namespace Millstream.Cli;

/// <summary>The command as a whole: its subcommands, and how an invocation ends.</summary>
internal static class MillstreamCommand
{
    internal static readonly Option<bool> Verbose = new("--verbose") { Description = "Show where in the program an error arose", Recursive = true };

    public static RootCommand Create()
    {
        var root = new RootCommand("Runs workflows of agents and tasks over scarce resources.")
        {
            RunCommand.Create(),
            JobsCommand.Create(),
            WatchCommand.Create(),
            ResumeCommand.Create(),
            TellCommands.Signal(),
            TellCommands.Answer(),
            TellCommands.Cancel(),
            ForkCommand.Create(),
            ExportCommand.Create(),
            PruneCommand.Create(),
            DoctorCommand.Create(),
            ValidateCommand.Create(),
            GraphCommand.Create(),
            CompletionCommand.Create(),
            Verbose,
        };
        // The parser's own help also answers to /h and /?, which are paths here.
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", "-h", "-?"));
        return root;
    }

    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = Create();
        // No response files: an argument that begins with @ is an argument. No signal handling: `run` has its own.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (args.Length == 0)
        {
            await root.Parse(["--help"]).InvokeAsync(new InvocationConfiguration { Output = Console.Error });
            return ExitCode.Usage;
        }

        if (UsageErrors.Any(parsed))
            return UsageErrors.Print(parsed, Console.Error);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e)
        {
            return Failures.Print(e, parsed.GetValue(Verbose), Console.Error);
        }
    }
}
