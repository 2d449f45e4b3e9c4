using System.Text.Json;

namespace Millstream.Definitions.Tests;

/// <summary>Workflows that a model writes: what they may use, and that they reach no further than tools do.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-plan-").FullName;
    private readonly FileWorkflowAgent _agent = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private WorkflowRules Rules(params string[] kinds) => new(kinds, _folder);

    private WorkflowReading Read(string text, params string[] kinds) => new FileWorkflowReader(_agent).Read(text, Rules(kinds));

    private static string Task(string uses, string with) => $"name: p\ntasks:\n  a: {{ uses: {uses}, with: {{ {with} }} }}\noutput: ${{{{ tasks.a.output }}}}\n";

    [Fact]
    public void Read_KindThatIsNotAllowed_IsAFaultWithItsLine() =>
        Assert.Equal(["line 3: the task 'a' uses file.write, which is not allowed here; allowed are: file.read, template"], Read(Task("file.write", "path: x, text: y"), "file.read", "template").Faults);

    [Theory]
    [InlineData("no yaml: [", "this is not YAML")]
    [InlineData("name: p\ninput: { x: { type: string } }\ntasks:\n  a: { uses: template, with: { text: \"${{ input.x }}\" } }\n", "the input 'x' has no default")]
    [InlineData("name: p\ntasks:\n  a: { uses: template, with: { file: secret.txt } }\n", "is not among the texts")]
    [InlineData("name: p\ntasks:\n  a: { uses: agent, with: { agent: llm-agent, input: {} } }\n", "names an agent of a C# program")]
    public void Read_WhatCannotRun_IsAFault(string text, string fault) => Assert.Contains(Read(text, "template", "agent").Faults, f => f.Contains(fault, StringComparison.Ordinal));

    [Theory]
    [InlineData("file.read", "path: /etc/hostname", "is absolute")]
    [InlineData("file.read", "path: ../../../etc/hostname", "leads out of the folder")]
    [InlineData("file.read", "path: link", "symbolic link")]
    [InlineData("file.write", "path: ../x, text: y", "leads out of the folder")]
    [InlineData("file.write", "path: .bashrc, text: y", "begins with a dot")]
    public async Task Run_PathThatLeadsOut_IsRefused(string uses, string with, string message)
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), "/etc/hostname");
        JobEnding ending = await RunAsync(Read(Task(uses, with), uses));
        Assert.Contains(message, Assert.IsType<JobEnding.Failed>(ending).Error.Message);
    }

    [Fact]
    public async Task Run_FileOfTheFolder_IsReadWithItsLines()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "a.txt"), "one\ntwo\n");
        JobEnding ending = await RunAsync(Read("name: p\ntasks:\n  a: { uses: file.read, with: { path: a.txt } }\noutput: ${{ tasks.a.output.lines }}\n", "file.read"));
        Assert.Equal("""["one","two"]""", ((JsonElement)Assert.IsType<JobEnding.Completed>(ending).Output!).GetRawText());
    }

    [Fact]
    public void Guide_NamesTheKindsAndTheFiles()
    {
        string guide = new FileWorkflowReader(_agent).Guide(Rules("file.read", "agent") with { Files = new Dictionary<string, string> { ["reader.yaml"] = "kind: agent\nname: r\n" } });
        Assert.All(["- file.read: with { path!: string }", "- agent: with { file!", "reader.yaml"], part => Assert.Contains(part, guide));
        Assert.DoesNotContain("sandbox.run", guide);
    }

    private async Task<JobEnding> RunAsync(WorkflowReading plan)
    {
        Assert.Empty(plan.Faults);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Agents = new AgentRegistry().Add(_agent) });
        Job job = await orchestrator.CreateJobAsync(FileWorkflowAgent.AgentId, plan.Input);
        return await job.Ending;
    }
}
