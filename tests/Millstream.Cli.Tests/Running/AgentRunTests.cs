using System.Text.Json;
using Millstream.Llm.Tests.Protocols;

namespace Millstream.Cli.Tests;

/// <summary><c>millstream run</c> of agent files, against a mock of a model's server.</summary>
[Collection("processes")]
public sealed class AgentRunTests(MockModels models) : IDisposable
{
    private readonly TempFolder _folder = new();
    // In each prompt, so that a test has answers and requests of its own.
    private readonly string _mark = $"m{Guid.NewGuid():n}";

    public void Dispose() => _folder.Dispose();

    private string Journal => Path.Combine(_folder.Path, "journal.db");

    private async Task<string> ModelsAsync(string more = "") => _folder.Write("models.yaml", $$"""
        kind: models
        endpoints:
          - { id: mock, provider: openai, model: gpt-4o-mini, base_url: "{{await models.UrlAsync()}}/v1", labels: [default]{{more}} }
        """);

    private object Turn(int turn, string? content = null, object[]? calls = null, int latency = 0) => new
    {
        match = new { userMessage = _mark, turnIndex = turn }, latency,
        response = content is null ? (object)new { toolCalls = calls } : calls is null ? new { content } : new { content, toolCalls = calls },
    };

    private static object Call(string name, object arguments) => new { name, arguments = JsonSerializer.Serialize(arguments) };

    private async Task<int> RequestsAsync(int turn) =>
        (await models.RequestsAsync()).Count(r => r.GetRawText().Contains(_mark, StringComparison.Ordinal) && Assistants(r) == turn);

    private static int Assistants(JsonElement request) => request.GetProperty("body").GetProperty("messages").EnumerateArray().Count(m => m.GetProperty("role").GetString() == "assistant");

