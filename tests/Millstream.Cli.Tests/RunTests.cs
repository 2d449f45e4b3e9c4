using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millstream.Cli.Tests;

/// <summary><c>millstream run</c> to its end: what it says of what happens, and its exit code.</summary>
[Collection("processes")]
public sealed class RunTests : IDisposable
{
    private const string Inputs = """
        name: inputs
        input:
          who: { type: string, default: you }
          n: { type: integer, default: 3 }
          list: { type: "array<string>", default: [a] }
          flag: { type: boolean, default: false }
        tasks:
          say: { uses: template, with: { text: "{{ who }} {{ n }} {{ list | join: '+' }} {{ flag }}", values: { who: "${{ input.who }}", n: "${{ input.n }}", list: "${{ input.list }}", flag: "${{ input.flag }}" } } }
        output: ${{ tasks.say.output.text }}
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("you 3 a false")]
    [InlineData("file 7 q false", "--input-file", "F")]
    [InlineData("me 7 x+y=z true", "--input-file", "F", "--input", "who=me", "-i", "list=[\"x\",\"y=z\"]", "--input", "flag=true")]
    [InlineData("=a=b 4 a false", "--input", "who==a=b", "--input", "n=4")]
    public async Task Inputs_AreReadAsTheirTypesAndCommandLineWins(string output, params string[] args)
    {
        string file = _folder.Write("in.json", """{"who":"file","n":7,"list":["q"]}""");
        CommandResult result = await RunAsync(Inputs, [.. args.Select(a => a == "F" ? file : a)]);
        Assert.Equal((0, output + "\n"), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData("the input 'n': 'x' is not of type integer|there is no input 'zz'|'novalue' is no input|the input 'list': 'a' is not of type array<string>; write it as JSON|'flag': 'yes'",
        null, "--input", "n=x", "--input", "zz=1", "--input", "novalue", "--input", "list=a", "--input", "flag=yes")]
    [InlineData("the input 'n' is given twice, as '3' and as '4'; give it once|the input 'list' is given twice, as '[]' and as '[]'; give it once, a list as JSON", null, "--input", "n=3", "--input", "list=[]", "--input", "n=4", "--input", "list=[]")]
    [InlineData("the input 'n': integer is wanted, this is string|there is no input 'zz'", """{"n":"x","zz":1}""")]
    [InlineData("the inputs must be a JSON object by name; this is array", "[1]")]
    [InlineData("in.json' (--input-file), line 2, is not JSON", "{\"who\":\n")]
    [InlineData("(--input-file), line 1, is not JSON", "")]
    [InlineData("there is no file 'none.json' (--input-file)", null, "--input-file", "none.json")]
    [InlineData("'/' (--input-file) is a folder, not a file", null, "--input-file", "/")]
    [InlineData("Required argument missing for option: '--input'", null, "--input")]
    [InlineData("there is no option '--jsno'; did you mean '--json'?", null, "--jsno")]
    public async Task WrongInputs_AreAllToldAtOnceAndNothingRuns(string messages, string? json, params string[] args)
    {
        string[] file = json is null ? [] : ["--input-file", _folder.Write("in.json", json)];
        CommandResult result = await RunAsync(Inputs, ["--json", .. file, .. args]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.All(messages.Split('|'), m => Assert.Contains(m, result.Error));
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Theory]
    [InlineData("3:14: there is no task kind 'sandbox.rum'; did you mean 'sandbox.run'?", "a: { uses: sandbox.rum }")]
    [InlineData("3:3: the tasks wait for each other: a -> b -> a", "a: { uses: file.read, needs: b, with: { path: x } }\n  b: { uses: file.read, needs: a, with: { path: x } }")]
    [InlineData("3:39: the task 'a'.for_each wants a list; input is object", "a: { uses: file.read, for_each: \"${{ input }}\", with: { path: x } }")]
    [InlineData("w.yaml:3:36: the task 'a'.with.agent names an agent of a C# program, and the millstream command has none", "a: { uses: agent, with: { agent: Foo } }")]
    [InlineData("there is no task kind '\ufffd[2J'", "a: { uses: \"\\e[2J\" }")]
    public async Task WrongDefinition_EndsWith2AndPrintsNoLine(string message, string tasks)
    {
        CommandResult result = await RunAsync($"name: w\ntasks:\n  {tasks}\n", ["--json"]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error);
        Assert.DoesNotContain('\e', result.Error);
    }

    [Fact]
    public async Task MissingInput_EndsWith2AndNamesIt()
    {
        CommandResult result = await RunAsync("name: w\ninput: { path: { type: string } }\ntasks:\n  a: { uses: file.read, with: { path: \"${{ input.path }}\" } }\n");
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("millstream: the input 'path' (string) is missing; give it with --input path=VALUE\n", result.Error);
    }

    [Theory]
    [InlineData("there is no file 'none.yaml'", "none.yaml")]
    [InlineData("'/' is a folder, not a file", "/")]
    [InlineData("the argument FILE is empty", "")]
    [InlineData("the file is empty", "/dev/null")]
    public async Task FileThatIsNone_EndsWith2(string message, string file)
    {
        CommandResult result = await CommandProcess.RunAsync("run", file);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error);
    }

    [Theory]
    [InlineData("task a can never run: no worker offers a tpu", "{ type: tpu }")]
    public async Task RequirementThatNobodyCanSatisfy_FailsAtOnceAndSaysWhich(string message, string requires)
    {
        CommandResult result = await RunAsync($"name: n\nresources: {{ gpu: 1 }}\ntasks:\n  a: {{ uses: file.read, with: {{ path: x }}, requires: [{requires}] }}\n");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.EndsWith($"millstream: {message}\n", result.Error);
    }

    [Theory]
    [InlineData("slot: 4", "file.read, with: { path: x }", ":2:14: the resource 'slot' stands for the slots")]
    [InlineData("\"\": 3", "file.read, with: { path: x }", ":2:14: the resource '' must be 1 to 64 letters")]
    [InlineData("gpu: 1", "file.read, with: { path: x }, requires: [{ type: gpu, amount: 2 }]", "requires[0] asks for 2 gpu, but 'resources' offers 1")]
    [InlineData("gpu: 16", "sandbox.run, with: { command: [ls] }, requires: [{ type: gpu, amount: 16 }]", "needs 17 resources together")]
    [InlineData("gpu: 16", "sandbox.run, with: { command: [ls] }, requires: [{ type: sandbox }]", "which sandbox.run has by itself")]
    public async Task ResourcesThatCanNeverServe_EndWith2(string resources, string uses, string message)
    {
        CommandResult result = await RunAsync($"name: n\nresources: {{ {resources} }}\ntasks:\n  a: {{ uses: {uses} }}\n");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error);
        Assert.DoesNotContain("fault of millstream", result.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FailedRun_ShowsTheStackOnlyWithVerbose(bool json)
    {
        const string workflow = "name: v\ntasks:\n  a: { uses: file.read, with: { path: /nowhere } }\n";
        string[] args = json ? ["--json"] : [];
        Assert.DoesNotContain("   at ", (await RunAsync(workflow, args)).Error);
        CommandResult verbose = await RunAsync(workflow, [.. args, "--verbose"]);
        Assert.Equal(1, verbose.ExitCode);
        Assert.Contains("TerminalTaskException: file.read: there is no file", verbose.Error);
        Assert.Contains("   at Millstream.", verbose.Error);
        Assert.DoesNotContain("   at ", verbose.Output);
    }

    [Fact]
    public async Task OutputThatFails_NamesFileLineAndExpressionAndNoTask()
    {
        const string workflow = "name: o\ntasks:\n  a: { uses: template, with: { text: x } }\noutput: \"${{ input.n }} ${{ split(tasks.a.output.text, ',')[3] }}\"\ninput: { n: { type: integer, default: 1 } }\n";
        Assert.Matches(@"\nmillstream: [^\n]*w\.yaml:4:28: \$\{\{ split\(tasks\.a\.output\.text, ','\)\[3\] \}\} is null", (await RunAsync(workflow)).Error);
        Assert.Contains("\"task\":null}", (await RunAsync(workflow, "--json")).Output.TrimEnd().Split('\n')[^1]);
    }

    [Fact]
    public async Task HttpToAClosedPort_FailsAndNamesTheAddress()
    {
        CommandResult result = await RunAsync("name: h\ntasks:\n  a: { uses: http.get, with: { url: \"http://127.0.0.1:9/x\" } }\n");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("http.get: http://127.0.0.1:9/x: Connection refused", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task Json_HoldsItsContractForFanOutRetriesAndChildren()
    {
        _folder.Write("inner.yaml", "name: inner\ninput: { list: { type: \"array<string>\" } }\ntasks:\n  one: { uses: template, for_each: \"${{ input.list }}\", with: { text: \"${{ item }}\" } }\noutput: ${{ tasks.one.output[].text }}\n");
        CommandResult result = await RunAsync("""
            name: outer
            tasks:
              sub: { uses: workflow, with: { file: inner.yaml, input: { list: [a, b, c, d] } } }
              bad: { uses: file.read, for_each: "${{ ['x', 'y'] }}", with: { path: "/nowhere/${{ item }}" }, retry: { attempts: 2, delay: 1ms }, continue_on_error: true }
            output: { sub: "${{ tasks.sub.output }}", bad: "${{ tasks.bad.output }}" }
            """, ["--json"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        JsonElement[] lines = JsonLines.Check(result.Output);
        Assert.Equal("""{"sub":["a","b","c","d"],"bad":[null,null]}""", lines[^1].GetProperty("output").GetRawText());
        Assert.Contains(lines, l => l.Kind() == "task.completed" && l.GetProperty("task").GetString() == "one[3]" && l.GetProperty("job").GetString()!.Contains('/'));
        Assert.Equal(["bad[0]", "bad[1]"], lines.Where(l => l.Kind() == "task.failed").Select(l => l.GetProperty("task").GetString()!).Order());
    }

    [Fact]
    public async Task Plain_ShowsTasksOfNestedWorkflowsAndCountsThem()
    {
        _folder.Write("inner.yaml", "name: inner\ntasks:\n  one: { uses: template, with: { text: x } }\n  two: { uses: file.read, with: { path: /nowhere/x }, continue_on_error: true }\n");
        CommandResult result = await RunAsync("""
            name: outer
            tasks:
              sub: { uses: workflow, with: { file: inner.yaml } }
              subs: { uses: workflow, for_each: "${{ ['a', 'b'] }}", with: { file: inner.yaml } }
            """);
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"sub/one completed in \S+ s \[\d/2\]", result.Error);
        Assert.Contains("sub/two failed: file.read: ", result.Error);
        Assert.Contains("subs[1]/two failed: file.read: ", result.Error);
        Assert.Matches(@"subs completed in \S+ s, 2 of 2 completed \[\d/2\]", result.Error);
        Assert.Matches(@"completed: 2 of 2 tasks, \S+ s\n$", result.Error);
    }

    [Fact]
    public async Task TaskThatFailsBeforeItStarts_SaysWhy()
    {
        _folder.Write("inner.yaml", "name: inner\ninput: { x: { type: any } }\ntasks:\n  one: { uses: template, with: { text: \"${{ input.x.y }}\" }, continue_on_error: true }\n");
        CommandResult result = await RunAsync("""
            name: early
            tasks:
              bad: { uses: file.read, with: { path: /nowhere/x }, continue_on_error: true }
              text: { uses: template, with: { text: "${{ tasks.bad.output.text }}" }, continue_on_error: true }
              sub: { uses: workflow, for_each: "${{ ['a'] }}", with: { file: inner.yaml, input: { x: "${{ item }}" } } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@" text failed \[\d/3\]: [^\n]*w\.yaml:4:45: with\.text: string is wanted; \$\{\{ tasks\.bad\.output\.text \}\} is null, since the task 'bad' failed: ", result.Error);
        Assert.Matches(@" bad failed in \S+ s \[\d/3\]\n", result.Error);
        Assert.Matches(@" sub\[0\]/one failed: [^\n]*inner\.yaml:4:44: with\.text: ", result.Error);
        Assert.Matches(@"\ncompleted: 2 failed, 1 completed, \S+ s\n$", result.Error);
    }

    [Fact]
    public async Task FailedRun_CountsWhatBecameOfItsTasks()
    {
        CommandResult result = await RunAsync("""
            name: ends
            tasks:
              a: { uses: template, with: { text: x } }
              b: { uses: file.read, with: { path: "/nowhere/${{ tasks.a.output.text }}" } }
              c: { uses: template, needs: b, with: { text: x } }
              d: { uses: template, needs: c, with: { text: x } }
            """);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"\nfailed: 1 failed, 2 skipped, 1 completed, \S+ s\n", result.Error);
    }

    [Fact]
    public async Task FanOuts_SayThatTheyStartedAndHowManyRuns()
    {
        _folder.Write("inner.yaml", "name: inner\ninput: { x: { type: string } }\ntasks:\n  one: { uses: template, with: { text: \"${{ input.x }}\" } }\n");
        CommandResult result = await RunAsync("""
            name: fans
            tasks:
              each: { uses: template, for_each: "${{ ['a', 'b', 'c'] }}", with: { text: "${{ item }}" } }
              few: { uses: template, for_each: "${{ ['a', 'b', 'c'] }}", max_parallel: 2, with: { text: "${{ item }}" } }
              subs: { uses: workflow, for_each: "${{ ['a', 'b', 'c', 'd'] }}", with: { file: inner.yaml, input: { x: "${{ item }}" } } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["each started, 3 runs", "few started, 2 runs at once", "subs started, 4 runs"],
            Regex.Matches(result.Error, @"(?<=^\S+ ).* started.*$", RegexOptions.Multiline).Select(m => m.Value).Order());
    }

    [Fact]
    public async Task FileWrite_SaysWhatItWrote()
    {
        string path = Path.Combine(_folder.Path, "out.md");
        CommandResult result = await RunAsync($"name: w\ntasks:\n  a: {{ uses: file.write, with: {{ path: \"{path}\", text: x }} }}\n");
        Assert.Contains($"s, wrote {path} [1/1]", result.Error);
    }

    [Fact]
    public async Task OnFailureWait_ActsAsFinishSinceNobodyCanSignal()
    {
        CommandResult result = await RunAsync("name: w\non_failure: wait\ntasks:\n  a: { uses: file.read, with: { path: /nowhere/x } }\n  b: { uses: template, needs: a, with: { text: b } }\n  c: { uses: template, with: { text: c } }\n", "--in-memory");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("millstream: nobody can send this run a signal, so 'on_failure: wait' acts as 'finish' here\n", result.Error);
        Assert.Contains("c completed", result.Error);
        Assert.Contains("b skipped", result.Error);
    }

    [Theory]
    [InlineData("null", "")]
    [InlineData("\"two\\nlines\\n\"", "two\nlines\n")]
    [InlineData("{ a: 1 }", "{\n  \"a\": 1\n}\n")]
    public async Task Output_IsTextAsItIsOrJsonOrNothing(string value, string printed)
    {
        CommandResult result = await RunAsync($"name: o\ntasks:\n  a: {{ uses: template, with: {{ text: x }} }}\noutput: {value}\n");
        Assert.Equal((0, printed), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData(">/dev/full", "No space left on device")]
    [InlineData("--json >/dev/full", "No space left on device")]
    public async Task OutputThatCannotBeWritten_EndsWith1AndSaysWhy(string arguments, string reason)
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("there is no /dev/full");
        string file = _folder.Write("w.yaml", Inputs);
        CommandResult result = await CommandProcess.RunAsync("sh", ["-c", $"exec dotnet \"$0\" run \"$1\" {arguments}", Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), file]);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(new Regex($"could not be written: {reason}"), result.Error);
    }

    private Task<CommandResult> RunAsync(string workflow, params string[] args) => CommandProcess.RunAsync(["run", _folder.Write("w.yaml", workflow), .. args]);
}
