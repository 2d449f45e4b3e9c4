namespace Millstream.Definitions.Tests;

/// <summary>The samples' workflow files are read without faults.</summary>
public sealed class SampleTests
{
    private static string Samples { get; } = Path.Combine(DocsTests.Root(), "samples");

    public static TheoryData<string> Workflows() =>
        [.. Directory.EnumerateFiles(Samples, "workflow*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Samples, f)).Order()];

    [Theory, MemberData(nameof(Workflows))]
    public void Sample_IsRead(string file) => Assert.NotEmpty(WorkflowFile.Read(Path.Combine(Samples, file)).Tasks);

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
}