    private static string Samples
    {
        get
        {
            string folder = AppContext.BaseDirectory;
            while (!Directory.Exists(Path.Combine(folder, "samples", "analyst")))
                folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "samples");
        }
    }

    [Fact]
    public async Task Analyst_KilledWhileTheModelSpeaks_ResumesWithoutASecondCallForAFinishedTurn()
    {
        await SandboxNeeded.OrSkipAsync();
        await models.AddAsync(
            Turn(0, "I look first.", [Call("file_list", new { }), Call("file_read", new { path = "sales.csv", lines = 2 })]),
            Turn(1, null, [Call("sandbox_run", new { command = new[] { "sh", "-c", "wc -l < /data/sales.csv" } })]),
            Turn(2, "There are 48 sales in sales.csv, and a line of names above them.", latency: 200));
        string[] agent = [Path.Combine(Samples, "analyst", "analyst.yaml"), $"How many sales are there? ({_mark})", "--folder", Path.Combine(Samples, "analyst", "data")];
        string[] where = ["--models", await ModelsAsync(), "--journal", Journal];
        using (RunningCommand run = RunningCommand.Start([.. agent, .. where, "--job-id", "sales", "--json"]))
        {
            JsonElement began;
            do
                began = JsonDocument.Parse(await run.WaitForAsync("\"task.delta\"")).RootElement;
            while (await RequestsAsync(2) == 0);
            run.Signal(9);
            await run.EndUnreadAsync();
        }
        CommandResult resumed = await CommandProcess.RunAsync(["resume", "sales", .. where, "--json"]);

        Assert.True(resumed.ExitCode == 0, resumed.Output + resumed.Error);
        JsonElement[] lines = JsonLines.Check(resumed.Output);
        Assert.Equal("There are 48 sales in sales.csv, and a line of names above them.", lines[^1].GetProperty("output").GetString());
        Assert.Equal((1, 1, 2), (await RequestsAsync(0), await RequestsAsync(1), await RequestsAsync(2)));
        JsonElement[] events = [.. lines.Where(l => l.Kind() == "event").Select(l => l.GetProperty("data"))];
        Assert.Equal(3, events.Count(e => e.GetProperty("type").GetString() == "toolCallCompleted"));
        Assert.Contains("49", events.Last(e => e.GetProperty("type").GetString() == "toolCallCompleted").GetRawText());
    }

    [Fact]
    public async Task Research_PlanIsMendedAndItsReadersRunBesideEachOther()
    {
        string plan = $$"""
            name: mills
            tasks:
              read:
                for_each: ${{"{{"}} `["windmills.md","millstones.md"]` {{"}}"}}
                uses: agent
                with: { file: reader.yaml, prompt: "{{_mark}} read ${{"{{"}} item {{"}}"}}" }
                continue_on_error: true
              join:
                uses: llm.chat
                with: { prompt: "{{_mark}} join ${{"{{"}} join('; ', tasks.read.output) {{"}}"}}" }
            output: ${{"{{"}} tasks.join.output.text {{"}}"}}
            """;
        await models.AddAsync(
            new { match = new { userMessage = $"{_mark} read windmills.md", hasToolResult = true }, response = new { content = "a fantail turns the cap" } },
            new { match = new { userMessage = $"{_mark} read windmills.md" }, response = new { toolCalls = new[] { Call("file_read", new { path = "windmills.md" }) } } },
            new { match = new { userMessage = $"{_mark} read millstones.md" }, response = new { content = "dressing is handwork" } },
            new { match = new { userMessage = $"{_mark} join a fantail turns the cap; dressing is handwork" }, response = new { content = "The fantail of 1745 did." } },
            new { match = new { userMessage = "The workflow has faults", turnIndex = 2 }, response = new { content = $"```yaml\n{plan}\n```" } },
            Turn(0, null, [Call("file_list", new { })]),
            Turn(1, plan.Replace("uses: llm.chat", "uses: template", StringComparison.Ordinal).Replace($"prompt: \"{_mark} join", $"text: \"{_mark} join", StringComparison.Ordinal)));
        CommandResult result = await CommandProcess.RunAsync("run", Path.Combine(Samples, "research", "research.yaml"), $"Fewer hands? ({_mark})",
            "--folder", Path.Combine(Samples, "research", "sources"), "--models", await ModelsAsync(), "--journal", Journal);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal("The fantail of 1745 did.\n", result.Output);
        Assert.Contains("uses template, which is not allowed here", result.Error);
        Assert.Contains("made a plan", result.Error);
    }

    [Fact]
    public async Task Plain_AnswerGoesToStdoutAndTheRestToStderr()
    {
        await models.AddAsync(Turn(0, "Let me see.", [Call("file_list", new { })]), Turn(1, "Two files:\na and b."));
        string agent = _folder.Write("agent.yaml", "kind: agent\nname: lister\ntools: [file.list]\n");
        CommandResult result = await CommandProcess.RunAsync("run", agent, _mark, "--folder", _folder.Path, "--models", await ModelsAsync(), "--in-memory");
        Assert.Equal((0, "Two files:\na and b.\n"), (result.ExitCode, result.Output));
        Assert.Contains("says: Let me see.", result.Error);
        Assert.Contains("calls file_list", result.Error);
        Assert.Matches(@"completed: 2 turns of gpt-4o-mini, 1 tool call, \d+ tokens in and \d+ out, \$0\.0", result.Error);
    }

    [Fact]
    public async Task Approval_FromAnotherTerminal_IsShownAndGoesOn()
    {
        await models.AddAsync(Turn(0, null, [Call("file_write", new { path = "a.txt", text = "hello" })]), Turn(1, "written"));
        string agent = _folder.Write("agent.yaml", "kind: agent\nname: writer\ntools: [{ use: file.write, approval: always }]\n");
        using RunningCommand run = RunningCommand.Start(agent, _mark, "--folder", _folder.Path, "--models", await ModelsAsync(), "--journal", Journal, "--job-id", "w", "--json");
        JsonElement asked = JsonDocument.Parse(await run.WaitForAsync("approvalRequested")).RootElement.GetProperty("data");
        string id = asked.GetProperty("request").GetProperty("requestId").GetString()!;
        CommandResult shown = await CommandProcess.RunAsync("jobs", "show", "w", "--journal", Journal);
        Assert.Contains($"approval   {id}: file_write", shown.Output);
        Assert.Contains($$"""millstream signal w '{"type":"approve","callId":"{{id}}"}'""", shown.Output);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "a.txt")));
        CommandResult told = await CommandProcess.RunAsync("signal", "w", $$"""{"type":"approve","callId":"{{id}}"}""", "--journal", Journal);
        Assert.Equal(0, told.ExitCode);
        CommandResult result = await run.EndAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(_folder.Path, "a.txt")));
        Assert.DoesNotContain("approval", (await CommandProcess.RunAsync("jobs", "show", "w", "--journal", Journal)).Output);
    }

    [Fact]
    public async Task Approval_WhereNobodyIsThere_IsDenied()
    {
        await models.AddAsync(Turn(0, null, [Call("file_write", new { path = "a.txt", text = "hello" })]), Turn(1, "so be it"));
        string agent = _folder.Write("agent.yaml", "kind: agent\nname: writer\ntools: [{ use: file.write, approval: always }]\n");
        CommandResult result = await CommandProcess.RunAsync("run", agent, _mark, "--folder", _folder.Path, "--models", await ModelsAsync(), "--in-memory");
        Assert.Equal((0, "so be it\n"), (result.ExitCode, result.Output));
        Assert.Contains("nobody is there to allow it", result.Error);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "a.txt")));
    }

    [Fact]
    public async Task Terminal_ApprovalAndSteering_AreTyped()
    {
        await models.AddAsync(
            new { match = new { userMessage = "and the other one", turnIndex = 2 }, response = new { content = "The other one, too." } },
            Turn(0, null, [Call("file_write", new { path = "a.txt", text = "hello" })]),
            Turn(1, "It is written, and now I tell a long story so that there is time to say something.", latency: 100));
        string agent = _folder.Write("agent.yaml", "kind: agent\nname: writer\ntools: [{ use: file.write, approval: always }]\n");
        using RunningCommand run = RunningCommand.InTerminal(120, 30, agent, _mark, "--folder", _folder.Path, "--models", await ModelsAsync(), "--in-memory");
        await run.WaitForAsync("text: hello");
        run.Type("y\r");
        await run.WaitForAsync("✓ file_write");
        run.Type("and the other one\r");
        CommandResult result = await run.EndAsync();
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("you: and the other one", result.Output);
        Assert.Contains("The other one, too.", result.Output);
        Assert.Contains("completed: 3 turns", result.Output);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(_folder.Path, "a.txt")));
    }

    [Fact]
    public async Task Record_ThenReplay_AsksNoModelAndSaysSo()
    {
        await models.AddAsync(Turn(0, null, [Call("file_list", new { })]), Turn(1, "recorded words"));
        string agent = _folder.Write("work/agent.yaml", "kind: agent\nname: lister\nmodel: default\ntools: [file.list]\n");
        string work = Path.GetDirectoryName(agent)!, cassette = Path.Combine(_folder.Path, "calls.cassette");
        CommandResult recorded = await CommandProcess.RunAsync("run", agent, _mark, "--folder", work, "--models", await ModelsAsync(), "--in-memory", "--record", cassette);
        Assert.Equal("recorded words\n", recorded.Output);
        int asked = (await models.RequestsAsync()).Count;
        CommandResult replayed = await CommandProcess.RunAsync("run", agent, _mark, "--folder", work, "--in-memory", "--replay", cassette);
        Assert.Equal((0, "recorded words\n"), (replayed.ExitCode, replayed.Output));
        Assert.Contains("no model is asked", replayed.Error);
        Assert.Contains("replayed from a cassette", replayed.Error);
        CommandResult json = await CommandProcess.RunAsync("run", agent, _mark, "--folder", work, "--in-memory", "--replay", cassette, "--json");
        Assert.Contains("\"replayed\":true", json.Output);
        Assert.Equal(asked, (await models.RequestsAsync()).Count);
        CommandResult other = await CommandProcess.RunAsync("run", agent, "something else", "--folder", work, "--in-memory", "--replay", cassette);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("message", other.Error);
    }

    [Fact]
    public async Task Workflow_WithChatAndAgent_RunsBoth()
    {
        await models.AddAsync(
            new { match = new { userMessage = $"{_mark} words" }, response = new { content = "three small words" } },
            new { match = new { userMessage = $"{_mark} shout" }, response = new { content = "THREE SMALL WORDS" } });
        _folder.Write("shouter.yaml", "kind: agent\nname: shouter\n");
        string file = _folder.Write("flow.yaml", $$"""
            name: flow
            tasks:
              words: { uses: llm.chat, with: { prompt: "{{_mark}} words" } }
              shout: { uses: agent, with: { file: shouter.yaml, prompt: "{{_mark}} shout ${{"{{"}} tasks.words.output.text {{"}}"}}" } }
            output: ${{"{{"}} tasks.shout.output {{"}}"}}
            """);
        CommandResult result = await CommandProcess.RunAsync("run", file, "--models", await ModelsAsync(), "--in-memory");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal("THREE SMALL WORDS\n", result.Output);
    }

    [Fact]
    public async Task NoModel_EndsWith2AndNamesTheWays()
    {
        string agent = _folder.Write("agent.yaml", "kind: agent\nname: a\n");
        Dictionary<string, string> none = new() { ["OPENAI_API_KEY"] = "", ["ANTHROPIC_API_KEY"] = "", ["OPENAI_BASE_URL"] = "", ["OLLAMA_HOST"] = "http://127.0.0.1:9", ["XDG_CONFIG_HOME"] = _folder.Path };
        CommandResult result = await CommandProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), "run", agent, "hi"], _folder.Path, none);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.All(["OPENAI_API_KEY", "ollama serve", "models file"], way => Assert.Contains(way, result.Error));
    }

    [Theory]
    [InlineData("is an agent file; say what it is to do", "agent.yaml")]
    [InlineData("the prompt is empty", "agent.yaml", " ")]
    [InlineData("takes a prompt and no --input", "agent.yaml", "hi", "--input", "a=b")]
    [InlineData("there is no folder", "agent.yaml", "hi", "--folder", "/no/such")]
    [InlineData("which takes no prompt ('hi')", "flow.yaml", "hi")]
    [InlineData("--record and --replay exclude each other", "agent.yaml", "hi", "--record", "a", "--replay", "b")]
    [InlineData("--replay: ", "agent.yaml", "hi", "--replay", "/no/such")]
    [InlineData("there is no task kind", "bad.yaml", "hi")]
    public async Task WrongUsage_EndsWith2(string message, string file, params string[] args)
    {
        _folder.Write("agent.yaml", "kind: agent\nname: a\n");
        _folder.Write("flow.yaml", "name: f\ntasks:\n  a: { uses: file.read, with: { path: x } }\n");
        _folder.Write("bad.yaml", "name: f\ntasks:\n  a: { uses: llm.talk }\n");
        CommandResult result = await CommandProcess.RunAsync(["run", Path.Combine(_folder.Path, file), .. args]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error);
    }

    [Theory]
    [InlineData("turns=80 cost=2.5", null)]
    [InlineData("turns", "'turns' is no limit")]
    [InlineData("turns=99999999999", "'turns=99999999999' is no limit")]
    [InlineData("time=-1", "'time=-1' is no limit")]
    [InlineData("depth=1", "there is no limit 'depth'")]
    public void LimitWords_WhatIsTyped_IsReadOrTold(string words, string? fault)
    {
        Assert.Equal(fault is null, Millstream.Cli.Running.Agents.AgentLimitWords.Read(words.Split(' '), out LlmLimits limits, out string told));
        if (fault is null)
            Assert.Equal((80, 2.5m), (limits.Turns, limits.Cost));
        else
            Assert.StartsWith(fault, told);
    }
}
