using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Millstream.Cli.Tests;

/// <summary>The command as a process: what it prints where, and how it ends.</summary>
[Collection("processes")]
public sealed class CommandTests : IDisposable
{
    private const string Sizes = """
        name: sizes
        version: 2
        input: { path: { type: string } }
        tasks:
          list: { uses: sandbox.run, with: { command: [ls, "${{ input.path }}"] }, description: 'all <files> & "more"' }
          count: { uses: sandbox.run, with: { command: [wc], stdin: "${{ tasks.list.output.stdout }}" } }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Version_IsPrintedAlone()
    {
        CommandResult result = await CommandProcess.RunAsync("--version");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", result.Output);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Help_NamesTheCommands()
    {
        CommandResult result = await CommandProcess.RunAsync("--help");
        Assert.Equal(0, result.ExitCode);
        Assert.All(["validate", "graph", "completion", "--verbose"], word => Assert.Contains(word, result.Output));
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("graph", "--help")]
    [InlineData("graph", "--wrong", "-?")]
    public async Task Help_IsNoError(params string[] args)
    {
        CommandResult result = await CommandProcess.RunAsync(args);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("Usage:", result.Output);
    }

    [Fact]
    public async Task PathThatLooksLikeWindowsHelp_IsAPath() => Assert.Contains("there is no file '/h'", (await CommandProcess.RunAsync("validate", "/h")).Error);

    [Theory]
    [InlineData("there is no command 'valdate'; did you mean 'validate'?", "valdate", "x.yaml")]
    [InlineData("there is no option '--fromat'; did you mean '--format'?", "graph", "x.yaml", "--fromat", "svg")]
    [InlineData("there is no option '--vrebose'; did you mean '--verbose'?", "validate", "x.yaml", "--vrebose")]
    [InlineData("there is an argument too many: 'y.yaml'", "graph", "x.yaml", "y.yaml")]
    [InlineData("Required argument 'FILE' missing for command: 'validate'", "validate")]
    [InlineData("Argument 'png' not recognized. Must be one of: 'mermaid' 'dot' 'svg'", "graph", "x.yaml", "--format", "png")]
    [InlineData("'csh'", "completion", "csh")]
    [InlineData("Required command was not provided", "--verbose")]
    public async Task WrongUsage_EndsWith2AndSaysWhat(string message, params string[] args)
    {
        CommandResult result = await CommandProcess.RunAsync(args);
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.StartsWith("millstream: ", result.Error);
        Assert.Contains(message, result.Error);
        Assert.Matches("Try 'millstream[a-z ]* --help'.\n$", result.Error);
        Assert.InRange(result.Error.Count(c => c == '\n'), 2, 3);
    }

    [Fact]
    public async Task NoArguments_PrintHelpToStderr()
    {
        CommandResult result = await CommandProcess.RunAsync();
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("validate", result.Error);
    }

    [Fact]
    public async Task Validate_RightFile_SaysWhatItHolds()
    {
        string path = _folder.Write("my sizes.yaml", Sizes);
        CommandResult result = await CommandProcess.RunAsync("validate", path);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal($"{path}: sizes version 2, 1 input (path, needed), 2 tasks\n", result.Output);
    }

    [Fact]
    public async Task Validate_WrongFiles_TellsEveryFaultWithItsPlace()
    {
        string right = _folder.Write("right.yaml", Sizes);
        string wrong = _folder.Write("wrong.yaml", "name: w\ntasks:\n  a: { uses: sandbox.rum }\n  b: { uses: file.read, with: { path: \"${{ tasks.c.output }}\" } }\n");
        CommandResult result = await CommandProcess.RunAsync("validate", wrong, right, Path.Combine(_folder.Path, "@none.yaml"));
        Assert.Equal(2, result.ExitCode);
        string[] lines = result.Error.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith($"{wrong}:3:14: there is no task kind 'sandbox.rum'; did you mean 'sandbox.run'?", lines[0]);
        Assert.StartsWith($"{wrong}:4:", lines[1]);
        Assert.StartsWith("millstream: there is no file '", lines[2]);
        Assert.StartsWith(right, result.Output);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Theory]
    [InlineData("mermaid", "flowchart TD\n", "t_list --> t_count")]
    [InlineData("dot", "digraph \"sizes\" {", "\"list\" -> \"count\";")]
    [InlineData("svg", "<svg xmlns=", "<title>list → count</title>")]
    public async Task Graph_WritesTheFormat(string format, string start, string edge)
    {
        string path = _folder.Write("sizes.yaml", Sizes), output = Path.Combine(_folder.Path, "out." + format);
        CommandResult printed = await CommandProcess.RunAsync("graph", path, "--format", format);
        CommandResult written = await CommandProcess.RunAsync("graph", path, "--format", format, "--output", output);
        Assert.Equal((0, "", 0, "", ""), (printed.ExitCode, printed.Error, written.ExitCode, written.Error, written.Output));
        Assert.Equal(printed.Output, File.ReadAllText(output));
        Assert.Contains(start, printed.Output);
        Assert.Contains(edge, printed.Output);
        if (format == "svg")
            Assert.Contains(XDocument.Parse(printed.Output).Descendants(), e => e.Value == "list: all <files> & \"more\"");
    }

    [Fact]
    public async Task Graph_WithoutFormat_IsMermaid() =>
        Assert.Contains("flowchart", (await CommandProcess.RunAsync("graph", _folder.Write("sizes.yaml", Sizes))).Output);

    [Fact]
    public async Task Graph_WrongFile_EndsWith2()
    {
        CommandResult result = await CommandProcess.RunAsync("graph", _folder.Write("w.yaml", "name: w\ntasks: {}\n"));
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"w\.yaml:2:\d+: ", result.Error);
    }

    [Fact]
    public async Task Error_OnlyVerboseShowsTheStack()
    {
        string path = _folder.Write("sizes.yaml", Sizes), output = Path.Combine(_folder.Path, "no/such/folder.svg");
        CommandResult plain = await CommandProcess.RunAsync("graph", path, "--output", output);
        CommandResult verbose = await CommandProcess.RunAsync("graph", path, "--output", output, "--verbose");
        Assert.Equal((1, 1), (plain.ExitCode, verbose.ExitCode));
        Assert.Single(plain.Error.TrimEnd().Split('\n'));
        Assert.Contains($"'{output}' of --output cannot be written", plain.Error);
        Assert.Contains("   at Millstream.Cli", verbose.Error);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Completion_IsAScriptForTheShell(string shell)
    {
        CommandResult result = await CommandProcess.RunAsync("completion", shell);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("[suggest:", result.Output);
        Assert.DoesNotMatch(new Regex("\r"), result.Output);
    }

    [Theory]
    [InlineData("millstream ", "validate graph completion")]
    [InlineData("millstream graph x.yaml --format ", "mermaid dot svg")]
    [InlineData("millstream graph x.yaml --fo", "--format")]
    public async Task Suggest_OffersWhatMayComeNext(string line, string words)
    {
        CommandResult result = await CommandProcess.RunAsync($"[suggest:{line.Length}]", line);
        Assert.Subset(result.Output.Split('\n').ToHashSet(), words.Split(' ').ToHashSet());
    }
}
