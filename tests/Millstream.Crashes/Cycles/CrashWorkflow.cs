using System.Globalization;
using System.Text;

namespace Millstream.Crashes.Cycles;

/// <summary>The workflow file of the cycles: steps in a row, a fan-out, retries, a sub-workflow, a file, a template, and a gate before the end.</summary>
internal static class CrashWorkflow
{
    public const string Name = "crash.yaml";

    private const int Steps = 12;

    public static string Write(string folder)
    {
        const string with = "allow_hosts: [127.0.0.1], timeout: 10m";
        string Ask(string task) => $"uses: http.get, with: {{ url: \"http://127.0.0.1:${{{{ input.port }}}}/${{{{ input.job }}}}/{task}\", {with} }}, retry: {{ attempts: 1000, delay: 5ms, max_delay: 10ms }}";
        StringBuilder text = new();
        text.Append("name: crash\ninput: { job: { type: string }, port: { type: integer } }\ntasks:\n");
        text.Append(CultureInfo.InvariantCulture, $"  step0: {{ {Ask("step0")} }}\n");
        for (int i = 1; i < Steps; i++)
            text.Append(CultureInfo.InvariantCulture, $"  {Step(i)}: {{ {Ask(Step(i))}, needs: {Step(i - 1)} }}\n");
        text.Append(CultureInfo.InvariantCulture, $"  each: {{ {Ask("each-${{ index }}")}, needs: step2, for_each: \"${{{{ ['a', 'b', 'c', 'd', 'e', 'f'] }}}}\" }}\n");
        text.Append("  sub: { uses: workflow, needs: step1, with: { file: sub.yaml, input: { job: \"${{ input.job }}\", port: \"${{ input.port }}\" } } }\n");
        text.Append("  said: { uses: template, needs: [each], with: { text: \"{{ a }} 漢字\", values: { a: \"${{ tasks.each.output[].text }}\" } } }\n");
        text.Append("  kept: { uses: file.write, with: { path: \"${{ input.job }}.txt\", text: \"${{ tasks.said.output.text }}\" } }\n");
        text.Append(CultureInfo.InvariantCulture, $"  gate: {{ {Ask("gate")}, needs: [kept, sub, {Step(Steps - 1)}] }}\n");
        text.Append(CultureInfo.InvariantCulture, $"  after: {{ {Ask("after")}, needs: gate }}\n");
        text.Append("output: ${{ tasks.said.output.text }}\n");
        File.WriteAllText(Path.Combine(folder, "sub.yaml"), "name: sub\ninput: { job: { type: string }, port: { type: integer } }\ntasks:\n"
            + $"  subone: {{ {Ask("subone")} }}\n  subtwo: {{ {Ask("subtwo")}, needs: subone }}\n"
            + "output: ${{ tasks.subtwo.output.text }}\n");
        string file = Path.Combine(folder, Name);
        File.WriteAllText(file, text.ToString());
        return file;
    }

    private static string Step(int number) => string.Create(CultureInfo.InvariantCulture, $"{(number % 4 == 3 ? "flaky" : "step")}{number}");
}
