using System.CommandLine;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream watch ID</c>: shows a job, whoever runs it, as <c>run</c> would.</summary>
internal static class WatchCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "The job's id", Validators = { UsageErrors.NotEmpty } };
    private static readonly Option<bool> Json = new("--json") { Description = "What run --json prints" };

    internal static Option<long> From { get; } = new("--from") { Description = "The first number of the stream that is wanted", HelpName = "N", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        From.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && long.TryParse(text, out long number) && number < 1)
                result.AddError($"--from is {number}; numbers of a stream begin at 1");
        });
        var command = new Command("watch", "Show a job, whoever runs it; signals end the watching and never the job") { Id, From, JournalPlace.Option, Json };
        command.SetAction(async (parsed, _) =>
        {
            await using IJournalStorage journal = JournalPlace.OpenKnown(parsed.GetValue(JournalPlace.Option));
            StoredJobs jobs = new(journal);
            StoredJobLine line = await jobs.LineAsync(await jobs.FindAsync(parsed.GetRequiredValue(Id)));
            return await WatchAsync(journal, line, parsed.GetValue(From), parsed.GetValue(Json), parsed.GetValue(MillstreamCommand.Verbose));
        });
        return command;
    }

    public static async Task<int> WatchAsync(IJournalStorage journal, StoredJobLine line, long from, bool json, bool verbose)
    {
        if (line.IsOrphaned)
            Console.Error.WriteLine(OutputText.Clean(ResumeCommand.NobodyRuns(line, journal)));
        await using AgentOrchestrator orchestrator = LocalHost.Observe(journal);
        Job job = await orchestrator.GetJobAsync(line.Head.Id) ?? throw new CommandException($"job {line.Head.Id} was removed from {journal.Location}");
        return await new JobShow(orchestrator, journal, ShowMode.Watches, json, verbose).UntilEndAsync(new ShownJob(job, line.Input?.Definition(), from) { Agent = line.Agent });
    }
}
