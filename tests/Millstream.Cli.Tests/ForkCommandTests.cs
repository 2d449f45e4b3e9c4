using System.Text.Json;

namespace Millstream.Cli.Tests;

/// <summary>Jobs made of other jobs, and jobs as files.</summary>
[Collection("processes")]
public sealed class ForkCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly GateServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private string Journal => Path.Combine(_folder.Path, "journal.db");

    [Fact]
    public async Task Fork_ThenResume_RunsOnlyWhatCameAfter()
    {
        JsonElement[] lines = await RunAsync();
        long at = Seq(lines, "task.scheduled", "gate"), inside = Seq(lines, "child.completed", null);
        Assert.Equal((0, "j2\n", $"millstream: nobody runs job j2 (forked from j1 at {at}); 'millstream resume j2 --journal {Journal}' goes on with it\n"),
            Said(await MillstreamAsync("fork", "j1", "--at", $"{at}", "--job-id", "j2")));
        JsonElement listed = JsonDocument.Parse((await MillstreamAsync("jobs", "--status", "suspended", "--json")).Output).RootElement;
        Assert.Equal(("j2", "main", "3"), (listed.GetProperty("job").GetString(), listed.GetProperty("workflow").GetString(), listed.GetProperty("workflowVersion").GetString()));
        JsonElement[] resumed = JsonLines.Check((await MillstreamAsync("resume", "j2", "--json")).Output);
        Assert.Equal("hi gate\n", resumed[^1].GetProperty("output").GetString());
        JsonElement forked = Assert.Single(resumed, l => l.Kind() == "job.forked");
        Assert.Equal((at + 1, "j1", at), (forked.GetProperty("seq").GetInt64(), forked.GetProperty("from").GetString(), forked.GetProperty("at").GetInt64()));
        Assert.Equal("gate", await _server.AskedAsync());
        Assert.False(_server.WasAskedMore(out string? again), again);
        Assert.Equal((1, "", "millstream: There is a job j2 already; give the fork another id.\n"), Said(await MillstreamAsync("fork", "j1", "--at", $"{at}", "--job-id", "j2")));
        CommandResult wrong = await MillstreamAsync("fork", "j1", "--at", $"{inside}");
        Assert.Equal((1, ""), (wrong.ExitCode, wrong.Output));
        Assert.Contains($"Entry {inside} of job j1 is inside a turn, and a fork begins behind the end of one; the nearest are ", wrong.Error, StringComparison.Ordinal);
        Assert.Contains($"give less than {lines.Length}", (await MillstreamAsync("fork", "j1", "--at", $"{lines.Length}")).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await MillstreamAsync("fork", "j1", "--at", "0")).ExitCode);
        JsonElement made = JsonDocument.Parse((await MillstreamAsync("fork", "j1", "--at", $"{at}", "--json")).Output).RootElement;
        Assert.Equal(("j1", at, 10), (made.GetProperty("from").GetString(), made.GetProperty("at").GetInt64(), made.GetProperty("job").GetString()!.Length));
    }

    [Fact]
    public async Task Export_OfAnEndedJob_IsItsHeadAndWhatWatchPrintsThenItsChildren()
    {
        await RunAsync();
        CommandResult exported = await MillstreamAsync("export", "j1"), watched = await MillstreamAsync("watch", "j1", "--json");
        string[] lines = exported.Output.Split('\n');
        int heads = 0;
        Assert.Equal((0, ""), (exported.ExitCode, exported.Error));
        JsonElement head = JsonDocument.Parse(lines[0]).RootElement;
        Assert.Equal(("export", 1, "j1", "main 3", "completed"), (head.GetProperty("millstream").GetString(), head.GetProperty("version").GetInt32(),
            head.GetProperty("job").GetString(), head.GetProperty("name").GetString(), head.GetProperty("status").GetString()));
        Assert.StartsWith(lines[0] + "\n" + watched.Output + "{\"millstream\":\"export\",\"version\":1,\"job\":\"j1/", exported.Output, StringComparison.Ordinal);
        heads = lines.Count(l => l.StartsWith("{\"millstream\":", StringComparison.Ordinal));
        string child = JsonDocument.Parse(lines.Last(l => l.StartsWith("{\"millstream\":", StringComparison.Ordinal))).RootElement.GetProperty("job").GetString()!;
        Assert.Equal(2, heads);
        Assert.EndsWith((await MillstreamAsync("watch", child, "--json")).Output, exported.Output, StringComparison.Ordinal);
        string file = Path.Combine(_folder.Path, "j1.jsonl");
        Assert.Equal((0, "", ""), Said(await MillstreamAsync("export", "j1", "--output", file)));
        Assert.Equal(exported.Output, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        string[] withRecords = (await MillstreamAsync("export", "j1", "--records")).Output.Split('\n');
        bool IsRecord(string line) => line.StartsWith("{\"record\":", StringComparison.Ordinal) || line.StartsWith("{\"blob\":", StringComparison.Ordinal);
        Assert.Equal(lines, withRecords.Where(l => !IsRecord(l)));
        int secondHead = Array.FindLastIndex(withRecords, l => l.StartsWith("{\"millstream\":", StringComparison.Ordinal));
        Assert.Equal(lines.Length - 1 - heads, withRecords.Where(IsRecord).Select(l => JsonDocument.Parse(l).RootElement).Sum(r => r.GetProperty("count").GetInt32()));
        Assert.True(IsRecord(withRecords[secondHead - 1]) && IsRecord(withRecords[^2]), "each job's records are behind its entries");
        CommandResult refused = await MillstreamAsync("export", "j1", "--output", _folder.Path);
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith($"millstream: '{_folder.Path}' (--output) cannot be written: ", refused.Error, StringComparison.Ordinal);
    }

    private async Task<JsonElement[]> RunAsync()
    {
        _server.Open();
        _folder.Write("sub.yaml", "name: sub\ntasks:\n  x: { uses: template, with: { text: hi } }\noutput: ${{ tasks.x.output.text }}\n");
        string path = _folder.Write("main.yaml", $$$"""
            name: main
            version: 3
            tasks:
              sub: { uses: workflow, with: { file: sub.yaml } }
              gate: { uses: http.get, needs: sub, with: {{{_server.With("gate")}}} }
              say: { uses: template, needs: gate, with: { text: "{{ a }} {{ b }}\n", values: { a: "${{ tasks.sub.output }}", b: "${{ tasks.gate.output.text }}" } } }
            output: ${{ tasks.say.output.text }}
            """);
        CommandResult run = await MillstreamAsync("run", path, "--job-id", "j1", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Equal("gate", await _server.AskedAsync());
        return JsonLines.Check(run.Output);
    }

    private static long Seq(JsonElement[] lines, string kind, string? task) =>
        lines.First(l => l.Kind() == kind && (task is null || l.GetProperty("task").GetString() == task)).GetProperty("seq").GetInt64();

    private Task<CommandResult> MillstreamAsync(params string[] args) => CommandProcess.RunAsync([.. args, "--journal", Journal]);

    private static (int, string, string) Said(CommandResult result) => (result.ExitCode, result.Output, result.Error);
}
