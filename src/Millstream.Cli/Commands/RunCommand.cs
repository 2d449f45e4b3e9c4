using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Running;
using Millstream.Definitions;
using Spectre.Console;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream run FILE</c>: runs a workflow on this machine and shows it.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The workflow file, YAML or JSON", Validators = { UsageErrors.NotEmpty } };
    private static readonly Option<string[]> Inputs = new("--input", "-i") { Description = "An input, as name=value; may be given several times", HelpName = "name=value", DefaultValueFactory = _ => [] };
    private static readonly Option<string?> InputFile = new("--input-file") { Description = "A JSON file with inputs by name; --input goes before it", HelpName = "F.json" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line instead of a view for people" };

    public static Command Create()
    {
        var command = new Command("run", "Run a workflow on this machine") { File, Inputs, InputFile, Json };
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetRequiredValue(File), parsed.GetValue(Inputs) ?? [], parsed.GetValue(InputFile), parsed.GetValue(Json), parsed.GetValue(MillstreamCommand.Verbose)));
        return command;
    }

    private static async Task<int> RunAsync(string file, string[] inputs, string? inputFile, bool json, bool verbose)
    {
        WorkflowDefinition workflow = WorkflowFile.ReadWithoutAgents(file);
        if (LocalHost.WaitsForSignals(workflow))
            Console.Error.WriteLine("millstream: nobody can send this run a signal, so 'on_failure: wait' acts as 'finish' here");
        JsonElement input = workflow.BindInput(inputs, inputFile is null ? null : Values(inputFile));
        await using AgentOrchestrator orchestrator = LocalHost.Start(workflow);
        Job<JsonElement, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(LocalHost.AgentOf(workflow, orchestrator), input);
        RunModel model = new(workflow);
        IRunView view = json ? new JsonView(Console.OpenStandardOutput())
            : IsForPeople() ? new LiveView(model, job, orchestrator, AnsiConsole.Console)
            : new PlainView(model, Console.Out, Console.Error, !Console.IsOutputRedirected);
        using RunSignals signals = new(job, view, view is LiveView ? null : Console.Error);
        Task gone = ReaderWatch.AllGoneAsync(json ? [1] : [1, 2]);
        DateTimeOffset from = DateTimeOffset.UtcNow;
        // On another thread: a reader that stops reading blocks a write, and signals must be heard all the same.
        Task showing = Task.Run(() => view.ShowAsync(job.EventsAsync()));
        await Task.WhenAny(showing, signals.Stopped, gone);
        if (signals.Stopped.IsCompleted && !showing.IsCompleted)
        {
            await RunSignals.TryAsync(view.LeaveAsync);
            await RunSignals.TryWriteAsync(Console.Error, "millstream: stopped; the job was not cancelled, and a job in memory ends with its process");
            return ExitCode.Stopped;
        }

        if (!showing.IsCompleted || showing.Exception?.InnerException is IOException or UnauthorizedAccessException)
        {
            // Nobody would hear how it ends.
            await job.CancelAsync("its reader is gone");
            if (showing.Exception?.InnerException is { } e)
                await RunSignals.TryWriteAsync(Console.Error, $"millstream: cancelled, since what it prints could not be written: {Reason(e)}");
            return ExitCode.Failed;
        }

        await showing;
        JobEnding ending = await job.Ending;
        try
        {
            view.End(ending, DateTimeOffset.UtcNow - from);
            if (verbose && ending is JobEnding.Failed { Error.Details: { } details })
                Console.Error.WriteLine(OutputText.CleanLines(details));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"the output could not be written: {Reason(e)}");
        }

        return ending switch { JobEnding.Completed => ExitCode.Completed, JobEnding.Cancelled => ExitCode.Cancelled, _ => ExitCode.Failed };
    }

    // The runtime takes a closed descriptor for a file that may not be written.
    private static string Reason(Exception e) => e is UnauthorizedAccessException ? "it is closed" : e.Message;

    private static bool IsForPeople() =>
        !Console.IsOutputRedirected && AnsiConsole.Profile is { Width: >= 40, Capabilities: { Ansi: true, Interactive: true } };

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
