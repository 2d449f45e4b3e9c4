using System.CommandLine;
using Millstream.Cli.Jobs;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream prune</c>: removes ended jobs for good.</summary>
internal static class PruneCommand
{
    private static readonly string[] Statuses = ["completed", "failed", "cancelled"];

    public static Command Create()
    {
        Option<string> olderThan = new("--older-than") { Description = "Only jobs that ended before then: 30d, 12h, or a time", HelpName = "TIME", Required = true };
        Option<string?> status = new("--status") { Description = string.Join(", ", Statuses), HelpName = "STATUS" };
        status.AcceptOnlyFromAmong(Statuses);
        Option<bool> json = new("--json") { Description = "Each removed job as one JSON object a line" };
        var command = new Command("prune", "Remove ended jobs from a journal, with their streams") { olderThan, status, JournalPlace.Option, json };
        command.SetAction((parsed, _) => RunAsync(Ages.Before(parsed.GetRequiredValue(olderThan), "--older-than"), parsed.GetValue(status), parsed.GetValue(JournalPlace.Option), parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(DateTimeOffset before, string? status, string? place, bool json)
    {
        await using IJournalStorage journal = JournalPlace.OpenKnown(place);
        List<JobHead> wanted = [];
        List<JobId> children = [];
        HashSet<string> others = new(StringComparer.Ordinal);
        await foreach (JobHead head in journal.ListAsync(new JobHeadFilter { Children = true }))
        {
            if (head.Id.IsChild)
                children.Add(head.Id);
            else if (head.Ended < before && (status is null || string.Equals(head.Status.ToString(), status, StringComparison.OrdinalIgnoreCase)))
                wanted.Add(head);
            else
                others.Add(head.Id.Value);
        }

        // The parent first: a stream that names its children must not outlive them. What an earlier, interrupted call left of children goes, too.
        int removed = 0;
        foreach (JobHead head in wanted)
        {
            if (!await journal.RemoveAsync(head.Id))
                continue;
            removed++;
            if (json)
                JsonLine.Write(Console.Out, new StoredJobLine(head, null, false).WriteTo);
        }

        foreach (JobId child in children.Where(c => !others.Contains(c.Value.Split('/')[0])))
            await journal.RemoveAsync(child);
        if (!json)
            Console.Out.WriteLine($"removed {removed} job{(removed == 1 ? "" : "s")}");
        return ExitCode.Completed;
    }
}
