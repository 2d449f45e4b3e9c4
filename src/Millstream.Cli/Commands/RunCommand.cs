using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Running;
using Millstream.Definitions;
using Spectre.Console;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream run FILE</c>: runs a workflow on this machine and shows it.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The workflow file, YAML or JSON" };
    private static readonly Option<string[]> Inputs = new("--input", "-i") { Description = "An input, as name=value; may be given several times", HelpName = "name=value", DefaultValueFactory = _ => [] };
    private static readonly Option<string?> InputFile = new("--input-file") { Description = "A JSON file with inputs by name; --input goes before it", HelpName = "F.json" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line instead of a view for people" };

    public static Command Create()
    {
        var command = new Command("run", "Run a workflow on this machine") { File, Inputs, InputFile, Json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(File), parsed.GetValue(Inputs) ?? [], parsed.GetValue(InputFile), parsed.GetValue(Json)));
        return command;
    }

    private static async Task<int> RunAsync(string file, string[] inputs, string? inputFile, bool json)
    {
        WorkflowDefinition workflow = WorkflowFile.Read(file);
        JsonElement input = workflow.BindInput(inputs, inputFile is null ? null : Values(inputFile));
        await using AgentOrchestrator orchestrator = LocalHost.Start(workflow);
        Job<JsonElement, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(LocalHost.AgentOf(workflow, orchestrator), input);
        RunModel model = new(workflow);
        IRunView view = json ? new JsonView(Console.OpenStandardOutput())
            : Console.IsOutputRedirected || AnsiConsole.Profile.Width < 40 ? new PlainView(model, Console.Out, Console.Error)
            : new LiveView(model, job, orchestrator, AnsiConsole.Console);
        using RunSignals signals = new(job, view is LiveView ? null : Console.Error);
        DateTimeOffset from = DateTimeOffset.UtcNow;
        Task showing = view.ShowAsync(job.EventsAsync());
        await Task.WhenAny(showing, signals.Stopped);
        if (!showing.IsCompleted)
        {
            Console.Error.WriteLine("millstream: stopped; the job was not cancelled, and a job in memory ends with its process");
            return ExitCode.Stopped;
        }

        if (showing.Exception?.InnerException is IOException)
        {
            // Whoever read the output is gone, so nobody would hear how it ends.
            await job.CancelAsync("its reader is gone");
            return ExitCode.Failed;
        }

        await showing;
        JobEnding ending = await job.Ending;
        view.End(ending, DateTimeOffset.UtcNow - from);
        return ending switch { JobEnding.Completed => ExitCode.Completed, JobEnding.Cancelled => ExitCode.Cancelled, _ => ExitCode.Failed };
    }

    private static JsonElement Values(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllText(path));
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new CommandException($"'{path}' (--input-file) is not JSON: {e.Message}", ExitCode.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"'{path}' (--input-file) cannot be read: {e.Message}", ExitCode.Usage);
        }
    }
}
