using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Crashes.Golden;

/// <summary>Stories of workflow files.</summary>
internal static class GoldenWorkflows
{
    private const string Sub = "name: sub\ninput: { n: { type: string } }\ntasks:\n  hold: { uses: sandbox.run, with: { command: [hold] } }\n  x: { uses: template, needs: hold, with: { text: \"{{ n }}\", values: { n: \"${{ input.n }}\" } } }\noutput: ${{ tasks.x.output.text }}\n";

    private const string Main = """
        name: golden
        version: 2
        input: { who: { type: string } }
        tasks:
          each: { uses: template, for_each: "${{ ['a', 'b'] }}", with: { text: "{{ i }}", values: { i: "${{ item }}" } } }
          sub: { uses: workflow, needs: each, with: { file: sub.yaml, input: { n: "${{ input.who }}" } } }
          say: { uses: template, needs: sub, with: { text: "hi {{ who }} {{ each }}\n", values: { who: "${{ tasks.sub.output }}", each: "${{ tasks.each.output[].text }}" } } }
        output: ${{ tasks.say.output.text }}
        """;

    // The sandbox's name, since files know no other kind with code from outside; it holds until its gate is opened.
    private static readonly TaskKind Hold = new("sandbox.run", use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, async (_, context) =>
    {
        await GoldenParts.World.PassAsync("hold", context);
        return JsonSerializer.SerializeToElement(new { stdout = "", lines = Array.Empty<string>(), stderr = "", exitCode = 0 });
    }));

    public static IReadOnlyList<GoldenStory> All { get; } =
    [
        Workflow("workflow", async (world, job) =>
        {
            await job.UntilAsync(JobEventKinds.ChildStarted);
            await job.SignalAsync(new { type = "pause" }, "p");
            await job.UntilAsync(JobEventKinds.ChildSignalled);
            await job.SignalAsync(new { type = "resume" }, "r");
            await job.UntilAsync(JobEventKinds.ChildSignalled, count: 2);
            world.Open("hold");
            await job.Ending;
        }),
        Workflow("open-workflow", (_, job) => job.UntilAsync(JobEventKinds.TaskStarted, "hold")) with { Output = "\"hi é<1> ab\\n\"", Finish = (_, _) => Task.CompletedTask },
    ];

    private static GoldenStory Workflow(string name, Func<GoldenWorld, Job, Task> drive)
    {
        FileWorkflowInput input = new()
        {
            Name = "golden", Version = "2", File = "golden.yaml", Folder = "/golden", Text = Main, Inputs = JsonSerializer.SerializeToElement(new { who = "é<1>" }),
            Texts = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["/golden/sub.yaml"] = Sub },
        };
        FileWorkflowAgent agent = new([Hold]);
        return new GoldenStory(name, agent, JsonSerializer.SerializeToElement(input), drive);
    }
}
