using System.Text.Json;

namespace Millstream.Definitions.Tests;

/// <summary>Workflow files that are executed.</summary>
public sealed class WorkflowRunTests
{
    private static readonly TaskKind Upper = new("sandbox.run", use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, (with, _) =>
    {
        string[] command = [.. with.GetProperty("command").EnumerateArray().Select(c => c.GetString()!)];
        if (command[0] == "fail")
            throw new TerminalTaskException($"failed: {string.Join(' ', command)}");
        string stdout = string.Join(' ', command);
        return Task.FromResult(JsonSerializer.SerializeToElement(new { stdout, lines = command, stderr = "", exitCode = 0, files = Array.Empty<string>() }));
    }));

    private static async Task<(JsonElement Output, List<JobEvent> Events)> RunAsync(string text, params string[] inputs)
    {
        WorkflowDefinition definition = WorkflowFile.Parse(text);
        await using AgentOrchestrator orchestrator = new();
        Job<JsonElement, WorkflowEvent, WorkflowSignal> job = await orchestrator.CreateJobAsync(definition.ToWorkflow([Upper]).Agent, definition.BindInput(inputs));
        List<JobEvent> events = [];
        await foreach (JobEvent e in job.EventsAsync())
            events.Add(e);
        return (await job.Completion, events);
    }

    [Fact]
    public async Task Run_ForEachWithFailures_KeepsPlacesAndCompletes()
    {
        (JsonElement output, List<JobEvent> events) = await RunAsync("""
            name: places
            input: { words: { type: array<string> } }
            tasks:
              each:
                for_each: ${{ input.words }}
                uses: sandbox.run
                with: { command: ["${{ item }}", "${{ to_string(index) }}"] }
                if: ${{ item != 'skip' }}
                continue_on_error: true
              text:
                uses: template
                with: { text: "{% for w in words %}[{{ w }}]{% endfor %}", values: { words: "${{ tasks.each.output[?stdout].stdout }}" } }
            output: { all: "${{ tasks.each.output[*].stdout }}", errors: "${{ tasks.each.errors }}", text: "${{ tasks.text.output.text }}", status: "${{ tasks.each.status }}" }
            """, """words=["a","fail","skip","b"]""");
        Assert.Equal("""{"all":["a 0","b 3"],"errors":[{"index":1,"message":"failed: fail 1"}],"text":"[a 0][b 3]","status":"failed"}""", output.GetRawText());
        Assert.Contains(events, e => e.Kind == "task.delta" && e.Task == "text" && e.Stream == "text");
        Assert.Equal(["each[0]", "each[1]", "each[3]", "text"], events.Where(e => e.Kind == "task.scheduled").Select(e => e.Task));
    }

    [Fact]
    public async Task Run_SkippedTask_GivesNullToItsDependants()
    {
        (JsonElement output, _) = await RunAsync("""
            name: skipped
            tasks:
              never: { uses: sandbox.run, with: { command: [x] }, if: false }
              after: { uses: sandbox.run, with: { command: ["${{ not_null(tasks.never.output.stdout, 'none') }}"] } }
            output: ["${{ tasks.never.status }}", "${{ tasks.after.output.stdout }}"]
            """);
        Assert.Equal("""["skipped","none"]""", output.GetRawText());
    }

    [Fact]
    public async Task Run_NullFoundWhenItStarts_FailsThatTaskWithThePath()
    {
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => RunAsync("""
            name: nulls
            tasks:
              never: { uses: sandbox.run, with: { command: [x] }, if: false }
              after: { uses: sandbox.run, with: { command: ["a ${{ tasks.never.output.stdout }}"] } }
            """));
        Assert.Equal("after", e.Error.Task);
        Assert.Contains("is null and cannot stand in text", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file.write, with: { path: x, text: \"${{ tasks.b.output.stdout }}\" }", "4:53: with.text: string is wanted; ${{ tasks.b.output.stdout }} is null")]
    [InlineData("template, with: { text: \"${{ tasks.b.output.stdout }}\" }", "4:42: with.text: string is wanted; ${{ tasks.b.output.stdout }} is null")]
    [InlineData("template, with: { file: \"${{ tasks.b.output.stdout }}\" }", "4:42: with.file: string is wanted; ${{ tasks.b.output.stdout }} is null")]
    [InlineData("template, with: { text: t, values: { x: \"a ${{ tasks.b.output.stdout }}\" } }", "4:60: ${{ tasks.b.output.stdout }} is null and cannot stand in text")]
    public async Task Run_NullOfATaskThatFailed_SaysWhereWhyAndWhatToDo(string uses, string message)
    {
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => RunAsync($$$"""
            name: nulls
            tasks:
              b: { uses: sandbox.run, with: { command: [fail] }, continue_on_error: true }
              a: { uses: {{{uses}}} }
            """));
        Assert.Equal(message + ", since the task 'b' failed: failed: fail; run this task only where that is there (if: ${{ tasks.b.status == 'completed' }}), or give another value: ${{ not_null(tasks.b.output.stdout, 'text') }}", e.Error.Message);
        Assert.Equal("a", e.Error.Task);
    }

    [Theory]
    [InlineData("a: { uses: template, for_each: \"${{ tasks.b.output.lines }}\", with: { text: x } }", "null", "a",
        "4:38: for_each wants a list; ${{ tasks.b.output.lines }} is null, since the task 'b' was skipped; give another value: ${{ not_null(tasks.b.output.lines, `[]`) }}")]
    [InlineData("a: { uses: template, with: { text: x, values: { n: \"${{ sum(tasks.b.output.lines[].length(@)) }}\" } } }", "null", "a", "4:58: ${{ sum(tasks.b.output.lines[].length(@)) }}: ")]
    [InlineData("a: { uses: template, with: { text: x } }", "\"${{ tasks.b.output.lines[3] }} x\"", null,
        "5:13: ${{ tasks.b.output.lines[3] }} is null and cannot stand in text, since the task 'b' was skipped; give another value: ${{ not_null(tasks.b.output.lines[3], 'text') }}")]
    public async Task Run_ExpressionThatFails_HasItsPlaceAndNoTaskButItsOwn(string task, string output, string? failed, string message)
    {
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => RunAsync($$$"""
            name: nulls
            tasks:
              b: { uses: sandbox.run, with: { command: [x] }, if: false }
              {{{task}}}
            output: {{{output}}}
            """));
        Assert.StartsWith(message, e.Error.Message, StringComparison.Ordinal);
        Assert.Equal(failed, e.Error.Task);
    }

    [Fact]
    public async Task Run_NestedWorkflow_RunsAsChildWithItsDefaults()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "inner.yaml"), """
                name: inner
                input: { a: { type: string }, b: { type: string, default: there } }
                tasks: { say: { uses: sandbox.run, with: { command: ["${{ input.a }}", "${{ input.b }}"] } } }
                output: ${{ tasks.say.output.stdout }}
                """);
            string outer = Path.Combine(folder, "outer.yaml");
            File.WriteAllText(outer, """
                name: outer
                tasks: { sub: { uses: workflow, with: { file: inner.yaml, input: { a: hello } }, timeout: 1m } }
                output: ${{ tasks.sub.output }}
                """);
            WorkflowDefinition definition = WorkflowFile.Read(outer);
            Assert.Equal("\"hello there\"", (await definition.ToWorkflow([Upper]).Agent.RunAsync(definition.BindInput())).GetRawText());
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public async Task Run_TaskThatFailsBeforeItStarts_IsSaidToHaveEndedWithTheReason()
    {
        (_, List<JobEvent> events) = await RunAsync("""
            name: early
            tasks:
              never: { uses: sandbox.run, with: { command: [x] }, if: false }
              agent: { uses: agent, with: { agent: nobody }, continue_on_error: true }
              each: { uses: template, for_each: "${{ ['a', 'b'] }}", with: { text: "${{ tasks.never.output.stdout }}" }, continue_on_error: true }
              told: { uses: sandbox.run, with: { command: [fail] }, continue_on_error: true }
            """);
        Dictionary<string, WorkflowEvent.TaskEnded> ended = events.Select(e => e.Value).OfType<WorkflowEvent.TaskEnded>().ToDictionary(e => e.Task);
        Assert.Equal("4:40: there is no agent 'nobody'; none are registered", ended["agent"].Error);
        Assert.StartsWith("each[0]: 5:76: with.text: string is wanted; ${{ tasks.never.output.stdout }} is null, since the task 'never' was skipped", ended["each"].Error, StringComparison.Ordinal);
        Assert.Equal((WorkflowTaskStatus.Failed, null), (ended["told"].Status, ended["told"].Error));
        Assert.Equal(["agent", "each"], events.Where(e => e.Kind == "event" && e.ToJson().Contains("\"error\"", StringComparison.Ordinal)).Select(e => ((WorkflowEvent.TaskEnded)e.Value!).Task).Order());
    }

    [Fact]
    public async Task Run_UnknownAgent_FailsNamingIt()
    {
        JobFailedException e = await Assert.ThrowsAsync<JobFailedException>(() => RunAsync("name: a\ntasks: { x: { uses: agent, with: { agent: nobody } } }"));
        Assert.Equal("2:43: there is no agent 'nobody'; none are registered", e.Error.Message);
    }

    [Fact]
    public async Task FileWrite_NewFile_IsCreatedAndLinksAreFollowed()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string path = Path.Combine(folder, "new.txt"), link = Path.Combine(folder, "link.txt");
            File.CreateSymbolicLink(link, path);
            await RunAsync("name: w\ninput: { p: { type: string } }\ntasks: { x: { uses: file.write, with: { path: \"${{ input.p }}\", text: one } } }", $"p={path}");
            Assert.Equal("one", File.ReadAllText(path));
            await RunAsync("name: w\ninput: { p: { type: string } }\ntasks: { x: { uses: file.write, with: { path: \"${{ input.p }}\", text: two } } }", $"p={link}");
            Assert.Equal("two", File.ReadAllText(path));
            Assert.NotNull(new FileInfo(link).LinkTarget);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void ToWorkflow_KindWithoutCode_SaysWhichThereAre()
    {
        WorkflowDefinition definition = WorkflowFile.Parse("name: s\ntasks: { x: { uses: sandbox.run, with: { command: [ls] } } }");
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => definition.ToWorkflow());
        Assert.Contains("uses sandbox.run, for which this host has no code", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("finish", FailureMode.Finish)]
    [InlineData("wait", FailureMode.Wait)]
    public void Read_OnFailure_IsKnown(string text, FailureMode expected) =>
        Assert.Equal(expected, WorkflowFile.Parse($"name: s\non_failure: {text}\ntasks: {{ x: {{ uses: agent, with: {{ agent: a }} }} }}").OnFailure);
}
