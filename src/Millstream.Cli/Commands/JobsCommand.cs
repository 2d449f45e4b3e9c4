using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Agents;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream jobs</c>: lists the jobs of a journal; <c>jobs show ID</c> says all of one.</summary>
internal static class JobsCommand
{
    private static readonly Option<string?> Status = new("--status") { Description = "Only jobs in this status", HelpName = "STATUS" };
    private static readonly Option<string?> Agent = new("--agent") { Description = "Only jobs of this agent or workflow", HelpName = "NAME" };
    private static readonly Option<string?> Since = new("--since") { Description = "Only jobs created since then: 12h, 30d, or a time", HelpName = "TIME" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        Status.AcceptOnlyFromAmong(StoredJobs.Statuses);
        var command = new Command("jobs", "List the jobs of a journal") { Status, Agent, Since, JournalPlace.Option, Json };
        command.SetAction((parsed, _) => ListAsync(parsed));
        Argument<string> id = new("ID") { Description = "The job's id", Validators = { UsageErrors.NotEmpty } };
        Option<bool> json = new("--json") { Description = "One JSON object" };
        var show = new Command("show", "Say where one job stands: what it does, waits for and asks") { id, JournalPlace.Option, json };
        show.SetAction((parsed, _) => ShowAsync(parsed.GetValue(JournalPlace.Option), parsed.GetRequiredValue(id), parsed.GetValue(json)));
        command.Add(show);
        return command;
    }

    private static async Task<int> ListAsync(ParseResult parsed)
    {
        DateTimeOffset? since = parsed.GetValue(Since) is { } text ? Ages.Before(text, "--since") : null;
        await using IJournalStorage journal = JournalPlace.OpenKnown(parsed.GetValue(JournalPlace.Option));
        IAsyncEnumerable<StoredJobLine> lines = new StoredJobs(journal).ListAsync(since, parsed.GetValue(Agent), parsed.GetValue(Status));
        if (parsed.GetValue(Json))
        {
            await foreach (StoredJobLine line in lines)
                JsonLine.Write(Console.Out, line.WriteTo);
            return ExitCode.Completed;
        }

        List<string[]> rows = [["JOB", "STATUS", "WORKFLOW", "CREATED", "TOOK", ""]];
        await foreach (StoredJobLine line in lines)
            rows.Add([line.Head.Id.Value, line.Status, line.Title, $"{line.Head.Created.ToLocalTime():yyyy-MM-dd HH:mm:ss}", Took(line.Head), line.Head.Ended is null ? line.Head.Detail ?? "" : ""]);
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            Console.Out.WriteLine(OutputText.Clean(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd()));
        return ExitCode.Completed;
    }

    private static async Task<int> ShowAsync(string? place, string id, bool json)
    {
        await using IJournalStorage journal = JournalPlace.OpenKnown(place);
        StoredJobs jobs = new(journal);
        StoredJobLine line = await jobs.LineAsync(await jobs.FindAsync(id));
        StoredJobState state = await StoredJobState.ReadAsync(journal, line.Head);
        if (json)
            WriteJson(line, state);
        else
            Print(line, state, journal);
        return ExitCode.Completed;
    }

    private static void WriteJson(StoredJobLine line, StoredJobState state) => JsonLine.Write(Console.Out, writer =>
    {
        line.WriteTo(writer);
        writer.WriteNumber("entries", state.Last);
        writer.WriteStartArray("tasks");
        foreach (JobEvent task in line.Head.Ended is null ? state.Tasks : [])
        {
            writer.WriteStartObject();
            writer.WriteString("job", task.Job.Value);
            writer.WriteString("task", task.Task);
            writer.WriteString("last", task.Kind);
            writer.WriteString("since", StoredJobs.Text(task.Time));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("questions");
        foreach (JobEvent question in line.Head.Ended is null ? state.Questions : [])
        {
            writer.WriteStartObject();
            writer.WriteString("question", question.Question);
            writer.WritePropertyName("data");
            (question.Data ?? Doubt(question)).WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("approvals");
        foreach (WaitingCall waiting in line.Head.Ended is null ? state.Approvals : [])
        {
            writer.WriteStartObject();
            writer.WriteString("job", waiting.Job.Value);
            foreach (JsonProperty property in JsonSerializer.SerializeToElement<LlmEvent>(waiting.Asked, Definitions.Json.Options).EnumerateObject())
                property.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private static void Print(StoredJobLine line, StoredJobState state, IJournalStorage journal)
    {
        JobHead head = line.Head;
        Row("job", head.Id.Value);
        Row(line.Input is null ? "agent" : "workflow", line.Title);
        Row("status", line.Status);
        if (line.Input is { File.Length: > 0 } input)
            Row("file", Path.Combine(input.Folder, input.File));
        if (line.Agent is { } agent)
        {
            Row("prompt", OutputText.Shortened(agent.Prompt.ReplaceLineEndings(" "), 200));
            Row("folder", agent.Folder);
        }

        Row("created", $"{head.Created.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}");
        if (head.Ended is { } ended)
            Row("ended", $"{ended.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}, after {Took(head)}");
        Row("entries", $"{state.Last}");
        if (head.Ended is not null)
            return;
        if (head.Detail is { } detail)
            Row(head.Status == JobStatus.Suspended ? "reason" : "waits for", detail);
        foreach (JobEvent task in state.Tasks)
            Row("task", $"{(task.Job == head.Id ? "" : $"{task.Job} ")}{task.Task}: {Standing(task)} {task.Time.ToLocalTime():HH:mm:ss}");
        foreach (JobEvent question in state.Questions)
        {
            Row("question", $"{question.Question}: {(question.Data is { } data ? data.GetRawText() : $"task {question.Task} may have run (attempt {question.Attempt}); {DoubtAnswers}")}");
            Row("", $"millstream answer {head.Id} {question.Question} JSON{JournalPlace.Argument(journal)}");
        }

        foreach (WaitingCall waiting in state.Approvals)
        {
            Row("approval", $"{(waiting.Job == head.Id ? "" : $"{waiting.Job} ")}{waiting.CallId}: {waiting.ToolName}");
            foreach (string text in AgentEvents.Asked(waiting, (job, call) => AgentSignals.ApproveCommand(job, call, journal)).Split('\n'))
                Row("", text);
        }

        if (line.IsOrphaned)
            Console.Out.WriteLine(OutputText.Clean(ResumeCommand.NobodyRuns(line, journal)["millstream: ".Length..]));
    }

    private static string Standing(JobEvent task) => task.Kind switch
    {
        JobEventKinds.TaskWaiting => $"waits for {task.Data}",
        JobEventKinds.TaskInDoubt => $"in doubt (it may have run; question {task.Question})",
        JobEventKinds.TaskDecided => $"decided (question {task.Question})",
        _ => task.Kind["task.".Length..],
    };

    private const string DoubtAnswers = """{"action":"retry"}, {"action":"complete","output":…} or {"action":"fail","reason":…}""";

    private static System.Text.Json.JsonElement Doubt(JobEvent doubt) => System.Text.Json.JsonSerializer.SerializeToElement(new { task = doubt.Task, attempt = doubt.Attempt });

    private static void Row(string name, string text) => Console.Out.WriteLine(OutputText.Clean($"{name,-10} {text}"));

    private static string Took(JobHead head) => OutputText.Elapsed((head.Ended ?? DateTimeOffset.UtcNow) - head.Created);
}
