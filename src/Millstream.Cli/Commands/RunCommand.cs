using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Models;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream run FILE</c>: runs a workflow or an agent on this machine and shows it.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The workflow or agent file, YAML or JSON", Validators = { UsageErrors.NotEmpty } };
    private static readonly Option<string[]> Inputs = new("--input", "-i") { Description = "An input, as name=value; may be given several times", HelpName = "name=value", DefaultValueFactory = _ => [] };
    private static readonly Option<string?> InputFile = new("--input-file") { Description = "A JSON file with inputs by name; --input goes before it", HelpName = "F.json" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line instead of a view for people" };

    private static readonly Option<bool> InMemory = new("--in-memory") { Description = "Keep the job in memory only: it ends with its process" };
    private static readonly Option<string?> JobIdText = new("--job-id") { Description = "The job's id; one that is known is shown, and resumed where nobody runs it, instead of started again", HelpName = "ID" };

    public static Command Create()
    {
        var command = new Command("run", "Run a workflow or an agent on this machine")
        {
            File, RunAgent.Prompt, Inputs, InputFile, RunAgent.Folder, ModelSet.File, ModelSet.Record, ModelSet.Replay, JobIdText, JournalPlace.Option, InMemory, Json, OtlpExport.Option,
        };
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        string? inputFile = parsed.GetValue(InputFile), place = parsed.GetValue(JournalPlace.Option);
        if (parsed.GetValue(InMemory) && place is not null)
            throw new CommandException("--in-memory and --journal exclude each other; leave one out", ExitCode.Usage);
        string file = parsed.GetRequiredValue(File);
        JobId? id = parsed.GetValue(JobIdText) is { } text ? TopId(text) : null;
        bool json = parsed.GetValue(Json), verbose = parsed.GetValue(MillstreamCommand.Verbose);
        await using OtlpExport? export = OtlpExport.Start(parsed);
        if (FileKind.OfFile(file) == FileKind.Agent.Name)
        {
            LlmSpecInput agent = RunAgent.InputOf(parsed, file, parsed.GetValue(Inputs) is { Length: > 0 } || inputFile is not null);
            await using IJournalStorage? store = parsed.GetValue(InMemory) ? null : JournalPlace.OpenOrMake(place, Console.Error);
            return await RunAgent.RunAsync(parsed, agent, store, id, json, verbose);
        }
        WorkflowDefinition workflow = WorkflowFile.ReadWithoutAgents(file);
        if (parsed.GetValue(RunAgent.Prompt) is { } prompt)
            throw new CommandException($"'{file}' is a workflow file, which takes no prompt ('{prompt}'); give --input name=value", ExitCode.Usage);
        JsonElement input = workflow.BindInput(parsed.GetValue(Inputs) ?? [], inputFile is null ? null : Values(inputFile));
        await using IJournalStorage? journal = parsed.GetValue(InMemory) ? null : JournalPlace.OpenOrMake(place, Console.Error);
        FileWorkflowInput start = FileWorkflowInput.Of(workflow, input) with { TakesSignals = journal is not null };
        if (id is { } known && journal is not null && await journal.FindAsync(known) is { } head)
            return await ShowKnownAsync(parsed, journal, head, start, json, verbose);
        if (LocalHost.WaitsForSignals(workflow) && journal is null)
            Console.Error.WriteLine("millstream: nobody can send this run a signal, so 'on_failure: wait' acts as 'finish' here");
        using ModelSet models = LocalHost.AsksModels(workflow) ? await ModelSet.OpenAsync(parsed) : ModelSet.None;
        await using AgentOrchestrator orchestrator = LocalHost.Start(journal, models, workflow);
        await orchestrator.StartAsync();
        Job job = await orchestrator.CreateJobAsync(LocalHost.Agent, start, new JobOptions { Id = id, Name = StoredJobLine.NameOf(workflow) });
        // Another process may have started it in the same moment.
        ShowMode mode = RunningTasks.AreHere(job) ? ShowMode.Runs : ShowMode.Watches;
        return await new JobShow(orchestrator, journal, mode, json, verbose).UntilEndAsync(new ShownJob(job, workflow));
    }

    /// <summary>A job that was started before: an orphaned one goes on here, any other is watched.</summary>
    private static async Task<int> ShowKnownAsync(ParseResult parsed, IJournalStorage journal, JobHead head, FileWorkflowInput start, bool json, bool verbose)
    {
        StoredJobLine line = await new StoredJobs(journal).LineAsync(head);
        if (line.Input is not { } input)
            throw new CommandException($"job {head.Id} belongs to agent {head.AgentId}, not to a workflow file; give another --job-id");
        if (!input.IsSameAs(start))
            Console.Error.WriteLine($"millstream: job {head.Id} was started with another file or other inputs; it is shown as it was started");
        if (line.IsOrphaned)
            return await ResumeCommand.ResumeAsync(parsed, journal, [line], 1, json, verbose);
        return await WatchCommand.WatchAsync(journal, line, 1, json, verbose);
    }

    /// <summary>An id that <c>--job-id</c> gives.</summary>
    public static JobId TopId(string text)
    {
        JobId id = StoredJobs.Parse(text);
        return id.IsChild ? throw new CommandException($"'{text}' (--job-id) is the id of a child job; leave out '/'", ExitCode.Usage) : id;
    }

    private static JsonElement Values(string path)
    {
        try
        {
            if (Directory.Exists(path))
                throw new CommandException($"'{path}' (--input-file) is a folder, not a file", ExitCode.Usage);
            using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllText(path));
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            string reason = e.Message.Split(" LineNumber: ")[0];
            throw new CommandException($"'{path}' (--input-file), line {e.LineNumber + 1}, is not JSON: {reason}", ExitCode.Usage);
        }
        catch (FileNotFoundException)
        {
            throw new CommandException($"there is no file '{path}' (--input-file)", ExitCode.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandException($"'{path}' (--input-file) cannot be read: {e.Message}", ExitCode.Usage);
        }
    }
}
