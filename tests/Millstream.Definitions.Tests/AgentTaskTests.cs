namespace Millstream.Definitions.Tests;

/// <summary>Tasks of workflow files that run agent files or ask models.</summary>
public sealed class AgentTaskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream").FullName;

    public AgentTaskTests()
    {
        File.WriteAllText(Path.Combine(_folder, "reader.yaml"), "kind: agent\nname: reader\noutput: { pages: array<integer> }");
        File.WriteAllText(Path.Combine(_folder, "wrong.yaml"), "kind: agent\nname: wrong\nmodle: x");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private WorkflowDefinition Read(string with, string output = "null", string uses = "agent", bool hasAgents = false)
    {
        string path = Path.Combine(_folder, "w.yaml");
        File.WriteAllText(path, $"name: w\ntasks:\n  a: {{ uses: {uses}, with: {with} }}\n  b: {{ uses: file.read, with: {{ path: x, max_bytes: \"{output}\" }} }}");
        return hasAgents ? WorkflowFile.Read(path) : WorkflowFile.ReadWithoutAgents(path);
    }

    [Fact]
    public void AgentFile_GivesTheTypeOfItsOutput()
    {
        TaskDefinition task = Read("{ file: reader.yaml, prompt: go }", "${{ tasks.a.output.pages[0] }}").Tasks[0];
        Assert.Equal("reader", task.Agent?.Name);
        Assert.Contains("pagse", Fails("{ file: reader.yaml, prompt: go }", "${{ tasks.a.output.pagse }}"));
    }

    [Theory]
    [InlineData("{ prompt: go }", "needs either 'file', an agent file, or 'agent', the id of an agent of a C# program")]
    [InlineData("{ file: reader.yaml, agent: x, prompt: go }", "the id of an agent of a C# program, not both")]
    [InlineData("{ file: reader.yaml }", "needs 'prompt' or 'input', what the agent is to do")]
    [InlineData("{ file: reader.yaml, prompt: go, version: 1 }", "has no 'version'")]
    [InlineData("{ agent: x, prompt: go }", "'prompt'")]
    [InlineData("{ agent: x }", "the millstream command has none; name an agent file under 'file'")]
    [InlineData("{ file: none.yaml, prompt: go }", "there is no file")]
    [InlineData("{ file: w.yaml, prompt: go }", "would call itself")]
    [InlineData("{ file: wrong.yaml, prompt: go }", "wrong.yaml:3:1: the agent has no key 'modle'; did you mean 'model'?")]
    public void WrongTask_IsTold(string with, string fault) => Assert.Contains(fault, Fails(with));

    [Fact]
    public void AgentOfAProgram_IsRightWhereThereAreSome() => Assert.Null(Read("{ agent: x, input: 1 }", "1", hasAgents: true).Tasks[0].Agent);

    [Fact]
    public void InputOfAJob_HoldsTheAgentsFile()
    {
        FileWorkflowInput input = FileWorkflowInput.Of(Read("{ file: reader.yaml, prompt: go }", "1"), Json.Null);
        File.Delete(Path.Combine(_folder, "reader.yaml"));
        Assert.Equal("reader", input.Definition().Tasks[0].Agent?.Name);
    }

    [Fact]
    public async Task AgentFile_WithoutAnAgentThatRunsThem_SaysWhatToRegister()
    {
        WorkflowDefinition workflow = Read("{ file: reader.yaml, prompt: go }", "1");
        var e = await Assert.ThrowsAnyAsync<Exception>(() => workflow.ToWorkflow().Agent.RunAsync(workflow.BindInput()));
        Assert.Contains("register the agent 'llm-agent' (LlmSpecAgent of Millstream.Llm)", e.Message);
    }

    [Theory]
    [InlineData("{ model: x }", "needs 'prompt' or 'messages'")]
    [InlineData("{ prompt: x, max_tokens: 0 }", "max_tokens is 0; give 1 or more")]
    [InlineData("{ prompt: x, tokens: 1 }", "has no 'tokens'")]
    [InlineData("{ messages: [{ role: boss, content: x }] }", "'boss' is not allowed")]
    public void WrongChat_IsTold(string with, string fault) => Assert.Contains(fault, Fails(with, uses: "llm.chat"));

    [Fact]
    public void Chat_GivesTypes()
    {
        Assert.Equal("llm.chat", Read("{ prompt: x, output: { type: object } }", "${{ tasks.a.output.usage.input }}", "llm.chat").Tasks[0].Uses);
        Assert.Contains("is boolean", Fails("{ prompt: x }", "${{ tasks.a.output.replayed }}", "llm.chat"));
    }

    private string Fails(string with, string output = "1", string uses = "agent") => Assert.Throws<WorkflowFileException>(() => Read(with, output, uses)).Message;
}
