using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

/// <summary>What a file may offer and ask for: what could never run is told before anything does.</summary>
public sealed class RequirementTests
{
    [Theory]
    [InlineData("slot: 4", "2:14: the resource 'slot' stands for the slots of a worker, which every task takes by itself; use another type")]
    [InlineData("\"\": 3", "2:14: the resource '' must be 1 to 64 letters, digits, '_' or '-'")]
    [InlineData("\"a b\": 3", "2:14: the resource 'a b' must be 1 to 64 letters, digits, '_' or '-'")]
    [InlineData("gpu: 2147483647", "2:19: the resource 'gpu' must be a whole number of at most 10000, this is 2147483647")]
    [InlineData("gpu: 10001", "2:19: the resource 'gpu' must be a whole number of at most 10000, this is 10001")]
    [InlineData("a: 10000, b: 10000, c: 10000, d: 10000, e: 10000, f: 10000, g: 10000, h: 10000, i: 10000, j: 10000, k: 1", "2:12: 'resources' offers 100001 in all; at most 100000 are allowed")]
    public void Resources_Wrong_AreFaults(string resources, string fault) =>
        Assert.Equal([fault], Faults($"name: t\nresources: {{ {resources} }}\ntasks: {{ a: {{ uses: file.read, with: {{ path: x }} }} }}"));

    [Theory]
    [InlineData("file.read, with: { path: x }", "{ type: gpu, amount: 2 }", "requires[0] asks for 2 gpu, but 'resources' offers 1; change one of them, or leave gpu out of 'resources' where the host offers it")]
    [InlineData("file.read, with: { path: x }", "{ type: gpu }, { type: gpu }", "requires[1] asks for 1 gpu, but with those before it that is 2, and 'resources' offers 1")]
    [InlineData("file.read, with: { path: x }", "{ type: gpu, labels: mem >= 16 }", "requires[0] asks for 1 gpu with mem >= 16, but what 'resources' offers has no labels")]
    [InlineData("file.read, with: { path: x }", "{ type: gpu, exclusive: false, amount: 5 }", "requires[0] asks for 5 units of gpu, but what 'resources' offers has 1 unit each")]
    [InlineData("file.read, with: { path: x }", "{ type: cpu, amount: 8 }, { type: tpu, amount: 9 }", "needs 17 resources together (8 cpu, 9 tpu); 16 is the most that one task may take")]
    [InlineData("file.read, with: { path: x }", "{ type: cpu, amount: 17 }", "requires[0].amount must be a whole number of at most 16, this is 17")]
    [InlineData("file.read, with: { path: x }", "{ type: slot }", "requires[0].type is 'slot', which every task takes by itself; leave it out")]
    [InlineData("file.read, with: { path: x }", "{ type: '' }", "requires[0].type is empty; name the type of the resource")]
    [InlineData("sandbox.run, with: { command: [ls] }", "{ type: cpu, amount: 16 }", "needs 17 resources together (1 sandbox of sandbox.run, 16 cpu); 16 is the most")]
    [InlineData("sandbox.run, with: { command: [ls] }", "{ type: sandbox }", "requires[0] asks for a sandbox, which sandbox.run has by itself; leave it out")]
    public void Requires_ThatCanNeverBeMet_IsAFault(string uses, string requires, string fault)
    {
        string only = Assert.Single(Faults($"name: t\nresources: {{ gpu: 1 }}\ntasks:\n  a: {{ uses: {uses}, requires: [{requires}] }}"));
        Assert.StartsWith("4:", only, StringComparison.Ordinal);
        Assert.Contains(fault, only, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ type: gpu, amount: 2 }")]
    [InlineData("{ type: gpu }, { type: gpu, exclusive: false }")]
    [InlineData("{ type: cpu, amount: 16 }")]
    [InlineData("{ type: cpu, amount: 100000, exclusive: false, labels: fast }")]
    public void Requires_ThatCanBeMet_IsRead(string requires) =>
        Assert.NotEmpty(WorkflowFile.Parse($"name: t\nresources: {{ gpu: 2 }}\ntasks:\n  a: {{ uses: file.read, with: {{ path: x }}, requires: [{requires}] }}").Tasks[0].Requires);

    [Fact]
    public void Requires_OfNestedFiles_IsHeldAgainstWhatAllOfThemOffer()
    {
        string folder = Directory.CreateTempSubdirectory("millstream").FullName;
        try
        {
            string inner = Path.Combine(folder, "inner.yaml");
            File.WriteAllText(inner, "name: inner\nresources: { gpu: 1 }\ntasks:\n  a: { uses: file.read, with: { path: x }, requires: [{ type: gpu, amount: 3 }] }\n");
            Assert.Contains("'resources' offers 1", Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(inner)).Message, StringComparison.Ordinal);
            string outer = Path.Combine(folder, "outer.yaml");
            string tasks = "tasks:\n  sub: { uses: workflow, with: { file: inner.yaml } }\n";
            File.WriteAllText(outer, $"name: outer\nresources: {{ gpu: 3 }}\n{tasks}");
            Assert.Equal(3, WorkflowFile.Read(outer).AllResources()["gpu"]);
            File.WriteAllText(outer, $"name: outer\nresources: {{ gpu: 2 }}\n{tasks}");
            WorkflowFault fault = Assert.Single(Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(outer)).Faults);
            Assert.Equal((inner, 4, 55), (fault.File, fault.Line, fault.Column));
            Assert.Contains("'resources' offers 2", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
