using Millstream.Definitions;

namespace Millstream.Cli;

/// <summary>Something that a person can put right, told as it is, without a stack trace.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>How errors are told: what, where and what to do. Where in the program they arose is for <c>--verbose</c>.</summary>
internal static class Failures
{
    public static int Print(Exception e, bool verbose, TextWriter error)
    {
        int code = e is WorkflowFileException ? ExitCode.Usage : (e as CommandException)?.ExitCode ?? ExitCode.Failed;
        switch (e)
        {
            case WorkflowFileException { Faults: var faults }:
                PrintFaults(faults, error);
                break;
            case CommandException or MillstreamException or IOException or UnauthorizedAccessException:
                error.WriteLine(Running.OutputText.CleanLines($"millstream: {e.Message}"));
                break;
            default:
                error.WriteLine($"millstream: {e.GetType().Name}: {e.Message}");
                if (!verbose)
                    error.WriteLine("This is a fault of millstream, not yours. Run it again with --verbose to see where it arose.");
                break;
        }

        if (verbose)
            error.WriteLine(e);
        return code;
    }

    public static void PrintFaults(IEnumerable<WorkflowFault> faults, TextWriter error)
    {
        foreach (WorkflowFault fault in faults)
            error.WriteLine(Running.OutputText.CleanLines(fault.Line > 0 ? fault.ToString() : $"millstream: {fault}"));
    }
}
