using System.Text.Json;

namespace Millstream.Definitions.Tests;

/// <summary>Short ways to read workflows in tests.</summary>
internal static class Files
{
    public const string Sizes = """
        name: sizes
        version: 1
        input:
          path: { type: string, default: "." }
        resources: { sandbox: 4 }
        tasks:
          list:
            uses: sandbox.run
            with: { command: [ls, /in], mounts: [{ host: "${{ input.path }}", path: /in, access: read }] }
            timeout: 30s
          size:
            for_each: ${{ tasks.list.output.lines }}
            uses: sandbox.run
            with: { command: [wc, -c, "/in/${{ item }}"], mounts: [{ host: "${{ input.path }}", path: /in, access: read }] }
            retry: { attempts: 3 }
            continue_on_error: true
        output: ${{ tasks.size.output[].stdout }}
        """;

    /// <summary>The faults of a text, each as line:column: message.</summary>
    public static string[] Faults(string text)
    {
        var e = Assert.Throws<WorkflowFileException>(() => WorkflowFile.Parse(text, "w.yaml"));
        return [.. e.Faults.Select(f => f.ToString()["w.yaml:".Length..])];
    }

    /// <summary>A workflow with two inputs and a task 'list' that gives lines; <paramref name="rest"/> is put behind the tasks.</summary>
    public static string Around(string task, string output = "null") => $$$"""
        name: t
        input:
          path: { type: string, default: "." }
          n: { type: integer, default: 3 }
        tasks:
          list: { uses: sandbox.run, with: { command: [ls] } }
        {{{string.Join('\n', task.Split('\n').Select(l => "  " + l))}}}
        output: {{{output}}}
        """;

    public static string Echo(string expression) => Around($"echo: {{ uses: agent, with: {{ agent: a, input: \"{expression.Replace("\\", "\\\\").Replace("\"", "\\\"")}\" }} }}");

    public static ExpressionScope Scope(JsonElement input, JsonElement? tasks = null) =>
        new(input, tasks is { } given ? given.EnumerateObject().ToDictionary(t => t.Name, t => t.Value) : []);

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
