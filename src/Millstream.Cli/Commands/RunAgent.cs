using System.CommandLine;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Models;
using Millstream.Definitions;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream run FILE PROMPT</c> of an agent file.</summary>
internal static class RunAgent
{
    public static Argument<string?> Prompt { get; } = new("PROMPT") { Description = "What an agent is to do; - reads it from standard input", Arity = ArgumentArity.ZeroOrOne };

    public static Option<string?> Folder { get; } = new("--folder") { Description = "The folder that an agent works in; the current one when left out", HelpName = "DIR" };

    /// <summary>What a job of this file and prompt starts with.</summary>
    public static LlmSpecInput InputOf(ParseResult parsed, string file, bool hasInputs)
    {
        AgentDefinition agent = AgentFile.ReadWithoutAgents(file);
        if (hasInputs)
            throw new CommandException($"'{file}' is an agent file, which takes a prompt and no --input", ExitCode.Usage);
        string prompt = parsed.GetValue(Prompt) ?? throw new CommandException($"'{file}' is an agent file; say what it is to do: millstream run {file} \"…\"", ExitCode.Usage);
        if (prompt == "-")
            prompt = Console.In.ReadToEnd();
        if (string.IsNullOrWhiteSpace(prompt))
            throw new CommandException("the prompt is empty; say what the agent is to do", ExitCode.Usage);
        string folder = Path.GetFullPath(parsed.GetValue(Folder) ?? ".");
        if (!Directory.Exists(folder))
            throw new CommandException($"there is no folder '{folder}' (--folder)", ExitCode.Usage);
        return new LlmSpecInput { Spec = agent.ToSpec().Deserialize<LlmAgentSpec>(Json.Options)!, Prompt = prompt, Folder = folder };
    }

    public static async Task<int> RunAsync(ParseResult parsed, LlmSpecInput start, IJournalStorage? journal, JobId? id, bool json, bool verbose)
    {
        if (id is { } known && journal is not null && await journal.FindAsync(known) is { } head)
            return await ShowKnownAsync(parsed, journal, head, start, json, verbose);
        using ModelSet models = await ModelSet.OpenAsync(parsed);
        await using AgentOrchestrator orchestrator = LocalHost.Start(journal, models);
        await orchestrator.StartAsync();
        Job job = await orchestrator.CreateJobAsync(LocalHost.LlmAgent, start, new JobOptions { Id = id, Name = start.Spec.Name });
        ShowMode mode = RunningTasks.AreHere(job) ? ShowMode.Runs : ShowMode.Watches;
        return await new JobShow(orchestrator, journal, mode, json, verbose).UntilEndAsync(new ShownJob(job, null) { Agent = start });
    }

    private static async Task<int> ShowKnownAsync(ParseResult parsed, IJournalStorage journal, JobHead head, LlmSpecInput start, bool json, bool verbose)
    {
        StoredJobLine line = await new StoredJobs(journal).LineAsync(head);
        if (line.Agent is not { } agent)
            throw new CommandException($"job {head.Id} is none of an agent file; give another --job-id");
        if (agent.Prompt != start.Prompt || JsonSerializer.Serialize(agent.Spec, Json.Options) != JsonSerializer.Serialize(start.Spec, Json.Options))
            Console.Error.WriteLine($"millstream: job {head.Id} was started with another file or prompt; it is shown as it was started");
        return line.IsOrphaned ? await ResumeCommand.ResumeAsync(parsed, journal, [line], 1, json, verbose) : await WatchCommand.WatchAsync(journal, line, 1, json, verbose);
    }
}
