using System.CommandLine;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Models;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream resume [ID]</c>: goes on with jobs whose process is gone.</summary>
internal static class ResumeCommand
{
    private static readonly Argument<string?> Id = new("ID") { Description = "Only this job; all of them when left out", Arity = ArgumentArity.ZeroOrOne, Validators = { UsageErrors.NotEmpty } };
    private static readonly Option<bool> Json = new("--json") { Description = "What run --json prints; of several jobs the lines as they come" };

    public static Command Create()
    {
        var command = new Command("resume", "Go on with jobs whose process is gone, and show them until they end") { Id, WatchCommand.From, ModelSet.File, ModelSet.Record, ModelSet.Replay, JournalPlace.Option, Json, OtlpExport.Option };
        command.SetAction(async (parsed, _) =>
        {
            await using OtlpExport? export = OtlpExport.Start(parsed);
            await using IJournalStorage journal = JournalPlace.OpenKnown(parsed.GetValue(JournalPlace.Option));
            List<StoredJobLine> lines = parsed.GetValue(Id) is { } id ? [await OrphanAsync(journal, id)] : await OrphansAsync(journal);
            if (lines.Count > 0)
                return await ResumeAsync(parsed, journal, lines, parsed.GetValue(WatchCommand.From), parsed.GetValue(Json), parsed.GetValue(MillstreamCommand.Verbose));
            Console.Error.WriteLine($"millstream: there is nothing to resume in {journal.Location}");
            return ExitCode.Completed;
        });
        return command;
    }

    public static string NobodyRuns(StoredJobLine line, IJournalStorage journal) =>
        $"millstream: nobody runs job {line.Head.Id}{(line.Head is { Status: JobStatus.Suspended, Detail: { } why } ? $" ({why})" : "")}; "
        + (!line.IsOurs ? $"the program with agent {line.Head.AgentId} can resume it" : $"'millstream resume {line.Head.Id}{JournalPlace.Argument(journal)}' goes on with it");

    /// <summary>Takes up jobs and shows them until they end.</summary>
    public static async Task<int> ResumeAsync(ParseResult parsed, IJournalStorage journal, IReadOnlyList<StoredJobLine> lines, long from, bool json, bool verbose)
    {
        List<(StoredJobLine Line, WorkflowDefinition? Workflow)> read = [.. lines.Select(l => (l, l.Input?.Definition()))];
        using ModelSet models = read.Any(r => r.Workflow is not { } workflow || LocalHost.AsksModels(workflow)) ? await ModelSet.OpenAsync(parsed) : ModelSet.None;
        await using AgentOrchestrator orchestrator = LocalHost.Start(journal, models, [.. read.Select(r => r.Workflow).OfType<WorkflowDefinition>()]);
        await orchestrator.StartAsync();
        List<ShownJob> shown = [];
        bool failed = false;
        foreach ((StoredJobLine line, WorkflowDefinition? workflow) in read)
        {
            try
            {
                if (await orchestrator.ResumeAsync(line.Head.Id) is [var job, ..])
                    shown.Add(new ShownJob(job, workflow, from) { Agent = line.Agent });
                else if (lines.Count == 1)
                    return await WatchCommand.WatchAsync(journal, line with { IsOrphaned = false }, from, json, verbose);
            }
            catch (JournalDamagedException e) when (lines.Count > 1)
            {
                // The others are not to wait for it.
                Console.Error.WriteLine(OutputText.CleanLines($"millstream: {e.Message}"));
                failed = true;
            }
        }

        if (shown.Count == 0)
            return failed ? ExitCode.Failed : ExitCode.Completed;
        int code = await new JobShow(orchestrator, journal, shown.Count == 1 && lines.Count == 1 ? ShowMode.Runs : ShowMode.RunsSeveral, json, verbose).UntilEndAsync([.. shown]);
        return failed ? ExitCode.Failed : code;
    }

    private static async Task<StoredJobLine> OrphanAsync(IJournalStorage journal, string id)
    {
        StoredJobs jobs = new(journal);
        StoredJobLine line = await jobs.LineAsync(await jobs.FindAsync(id));
        string argument = JournalPlace.Argument(journal);
        if (line.Head.Ended is not null)
            throw new CommandException($"job {id} has ended ({line.Status}); 'millstream watch {id}{argument}' shows it");
        if (line is { Input: null, Agent: null })
            throw new CommandException($"job {id} belongs to agent {line.Head.AgentId} {line.Head.AgentVersion}, for which this command has no code; the program that has it can resume it");
        if (line.Head.Id.IsChild)
            throw new CommandException($"job {id} is a child; resume its parent {id.Split('/')[0]}");
        return line.IsOrphaned ? line : throw new CommandException($"job {id} is run by another process; 'millstream watch {id}{argument}' shows it");
    }

    private static async Task<List<StoredJobLine>> OrphansAsync(IJournalStorage journal)
    {
        List<StoredJobLine> lines = [];
        StoredJobs jobs = new(journal);
        await foreach (StoredJobLine line in jobs.ListAsync(status: StoredJobs.Orphaned))
        {
            // Jobs of other agents are for the programs that have their code.
            if (line.IsOurs && await jobs.WithInputAsync(line) is { } read && (read.Input is not null || read.Agent is not null))
                lines.Add(read);
        }

        return lines;
    }
}
