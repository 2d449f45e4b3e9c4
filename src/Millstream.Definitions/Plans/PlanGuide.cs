using System.Text;

namespace Millstream.Definitions;

/// <summary>What a model has to know to write a workflow.</summary>
internal static class PlanGuide
{
    private const string Language = """
        Answer with one workflow in YAML and nothing else. It runs at once, tasks beside each other as far as they do not need each other, and its output is the result.
        name: a-name
        tasks:
          first:                                  # an id: letters, digits and _
            uses: KIND
            with: { KEY: VALUE }
          each:
            for_each: ${{ tasks.first.output.lines }}   # a list: the task runs once for each item, all beside each other
            uses: KIND
            with: { KEY: "text with ${{ item }}" }
            retry: { attempts: 3 }
            continue_on_error: true               # others go on when it fails; its output is null then
          last:
            uses: KIND
            with: { KEY: "${{ join(', ', tasks.each.output[].text) }}" }
        output: ${{ tasks.last.output.text }}
        Expressions are JMESPath over `tasks.ID.output` and, under for_each, `item` and `index`. A task that names another one waits for it; `needs: [ID]` waits without naming. Literals in expressions
        stand in back-ticks. Quote what holds ${{ }} inside [ ] or { }. Make no task that others could do without, and let independent work be tasks of their own.
        """;

    public static string Of(WorkflowRules rules)
    {
        StringBuilder text = new(Language);
        text.Append("\nThe kinds of tasks that you may use, with what stands under `with` (! must be there) and what `output` holds:");
        foreach (string kind in rules.Kinds)
        {
            if (KindShape.BuiltIn.TryGetValue(kind, out KindShape? shape))
                text.Append($"\n- {kind}: with {{ {With(shape)} }} gives {{ {string.Join(", ", shape.Output.Fields.Keys)} }}{Note(kind)}");
        }
        if (rules.Files.Count > 0)
            text.Append($"\nFiles that `file` may name: {string.Join(", ", rules.Files.Keys.Order(StringComparer.Ordinal))}");
        return text.ToString();
    }

    private static string With(KindShape shape) => shape.Name switch
    {
        "agent" => "file!: one of the files below, prompt: string, input: any",
        // The rest is not for plans.
        "http.get" => "url!: string",
        "sandbox.run" => "command!: array<string>, stdin: string, files: object of texts by path, collect: array<string>",
        "file.read" => "path!: string",
        _ => string.Join(", ", shape.With.Fields.Select(f => $"{f.Key}{(f.Value.Required ? "!" : "")}: {f.Value.Type}")),
    };

    private static string Note(string kind) => kind switch
    {
        "agent" => "the output itself is the agent's answer, text unless its file says otherwise; the agent sees the prompt and nothing else",
        "llm.chat" => "; one call of a model without tools",
        "sandbox.run" => "; a Linux sandbox without network, the work folder can be read at /data",
        "file.read" or "file.write" => "; paths inside the work folder",
        "http.get" => "; public addresses",
        _ => "",
    };
}
