using System.Text.RegularExpressions;

namespace Millstream.Cli.Tests;

/// <summary>What the README shows is what there is.</summary>
[Collection("processes")]
public sealed class ReadmeTests
{
    private static readonly string Root = FindRoot();
    private static readonly string Readme = File.ReadAllText(Path.Combine(Root, "README.md"));

    [Fact]
    public void CSharp_StandsInTheHelloSample()
    {
        string hello = File.ReadAllText(Path.Combine(Root, "samples/hello/hello.cs"));
        string[] blocks = [.. Regex.Matches(Readme, "```csharp\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(block, hello));
    }

    [Fact]
    public async Task HelloSample_Runs()
    {
        // Not answering the question is an answer too: there is no terminal.
        CommandResult result = await CommandProcess.RunAsync("dotnet", ["run", "-c", "Release", "hello.cs", "Ada"], Path.Combine(Root, "samples/hello"));
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.EndsWith("\nHello, Hallo, Salut, Ada.\n", result.Output);
        Assert.Contains("task.failed        word[3]", result.Output);
    }

    [Fact]
    public void TwoCommands_ComeFirst()
    {
        string[] commands = [.. Regex.Matches(Readme, @"^(\./[^#\n]*?) *(?:#.*)?$", RegexOptions.Multiline).Take(2).Select(m => m.Groups[1].Value)];
        Assert.Equal(["./millstream run samples/repo-report/workflow.yaml", "./test"], commands);
    }

    [Fact]
    public void Links_LeadSomewhere() =>
        Assert.All(Regex.Matches(Readme, @"\]\(([^)#]+)\)").Select(m => m.Groups[1].Value).Where(l => !l.Contains("://")), link => Assert.True(Path.Exists(Path.Combine(Root, link)), link));

    [Fact]
    public async Task Commands_AreThoseOfTheHelp()
    {
        string help = (await CommandProcess.RunAsync("--help")).Output;
        string[] commands = [.. Regex.Matches(help[help.IndexOf("Commands:", StringComparison.Ordinal)..], @"^  (\w+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value)];
        Assert.True(commands.Length >= 5, help);
        Assert.All(commands, c => Assert.Contains($"`./millstream {c}", Readme));
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Millstream.slnx")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
