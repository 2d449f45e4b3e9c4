using System.Diagnostics;
using System.Text.Json;
using Millstream.Cli.Running.Agents;
using Millstream.Llm.Tests.Protocols;

namespace Millstream.Cli.Tests;

/// <summary>Calls that wait for leave: of agents that other agents or workflows called, and how they are shown.</summary>
[Collection("processes")]
public sealed class AgentApprovalTests(MockModels models) : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _mark = $"m{Guid.NewGuid():n}";

    public void Dispose() => _folder.Dispose();

    private string Journal => Path.Combine(_folder.Path, "journal.db");

    private string Written => Path.Combine(_folder.Path, "a.txt");

    private static string Long { get; } = $"{new string('x', 700)}the end";

    private async Task<string[]> WhereAsync() =>
    [
        "--models", _folder.Write("models.yaml", $$"""
            kind: models
            endpoints:
              - { id: mock, provider: openai, model: gpt-4o-mini, base_url: "{{await models.UrlAsync()}}/v1", labels: [default] }
            """),
    ];

    /// <summary>A writer that asks before it writes, called by a workflow, or by an agent.</summary>
    private async Task<string[]> CallerAsync(bool isWorkflow)
    {
        object Call(string name, object arguments) => new { name, arguments = JsonSerializer.Serialize(arguments) };
        object writer = new { match = new { userMessage = $"{_mark} write", turnIndex = 0 }, response = new { toolCalls = new[] { Call("file_write", new { path = "a.txt", text = Long }) } } };
        object written = new { match = new { userMessage = $"{_mark} write", turnIndex = 1 }, response = new { content = "the writer is done" } };
        object calls = new { match = new { userMessage = $"{_mark} lead", turnIndex = 0 }, response = new { toolCalls = new[] { Call("writer", new { prompt = $"{_mark} write" }) } } };
        await models.AddAsync(writer, written, calls, new { match = new { userMessage = $"{_mark} lead", turnIndex = 1 }, response = new { content = "the leader is done" } });
        _folder.Write("writer.yaml", "kind: agent\nname: writer\ntools: [{ use: file.write, approval: always }]\n");
        string file = isWorkflow
            ? _folder.Write("flow.yaml", $"name: flow\ntasks:\n  w: {{ uses: agent, with: {{ file: writer.yaml, prompt: \"{_mark} write\" }} }}\noutput: ${{{{ tasks.w.output }}}}\n")
            : _folder.Write("leader.yaml", "kind: agent\nname: leader\ntools: [{ use: agent, with: { file: writer.yaml } }]\n");
        return isWorkflow ? [file] : [file, $"{_mark} lead", "--folder", _folder.Path];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CalledAgent_IsAllowedFromAnotherProcess(bool isWorkflow)
    {
        string[] caller = await CallerAsync(isWorkflow);
        using RunningCommand run = RunningCommand.StartCommand(["run", .. caller, .. await WhereAsync(), "--journal", Journal, "--job-id", "top", "--json"], _folder.Path);
        JsonElement asked = JsonDocument.Parse(await run.WaitForAsync("approvalRequested")).RootElement;
        string child = asked.GetProperty("job").GetString()!;
        Assert.StartsWith("top/", child);
        string shown = (await CommandProcess.RunAsync("jobs", "show", "top", "--journal", Journal)).Output;
        string command = shown.Split('\n').Single(l => l.Contains("millstream signal")).Trim();
        Assert.Contains($"millstream signal {child} ", command);
        Assert.Contains(Long, shown);
        Assert.False(File.Exists(Written));
        string signal = command.Split('\'')[1];
        CommandResult told = await CommandProcess.RunAsync("signal", child, signal, "--journal", Journal);
        Assert.True(told.ExitCode == 0, told.Error);
        CommandResult result = await run.EndAsync();
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.True(File.Exists(Written), result.Output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CalledAgent_PlainViewTellsHowToAllowIt(bool isWorkflow)
    {
        string[] caller = await CallerAsync(isWorkflow);
        Task<CommandResult> running = CommandProcess.RunAsync(["run", .. caller, .. await WhereAsync(), "--journal", Journal, "--job-id", "top"]);
        string child = "";
        while (child.Length == 0 && !running.IsCompleted)
        {
            CommandResult shown = await CommandProcess.RunAsync("jobs", "show", "top", "--journal", Journal, "--json");
            if (shown.ExitCode == 0 && JsonDocument.Parse(shown.Output).RootElement.GetProperty("approvals") is { } waiting && waiting.GetArrayLength() == 1)
            {
                child = waiting[0].GetProperty("job").GetString()!;
                string id = waiting[0].GetProperty("request").GetProperty("requestId").GetString()!;
                await CommandProcess.RunAsync("signal", child, JsonSerializer.Serialize(new { type = "deny", callId = id }), "--journal", Journal);
            }
        }
        CommandResult result = await running;
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains($"millstream signal {child} ", result.Error);
        Assert.Contains(Long, result.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [InlineData(true, "--json")]
    public async Task CalledAgent_InMemoryIsDenied(bool isWorkflow, params string[] more)
    {
        CommandResult result = await CommandProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), "run", .. await CallerAsync(isWorkflow), .. await WhereAsync(), "--in-memory", .. more], _folder.Path);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("is done", result.Output);
        Assert.False(File.Exists(Written));
    }

    [Fact]
    public async Task CalledAgent_IsAllowedAtTheTerminal()
    {
        using RunningCommand run = RunningCommand.InTerminal(120, 40, [.. await CallerAsync(isWorkflow: false), .. await WhereAsync(), "--in-memory"]);
        await run.WaitForAsync("the end");
        run.Type("y\r");
        CommandResult result = await run.EndAsync();
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.True(File.Exists(Written));
    }

    [Fact]
    public async Task Terminal_CallAllowedElsewhere_IsAskedNoMore()
    {
        using RunningCommand run = RunningCommand.InTerminal(120, 40, [.. await CallerAsync(isWorkflow: false), .. await WhereAsync(), "--journal", Journal, "--job-id", "top"]);
        await run.WaitForAsync("the end");
        JsonElement waiting = JsonDocument.Parse((await CommandProcess.RunAsync("jobs", "show", "top", "--journal", Journal, "--json")).Output).RootElement.GetProperty("approvals")[0];
        string signal = JsonSerializer.Serialize(new { type = "approve", callId = waiting.GetProperty("request").GetProperty("requestId").GetString() });
        await CommandProcess.RunAsync("signal", waiting.GetProperty("job").GetString()!, signal, "--journal", Journal);
        // What is held back while a line is asked for comes when it is asked for no more.
        await run.WaitForAsync("✓ file_write");
        Assert.Equal(0, (await run.EndAsync()).ExitCode);
    }

    [Theory]
    [InlineData("'; touch made; '")]
    [InlineData("$(touch made)`touch made`\\\"\n\"!!\e[2J")]
    [InlineData("c1")]
    public async Task ApproveCommand_IsOneSignalToAShell(string id)
    {
        await using MemoryJournalStorage journal = new();
        string command = AgentSignals.ApproveCommand(JobId.Parse("a/1"), id, journal);
        Assert.DoesNotContain(command, char.IsControl);
        string line = command[..command.IndexOf(" --journal", StringComparison.Ordinal)].Replace("millstream signal", "printf '%s\\n'", StringComparison.Ordinal);
        ProcessStartInfo start = new("sh", ["-c", line]) { RedirectStandardOutput = true, WorkingDirectory = _folder.Path };
        using Process shell = Process.Start(start)!;
        string[] said = (await shell.StandardOutput.ReadToEndAsync()).Split('\n');
        Assert.Equal("a/1", said[0]);
        Assert.Equal(id, JsonDocument.Parse(said[1]).RootElement.GetProperty("callId").GetString());
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }
}
