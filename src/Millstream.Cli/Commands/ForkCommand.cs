using System.CommandLine;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream fork ID --at N</c>: makes a new job of what another one has done up to an entry.</summary>
internal static class ForkCommand
{
    public static Command Create()
    {
        Argument<string> id = new("ID") { Description = "The job's id", Validators = { UsageErrors.NotEmpty } };
        Option<long> at = new("--at") { Description = "The last entry that is kept: one that ends a turn", HelpName = "N", Required = true };
        Option<string?> own = new("--job-id") { Description = "The new job's id", HelpName = "NEW" };
        Option<bool> json = new("--json") { Description = "One JSON object" };
        var command = new Command("fork", "Make a new job of the first entries of another one; 'resume' goes on with it") { id, at, own, JournalPlace.Option, json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(id), parsed.GetValue(at), parsed.GetValue(own), parsed.GetValue(JournalPlace.Option), parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(string id, long at, string? own, string? place, bool json)
    {
        JobId? given = own is null ? null : RunCommand.TopId(own);
        await using IJournalStorage journal = JournalPlace.OpenKnown(place);
        StoredJobs jobs = new(journal);
        JobHead fork;
        try
        {
            fork = await StoredForks.CreateAsync(journal, await jobs.FindAsync(id), at, given);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new CommandException($"--at is {at}; numbers of a stream begin at 1", ExitCode.Usage);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(StoredJobs.Plain(e));
        }
        catch (InvalidOperationException e)
        {
            throw new CommandException(e.Message);
        }

        if (json)
        {
            JsonLine.Write(Console.Out, writer =>
            {
                writer.WriteString("job", fork.Id.Value);
                writer.WriteString("from", id);
                writer.WriteNumber("at", at);
            });
        }
        else
        {
            Console.Out.WriteLine(fork.Id.Value);
        }

        StoredJobLine line = await jobs.LineAsync(fork);
        if (line.IsOrphaned)
            Console.Error.WriteLine(OutputText.Clean(ResumeCommand.NobodyRuns(line, journal)));
        return ExitCode.Completed;
    }
}
