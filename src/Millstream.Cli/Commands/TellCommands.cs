using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream signal</c>, <c>answer</c> and <c>cancel</c>: what is told to a job, whoever runs it. Durable before the command ends.</summary>
internal static class TellCommands
{
    private static readonly Argument<string> Id = new("ID") { Description = "The job's id", Validators = { UsageErrors.NotEmpty } };
    private static readonly Option<bool> Json = new("--json") { Description = "What became of it as one JSON object" };
    private static readonly Option<string?> Sender = new("--signal-id") { Description = "Your id of the signal: a second one with the same id is dropped", HelpName = "TEXT" };

    public static Command Signal()
    {
        Argument<string> signal = new("JSON") { Description = """The signal, as '{"type":"pause"}'""", Validators = { UsageErrors.NotEmpty } };
        var command = new Command("signal", "Send a job a signal") { Id, signal, Sender, JournalPlace.Option, Json };
        command.SetAction((parsed, _) => TellAsync(parsed, async (_, job, _) =>
        {
            JsonElement value = Read(parsed.GetRequiredValue(signal), "signal");
            try
            {
                return await job.SignalAsync(value, parsed.GetValue(Sender));
            }
            catch (ArgumentException e)
            {
                string hint = job.AgentId == FileWorkflowAgent.AgentId
                    ? """; a workflow takes {"type":"pause"}, {"type":"resume"}, and retry, skip and cancel with a task, as {"type":"skip","task":"a"}""" : "";
                throw new CommandException(StoredJobs.Plain(e).ReplaceLineEndings(" ") + hint, ExitCode.Usage);
            }
        }));
        return command;
    }

    public static Command Answer()
    {
        Argument<string> question = new("QUESTION") { Description = "The question's id, as q1", Validators = { UsageErrors.NotEmpty } };
        Argument<string> reply = new("JSON") { Description = "The reply", Validators = { UsageErrors.NotEmpty } };
        var command = new Command("answer", "Answer a question of a job") { Id, question, reply, JournalPlace.Option, Json };
        command.SetAction((parsed, _) => TellAsync(parsed, async (journal, job, head) =>
        {
            JsonElement value = Read(parsed.GetRequiredValue(reply), "reply");
            string asked = parsed.GetRequiredValue(question);
            StoredJobState state = await StoredJobState.ReadAsync(journal, head);
            if (head.Ended is null && !state.Questions.Any(q => q.Question == asked))
                throw new CommandException($"job {head.Id} has no open question '{asked}'{Names.Suggest(asked, state.Questions.Select(q => q.Question!))}");
            return await job.AnswerAsync(asked, value);
        }));
        return command;
    }

    public static Command Cancel()
    {
        Option<string?> reason = new("--reason") { Description = "Why; the job's last entry says it", HelpName = "TEXT" };
        var command = new Command("cancel", "Cancel a job") { Id, reason, JournalPlace.Option, Json };
        command.SetAction((parsed, _) => TellAsync(parsed, (_, job, _) => job.CancelAsync(parsed.GetValue(reason))));
        return command;
    }

    private static async Task<int> TellAsync(ParseResult parsed, Func<IJournalStorage, Job, JobHead, Task<SignalResult>> tell)
    {
        await using IJournalStorage journal = JournalPlace.OpenKnown(parsed.GetValue(JournalPlace.Option));
        StoredJobs jobs = new(journal);
        JobHead head = await jobs.FindAsync(parsed.GetRequiredValue(Id));
        await using AgentOrchestrator orchestrator = LocalHost.Observe(journal);
        Job job = await orchestrator.GetJobAsync(head.Id) ?? throw new CommandException($"job {head.Id} was removed from {journal.Location}");
        SignalResult result = await tell(journal, job, head);
        string word = JsonNamingPolicy.CamelCase.ConvertName(result.ToString());
        if (parsed.GetValue(Json))
        {
            JsonLine.Write(Console.Out, writer =>
            {
                writer.WriteString("job", head.Id.Value);
                writer.WriteString("result", word);
            });
        }

        if (result is SignalResult.JobEnded or SignalResult.UnknownQuestion)
            throw new CommandException($"job {head.Id} has ended{(head.Ended is null ? "" : $" ({head.Status.ToString().ToLowerInvariant()})")}; nothing was sent");
        if (!parsed.GetValue(Json))
            Console.Out.WriteLine(result == SignalResult.Duplicate ? "duplicate: it was sent before" : word);
        StoredJobLine line = await jobs.LineAsync(head);
        if (line.IsOrphaned)
            Console.Error.WriteLine(OutputText.Clean($"{ResumeCommand.NobodyRuns(line, journal)} and delivers it"));
        return ExitCode.Completed;
    }

    private static JsonElement Read(string text, string what)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new CommandException($"the {what} '{OutputText.Shortened(text, 60)}' is not JSON: {e.Message.Split(" LineNumber: ")[0]} A text needs its quotes: '\"yes\"'.", ExitCode.Usage);
        }
    }
}
