using System.Text.Json;

namespace Millstream.Cli.Tests;

/// <summary>Jobs that outlive their process, and the commands that look at them and tell them something.</summary>
[Collection("processes")]
public sealed class JobCommandTests : IDisposable
{
    private const int Kill = 9, Int = 2, Term = 15;

    private readonly TempFolder _folder = new();
    private readonly GateServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private string Journal => Path.Combine(_folder.Path, "journal.db");

    [Fact]
    public async Task Resume_AfterKillEditAndCd_RunsNoFinishedTaskAgain()
    {
        string path = WriteAll();
        using (RunningCommand run = Start(path, "--job-id", "j1", "--input", "who=é<1>"))
        {
            Assert.Equal(("first", "gate"), (await _server.AskedAsync(), await _server.AskedAsync()));
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        JsonElement job = JsonDocument.Parse((await MillstreamAsync("jobs", "--status", "orphaned", "--json")).Output).RootElement;
        Assert.Equal(("j1", "main", true), (job.GetProperty("job").GetString(), job.GetProperty("workflow").GetString(), job.GetProperty("orphaned").GetBoolean()));
        CommandResult shown = await MillstreamAsync("jobs", "show", "j1");
        Assert.Contains("task       gate: ", shown.Output);
        Assert.Contains($"nobody runs job j1; 'millstream resume j1 --journal {Journal}' goes on with it", shown.Output);
        Directory.Delete(Path.Combine(_folder.Path, "w"), recursive: true);
        _server.Open();
        CommandResult resumed = await MillstreamAsync("resume", "j1", "--json");
        Assert.True(resumed.ExitCode == 0, resumed.Output + resumed.Error);
        Assert.Equal("gate", await _server.AskedAsync());
        Assert.False(_server.WasAskedMore(out string? again), again);
        JsonElement[] lines = JsonLines.Check(resumed.Output);
        Assert.Equal("hi é<1> gate\n", lines[^1].GetProperty("output").GetString());
        Assert.Single(lines, l => l.Kind() == "job.resumed");
        Assert.Equal(("main", "é<1>"), (lines[0].GetProperty("agent").GetString(), lines[0].GetProperty("input").GetProperty("who").GetString()));
        // Relative to where it was started, not to where it goes on.
        Assert.Equal("done", File.ReadAllText(Path.Combine(_folder.Path, "out.txt")));
        CommandResult watched = await MillstreamAsync("watch", "j1", "--from", "1", "--json"), twice = await MillstreamAsync("watch", "j1", "--json");
        Assert.Equal((0, resumed.Output, resumed.Output), (watched.ExitCode, watched.Output, twice.Output));
        CommandResult plain = await MillstreamAsync("watch", "j1");
        Assert.Equal((0, "hi é<1> gate\n"), (plain.ExitCode, plain.Output));
        Assert.Contains("sub/x completed", plain.Error);
    }

    [Fact]
    public async Task TaskThatMustNotBeRepeated_AfterKill_WaitsForAnAnswer()
    {
        string path = _folder.Write("once.yaml", $"name: once\nversion: 1\ntasks:\n  gate: {{ uses: http.get, at_most_once: true, with: {_server.With("gate")} }}\noutput: ${{{{ tasks.gate.output.text }}}}\n");
        using (RunningCommand run = Start(path, "--job-id", "j1"))
        {
            await AskedForGateAsync();
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        using RunningCommand resumed = RunningCommand.StartCommand(["resume", "j1", "--journal", Journal, "--json"], _folder.Path);
        await resumed.WaitForAsync("task.inDoubt");
        CommandResult shown = await MillstreamAsync("jobs", "show", "j1");
        Assert.Contains("question   t1: task gate may have run (attempt 1); {\"action\":\"retry\"}", shown.Output);
        Assert.Contains("task       gate: in doubt (it may have run; question t1)", shown.Output);
        CommandResult answered = await MillstreamAsync("answer", "j1", "t1", """{"action":"complete","output":{"status":200,"headers":{},"text":"from the log"}}""");
        Assert.True(answered.ExitCode == 0, answered.Error);
        JsonElement[] lines = JsonLines.Check((await resumed.EndAsync()).Output);
        Assert.Equal("from the log", lines[^1].GetProperty("output").GetString());
        Assert.False(_server.WasAskedMore(out string? again), again);
    }

    [Fact]
    public async Task TaskThatMustNotBeRepeated_WithAnOutputOfAPerson_IsShown()
    {
        await SandboxNeeded.OrSkipAsync();
        string path = _folder.Write("paid.yaml", "name: paid\nversion: 1\nresources: { sandbox: 1 }\ntasks:\n  pay: { uses: sandbox.run, at_most_once: true, with: { command: [sh, -c, \"echo begun; sleep 600\"] } }\noutput: ${{ tasks.pay.output.stdout }}\n");
        using (RunningCommand run = Start(path, "--job-id", "j1", "--json"))
        {
            await run.WaitForAsync("task.delta");
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        using RunningCommand resumed = RunningCommand.StartCommand(["resume", "j1", "--journal", Journal, "--json"], _folder.Path);
        await resumed.WaitForAsync("task.inDoubt");
        Assert.Equal(0, (await MillstreamAsync("answer", "j1", "t1", """{"action":"complete","output":{"stdout":"paid"}}""")).ExitCode);
        Assert.Equal(0, (await resumed.EndAsync()).ExitCode);
        CommandResult watched = await MillstreamAsync("watch", "j1");
        Assert.True(watched.ExitCode == 0, watched.Error);
        Assert.Equal("paid\n", watched.Output);
    }

    [Fact]
    public async Task Stop_ThenResumeOfAll_GoesOn()
    {
        string path = WriteAll();
        using (RunningCommand run = Start(path, "--job-id", "j1"))
        {
            await AskedForGateAsync();
            run.Signal(Term);
            CommandResult stopped = await run.EndAsync();
            Assert.Equal((143, $"millstream: stopped; nothing was cancelled, and 'millstream resume j1 --journal {Journal}' goes on\n"), (stopped.ExitCode, stopped.Error));
        }

        using (RunningCommand run = Start(path, "--job-id", "j2"))
        {
            await AskedForGateAsync();
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        _server.Open();
        CommandResult resumed = await MillstreamAsync("resume");
        Assert.Equal((0, "hi you gate\nhi you gate\n"), (resumed.ExitCode, resumed.Output));
        Assert.All(["j1 ", "j2 "], id => Assert.Contains($"{id}completed: 5 of 5 tasks", resumed.Error));
        CommandResult nothing = await MillstreamAsync("resume");
        Assert.Equal((0, $"millstream: there is nothing to resume in {Journal}\n"), (nothing.ExitCode, nothing.Error));
        CommandResult ended = await MillstreamAsync("resume", "j1");
        Assert.Equal((1, $"millstream: job j1 has ended (completed); 'millstream watch j1 --journal {Journal}' shows it\n"), (ended.ExitCode, ended.Error));
    }

    [Fact]
    public async Task OtherProcess_WatchesSignalsAndCancels()
    {
        using RunningCommand run = Start(WriteAll(), "--job-id", "j1");
        await AskedForGateAsync();
        Assert.Equal((0, "accepted\n", ""), Said(await MillstreamAsync("signal", "j1", """{"type":"pause"}""", "--signal-id", "s1")));
        await run.WaitForAsync("\"type\":\"paused\"");
        Assert.Equal((0, "accepted\n", ""), Said(await MillstreamAsync("signal", "j1", """{"type":"resume"}""")));
        await run.WaitForAsync("\"type\":\"resumed\"");
        using (RunningCommand watch = RunningCommand.StartCommand(["watch", "j1", "--json", "--journal", Journal]))
        {
            await watch.WaitForAsync("\"type\":\"resumed\"");
            watch.Signal(Int);
            Assert.Equal((0, ""), (await watch.EndAsync() is var left ? left.ExitCode : -1, left.Error));
        }

        CommandResult running = await MillstreamAsync("resume", "j1");
        Assert.Equal((1, $"millstream: job j1 is run by another process; 'millstream watch j1 --journal {Journal}' shows it\n"), (running.ExitCode, running.Error));
        CommandResult cancelled = await MillstreamAsync("cancel", "j1", "--reason", "enough", "--json");
        Assert.Equal((0, "{\"job\":\"j1\",\"result\":\"accepted\"}\n", ""), Said(cancelled));
        CommandResult result = await run.EndAsync();
        Assert.Equal((130, "enough"), (result.ExitCode, JsonLines.Check(result.Output)[^1].GetProperty("error").GetProperty("message").GetString()));
        Assert.Equal((1, "", "millstream: job j1 has ended (cancelled); nothing was sent\n"), Said(await MillstreamAsync("cancel", "j1")));
        Assert.Equal(130, (await MillstreamAsync("watch", "j1")).ExitCode);
    }

    [Fact]
    public async Task JobId_Twice_RunsOnceAndPrintsTheSame()
    {
        _server.Open();
        string path = WriteAll();
        CommandResult first = await MillstreamAsync("run", path, "--job-id", "j1", "--json"), second = await MillstreamAsync("run", path, "--job-id", "j1", "--json");
        Assert.Equal((0, 0, first.Output, ""), (first.ExitCode, second.ExitCode, second.Output, second.Error));
        Assert.Equal(("first", "gate", false), (await _server.AskedAsync(), await _server.AskedAsync(), _server.WasAskedMore(out _)));
        CommandResult other = await MillstreamAsync("run", path, "--job-id", "j1", "--input", "who=me");
        Assert.Equal((0, "hi you gate\n"), (other.ExitCode, other.Output));
        Assert.StartsWith("millstream: job j1 was started with another file or other inputs; it is shown as it was started\n", other.Error, StringComparison.Ordinal);
        Assert.Equal((0, "removed 0 jobs\n", ""), Said(await MillstreamAsync("prune", "--older-than", "30d")));
        Assert.Equal((0, "removed 0 jobs\n", ""), Said(await MillstreamAsync("prune", "--older-than", "1ms", "--status", "failed")));
        Assert.Equal((0, "removed 1 job\n", ""), Said(await MillstreamAsync("prune", "--older-than", "1ms")));
        Assert.Equal((0, "", ""), Said(await MillstreamAsync("jobs", "--json")));
    }

    [Fact]
    public async Task JobId_OfAnOrphan_ResumesIt()
    {
        string path = WriteAll();
        using (RunningCommand run = Start(path, "--job-id", "j1"))
        {
            await AskedForGateAsync();
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        // What is told to a job that nobody runs waits for whoever takes it up.
        CommandResult told = await MillstreamAsync("signal", "j1", """{"type":"skip","task":"gate"}""");
        Assert.Equal((0, "accepted\n", $"millstream: nobody runs job j1; 'millstream resume j1 --journal {Journal}' goes on with it and delivers it\n"), Said(told));
        CommandResult result = await MillstreamAsync("run", path, "--job-id", "j1", "--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains(JsonLines.Check(result.Output), l => l.Kind() == "signal");
    }

    [Fact]
    public async Task Wait_InAKeptJob_WaitsForTheDecision()
    {
        string path = _folder.Write("w.yaml", "name: w\non_failure: wait\ntasks:\n  a: { uses: file.read, with: { path: /none } }\noutput: over\n");
        using RunningCommand run = Start(path, "--job-id", "j1");
        await run.WaitForAsync("decisionNeeded");
        Assert.Equal(0, (await MillstreamAsync("signal", "j1", """{"type":"skip","task":"a"}""")).ExitCode);
        Assert.Equal((0, "over"), (await run.EndAsync() is var result ? result.ExitCode : -1, JsonLines.Check(result.Output)[^1].GetProperty("output").GetString()));
    }

    [Fact]
    public async Task WrongUse_SaysWhatToDo()
    {
        CommandResult none = await MillstreamAsync("jobs");
        Assert.Equal((1, $"millstream: there is no journal {Journal}; 'millstream run' makes it with --journal {Journal}\n"), (none.ExitCode, none.Error));
        Assert.False(File.Exists(Journal));
        string path = _folder.Write("w.yaml", "name: w\ntasks:\n  a: { uses: template, with: { text: x } }\n");
        Assert.Equal(0, (await MillstreamAsync("run", path, "--job-id", "first")).ExitCode);
        await FailsAsync(1, $"there is no job 'frist' in {Journal}; did you mean 'first'?", "watch", "frist");
        await FailsAsync(2, "'a b' is no job id", "watch", "a b");
        await FailsAsync(2, "the signal 'pause' is not JSON", "signal", "first", "pause");
        await FailsAsync(2, """a workflow takes {"type":"pause"}""", "signal", "first", """{"type":"paws"}""");
        await FailsAsync(1, "job first has ended (completed); nothing was sent", "answer", "first", "q1", "true");
        await FailsAsync(2, "--from is 0; numbers of a stream begin at 1", "watch", "first", "--from", "0");
        await FailsAsync(2, "--since is 'soon'; write how long ago", "jobs", "--since", "soon");
        await FailsAsync(2, "--in-memory and --journal exclude each other", "run", path, "--in-memory");
    }

    [Fact]
    public async Task DefaultJournal_ThatCannotBeMade_RunsInMemoryAndSaysSo()
    {
        string path = _folder.Write("w.yaml", "name: w\ntasks:\n  a: { uses: template, with: { text: x } }\noutput: done\n");
        string file = _folder.Write("file", "");
        CommandResult result = await CommandProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), "run", path, "--json"], null, new Dictionary<string, string> { ["XDG_DATA_HOME"] = file });
        Assert.Equal((0, $"millstream: this job is kept in memory and ends with its process, since {file}/millstream cannot be written; --journal PATH keeps it\n"), (result.ExitCode, result.Error));
        JsonLines.Check(result.Output);
    }

    private async Task FailsAsync(int code, string message, params string[] args)
    {
        CommandResult result = await MillstreamAsync(args);
        Assert.Contains(message, result.Error);
        Assert.Equal((code, ""), (result.ExitCode, result.Output));
        Assert.DoesNotContain("   at ", result.Error);
    }

    private string WriteAll()
    {
        _folder.Write("w/sub.yaml", "name: sub\ninput: { n: { type: string } }\ntasks:\n  x: { uses: template, with: { text: \"{{ n }}\", values: { n: \"${{ input.n }}\" } } }\noutput: ${{ tasks.x.output.text }}\n");
        _folder.Write("w/t.liquid", "hi {{ who }} {{ gate }}\n");
        return _folder.Write("w/main.yaml", $$$"""
            name: main
            version: 3
            input: { who: { type: string, default: you } }
            tasks:
              first: { uses: http.get, with: {{{_server.With("first")}}} }
              sub: { uses: workflow, needs: first, with: { file: sub.yaml, input: { n: "${{ input.who }}" } } }
              gate: { uses: http.get, needs: sub, with: {{{_server.With("gate")}}} }
              out: { uses: file.write, needs: gate, with: { path: out.txt, text: done } }
              say: { uses: template, needs: out, with: { file: t.liquid, values: { who: "${{ tasks.sub.output }}", gate: "${{ tasks.gate.output.text }}" } } }
            output: ${{ tasks.say.output.text }}
            """);
    }

    private async Task AskedForGateAsync()
    {
        while (await _server.AskedAsync() != "gate")
        {
        }
    }

    private RunningCommand Start(string path, params string[] args) => RunningCommand.StartCommand(["run", path, "--journal", Journal, "--json", .. args], _folder.Path);

    // Not in the folder of the run.
    private Task<CommandResult> MillstreamAsync(params string[] args) => CommandProcess.RunAsync([.. args, "--journal", Journal]);

    private static (int, string, string) Said(CommandResult result) => (result.ExitCode, result.Output, result.Error);
}
