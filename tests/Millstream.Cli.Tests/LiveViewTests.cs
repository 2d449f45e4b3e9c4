namespace Millstream.Cli.Tests;

/// <summary>The view in a terminal, of which <c>script</c> makes one.</summary>
[Collection("processes")]
public sealed class LiveViewTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FanOutAndNested_AreCountedInOneLineEach()
    {
        _folder.Write("inner.yaml", "name: inner\ntasks:\n  one: { uses: template, with: { text: x } }\n");
        CommandResult result = await ShowAsync(100, 30, """
            name: fan
            tasks:
              each: { uses: template, for_each: "${{ split('a,b,c,d,e,f,g', ',') }}", with: { text: "${{ item }}" } }
              subs: { uses: workflow, for_each: "${{ ['x', 'y'] }}", with: { file: inner.yaml } }
            output: done
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.All(["✓ each", "7/7", "✓ subs", "✓   one", "2/2", "completed in", "done"], text => Assert.Contains(text, Plain(result.Output)));
    }

    [Fact]
    public async Task ManyItems_StayOneLine()
    {
        string items = string.Join(',', Enumerable.Range(0, 2000));
        CommandResult result = await ShowAsync(80, 10, $$$"""
            name: fan
            input: { items: { type: "array<integer>", default: [{{{items}}}] } }
            tasks:
              each: { uses: template, for_each: "${{ input.items }}", with: { text: "${{ to_string(item) }}" } }
            """);
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("2000/2000", result.Output);
    }

    [Theory]
    [InlineData(50, 6)]
    [InlineData(200, 50)]
    public async Task Width_IsKept(int columns, int rows)
    {
        string tasks = string.Concat(Enumerable.Range(0, 12).Select(i => $"  a_task_with_quite_a_long_name_{i}: {{ uses: file.read, with: {{ path: /nowhere/{new string('x', 300)} }}, continue_on_error: true }}\n"));
        CommandResult result = await ShowAsync(columns, rows, $"name: wide\ntasks:\n{tasks}");
        Assert.Equal(0, result.ExitCode);
        Assert.All(Plain(result.Output).Split('\n', '\r').Where(l => l.Contains('✗')), line => Assert.InRange(line.Length, 1, columns));
    }

    [Fact]
    public async Task NarrowTerminal_GetsPlainLinesWithoutControlCharacters()
    {
        CommandResult result = await ShowAsync(30, 10, "name: n\ntasks:\n  a: { uses: template, with: { text: \"\\e[2Jx\" } }\noutput: \"${{ tasks.a.output.text }}\"\n");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\ufffd[2Jx", result.Output);
        Assert.DoesNotContain("\e[2J", result.Output);
    }

    [Fact]
    public async Task ControlCharactersOfATask_DoNotReachTheTerminal()
    {
        CommandResult result = await ShowAsync(100, 30, "name: n\ntasks:\n  a: { uses: template, with: { text: \"\\e]0;owned\\a\\e[31m\" } }\noutput: \"${{ tasks.a.output.text }}\"\n");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\ufffd]0;owned\ufffd\ufffd[31m", result.Output);
        Assert.DoesNotContain("\e]0;owned", result.Output);
    }

    [Fact]
    public async Task CtrlC_CancelsAndShowsIt()
    {
        await SandboxNeeded.OrSkipAsync();
        string path = _folder.Write("w.yaml", "name: s\ntasks:\n  a: { uses: sandbox.run, with: { command: [sh, -c, \"echo it is up; sleep 600\"] } }\n  b: { uses: template, needs: a, with: { text: x } }\n");
        using var run = RunningCommand.InTerminal(100, 30, path);
        await run.WaitForAsync("it is up");
        run.Type("\x03");
        CommandResult result = await run.EndAsync();
        Assert.Equal(130, result.ExitCode);
        Assert.Contains("needs a", result.Output);
        Assert.Contains("cancelled", Plain(result.Output));
    }

    [Fact]
    public async Task CtrlCTwice_GivesTheCursorBack()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.InTerminal(100, 30, IgnoresTerm);
        await run.WaitForAsync("it is up");
        run.Type("\x03");
        await run.WaitForAsync("cancelling");
        run.Type("\x03");
        CommandResult result = await run.EndAsync();
        Assert.Equal(130, result.ExitCode);
        AssertCursor(result.Output);
    }

    [Fact]
    public async Task Sigterm_EndsTheViewBeforeItSaysSo()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.InTerminal(100, 30, IgnoresTerm);
        await run.WaitForAsync("it is up");
        run.SignalInner(15);
        CommandResult result = await run.EndAsync();
        Assert.Equal(143, result.ExitCode);
        AssertCursor(result.Output);
        Assert.Matches(@"sandbox \d+/\d+ busy *\r?\n+millstream: stopped; ", Plain(result.Output).Replace("\r", "", StringComparison.Ordinal));
    }

    private string IgnoresTerm => _folder.Write("w.yaml", "name: s\ntasks:\n  a: { uses: sandbox.run, with: { command: [sh, -c, \"trap '' TERM INT HUP; echo it is up; while :; do sleep 600; done\"] } }\n");

    private static void AssertCursor(string output)
    {
        int hidden = output.LastIndexOf("\e[?25l", StringComparison.Ordinal);
        Assert.True(hidden >= 0 && output.LastIndexOf("\e[?25h", StringComparison.Ordinal) > hidden, output);
    }

    private async Task<CommandResult> ShowAsync(int columns, int rows, string workflow)
    {
        using var run = RunningCommand.InTerminal(columns, rows, _folder.Write("w.yaml", workflow));
        return await run.EndAsync();
    }

    // Without colours and cursor movements.
    private static string Plain(string output) => System.Text.RegularExpressions.Regex.Replace(output, "\e\\[[0-9;?]*[A-Za-z]", "");
}
