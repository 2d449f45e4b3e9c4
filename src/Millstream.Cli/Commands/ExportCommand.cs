using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream export ID</c>: a job and its children as lines of JSON, to be kept or looked at elsewhere.</summary>
internal static class ExportCommand
{
    private const int Version = 1;

    public static Command Create()
    {
        Argument<string> id = new("ID") { Description = "The job's id", Validators = { UsageErrors.NotEmpty } };
        Option<string?> output = new("--output", "-o") { Description = "The file to write; stdout unless said otherwise", HelpName = "FILE" };
        Option<bool> records = new("--records") { Description = "Also write what the store holds, byte for byte, so that tests can replay the job" };
        var command = new Command("export", "Write a job with its children as lines of JSON") { id, output, records, JournalPlace.Option };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(id), parsed.GetValue(output), parsed.GetValue(records), parsed.GetValue(JournalPlace.Option)));
        return command;
    }

    private static async Task<int> RunAsync(string id, string? path, bool withRecords, string? place)
    {
        await using IJournalStorage journal = JournalPlace.OpenKnown(place);
        JobHead head = await new StoredJobs(journal).FindAsync(id);
        try
        {
            await using Stream output = path is null ? Console.OpenStandardOutput() : File.Create(path);
            await WriteAsync(journal, head, output, withRecords);
            await output.FlushAsync();
        }
        catch (Exception e) when (path is not null && e is (IOException and not JournalStorageException) or UnauthorizedAccessException)
        {
            throw new CommandException($"'{path}' (--output) cannot be written: {e.Message}");
        }

        return ExitCode.Completed;
    }

    private static async Task WriteAsync(IJournalStorage journal, JobHead head, Stream output, bool withRecords)
    {
        using (StreamWriter writer = new(output, leaveOpen: true) { NewLine = "\n" })
            JsonLine.Write(writer, json => WriteHead(json, head));
        List<JobId> children = [];
        await new JsonView(output).ShowAsync(Events());
        if (withRecords)
        {
            await using StreamWriter writer = new(output, leaveOpen: true) { NewLine = "\n" };
            await foreach (string line in StoredEvents.RecordLinesAsync(journal, head))
                await writer.WriteLineAsync(line);
        }
        foreach (JobId child in children)
        {
            // It may not have begun, or been made for the other job where this one is a fork.
            if (await journal.FindAsync(child) is { } found)
                await WriteAsync(journal, found, output, withRecords);
        }

        async IAsyncEnumerable<JobEvent> Events()
        {
            await foreach (JobEvent e in StoredEvents.ReadAsync(journal, head))
            {
                if (e.Kind == JobEventKinds.ChildStarted && e.Job == head.Id)
                    children.Add(e.Child!.Value);
                yield return e;
            }
        }
    }

    private static void WriteHead(Utf8JsonWriter json, JobHead head)
    {
        json.WriteString("millstream", "export");
        json.WriteNumber("version", Version);
        json.WriteString("job", head.Id.Value);
        json.WriteString("agent", head.AgentId);
        json.WriteString("agentVersion", head.AgentVersion);
        json.WriteString("name", head.Name);
        json.WriteString("status", head.Status.ToString().ToLowerInvariant());
        json.WriteString("detail", head.Detail);
        json.WriteString("tenant", head.Tenant);
        json.WriteNumber("priority", head.Priority);
        json.WriteNumber("weight", head.Weight);
        json.WriteString("created", StoredJobs.Text(head.Created));
        json.WriteString("deadline", head.Deadline is { } deadline ? StoredJobs.Text(deadline) : null);
        json.WriteString("ended", head.Ended is { } ended ? StoredJobs.Text(ended) : null);
        json.WriteNumber("checkpoint", head.Checkpoint);
        json.WriteNumber("restarts", head.Restarts);
    }
}
