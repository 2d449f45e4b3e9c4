using System.Text.Json;

namespace Millstream.Definitions.Tests;

/// <summary>The samples' workflow files are read without faults, and a report is laid out of what its sandboxes print.</summary>
public sealed class SampleTests
{
    private static string Samples { get; } = Path.Combine(DocsTests.Root(), "samples");

    public static TheoryData<string> Workflows() =>
        [.. Directory.EnumerateFiles(Samples, "workflow*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Samples, f)).Order()];

    [Theory, MemberData(nameof(Workflows))]
    public void Sample_IsReadAndFitsTheSchema(string file)
    {
        string path = Path.Combine(Samples, file);
        Assert.NotEmpty(WorkflowFile.Read(path).Tasks);
        Assert.Empty(new MiniSchema(DocsTests.Schema).Validate(DocsTests.ToJson(File.ReadAllText(path))));
    }

    [Fact]
    public void RepoReport_RunsTasksSideBySideAndSavesLast()
    {
        WorkflowDefinition workflow = WorkflowFile.Read(Path.Combine(Samples, "repo-report", "workflow.yaml"));
        Dictionary<string, IReadOnlyList<string>> needs = workflow.Tasks.ToDictionary(t => t.Id, t => t.DependsOn);
        Assert.Empty(needs["list"]);
        Assert.Empty(needs["git"]);
        Assert.Equal(["list"], needs["scan"]);
        Assert.Equal(["list"], needs["copies"]);
        Assert.Equal(["report"], needs["save"]);
        Assert.Equal("/srv", workflow.BindInput(["path=/srv"]).GetProperty("path").GetString());
        Assert.Equal("./repo-report.md", workflow.BindInput().GetProperty("report").GetString());
    }

    [Fact]
    public async Task RepoReport_LaysOutWhatTheSandboxesPrinted()
    {
        string report = await Report(
            ["folder\t`a b`", "sum\t2 files\t1 folder\t3.0 KiB\t7 lines\t1 language", "language\tC#\t2\t7\t100.0 %\t3.0 KiB", "file\t`x\\|y`\t2.0 KiB",
                "todos\t2", "todo\t`x:1`\t`TODO one`", "more_todos\t1", "copied\t1 group\t2\t1.0 KiB", "copy\t1.0 KiB\t2\t1.0 KiB\t`p`, `q`",
                "skipped\t1 symbolic link\tnot followed\t`l`", "empty\t1 text file is", "changed"],
            ["summary\t3 commits by 1 author.", "fact\tCommits\t3", "month\t2026-11\t3\t███", "author\t`A`\t3", "busy\t`x`\t2"],
            [new { index = 1, message = "timed\nout <b>" }]);
        Assert.All(
            [
                "# Report on `a b`\n", "**2 files** in 1 folder, 3.0 KiB in all, with **7 lines** of text", "\n2 TODOs, 2 files", "\n3 commits by 1 author.\n",
                "1 of the 8 parts", "> - timed out &lt;b&gt;\n", "the folder changed while it was read", "|---|--:|--:|--:|--:|\n| C# | 2 | 7 | 100.0 % | 3.0 KiB |\n\n",
                "| `x\\|y` | 2.0 KiB |\n", "| `x:1` | `TODO one` |\n\nAnd 1 more, 2 in all.\n", "| 1.0 KiB | 2 | 1.0 KiB | `p`, `q` |\n", "| 2026-11 | 3 | ███ |\n",
                "| 1 symbolic link | not followed | `l` |\n", "1 text file is empty.",
            ],
            part => Assert.Contains(part, report));
    }

    [Fact]
    public async Task RepoReport_OfAnEmptyFolder_SaysSo()
    {
        string report = await Report(["folder\t`.`", "sum\t0 files\t0 folders\t0 B\t0 lines\t0 languages"], ["note\tNo repository."], []);
        Assert.Contains("# Report on the current folder\n\nThere are no files here.\n\n## Git\n\nNo repository.\n\n## Skipped\n\nNothing was skipped.\n", report);
    }

    private static async Task<string> Report(string[] merged, string[] git, object[] failed)
    {
        TaskDefinition task = WorkflowFile.Read(Path.Combine(Samples, "repo-report", "workflow.yaml")).Tasks.Single(t => t.Id == "report");
        object none = new { output = Array.Empty<object>(), errors = Array.Empty<object>() };
        JsonElement tasks = JsonSerializer.SerializeToElement(new
        {
            list = new { output = new { lines = new[] { "1", "2", "3", "4" } } },
            scan = new { errors = failed },
            copies = none,
            merge = new { output = new { lines = merged } },
            git = new { output = new { lines = git }, error = (string?)null },
        });
        JsonElement with = TaskInputs.With(task, KindShape.BuiltIn["template"].With, Files.Scope(Files.Json("""{"top":15}"""), tasks));
        return (await TemplateText.RunAsync(with, Path.Combine(Samples, "repo-report"), _ => { }, default)).GetProperty("text").GetString()!;
    }
}
