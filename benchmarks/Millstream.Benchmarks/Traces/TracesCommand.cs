namespace Millstream;

/// <summary><c>./bench wfinstances --instances DIR [--only TEXT] [--json]</c>: recorded workflows replayed, and the smallest task that is worth its overhead.</summary>
internal static class TracesCommand
{
    private const string Usage = "usage: ./bench wfinstances --instances DIR [--only TEXT] [--json]";

    /// <returns>0; 1 where a bound was missed or a schedule was none.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        BenchOptions options = new(Usage, args, ["--json"], ["--instances", "--only"]);
        string folder = options.Folder("--instances", "the folder with the traces, files of WfFormat 1.5, as from github.com/wfcommons/WfInstances");
        string? only = options["--only"];
        List<Trace> traces = [.. Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(TraceReader.Read)];
        if (traces.Count == 0)
            throw options.Wrong($"--instances {folder}: there is no .json file in it; give the folder with the traces");
        TraceReport report = new(options.Has("--json"));
        bool isWanted = await TracesBench.RunAsync([.. traces.Where(t => Wants(t.Name))], report);
        isWanted |= await GranularityBench.RunAsync(Wants, report);
        if (!isWanted)
            throw options.Wrong($"--only {only}: no trace and no case has that in its name; there are {string.Join(", ", traces.Select(t => t.Name).Concat(GranularityBench.Names))}");
        return report.Missed == 0 ? 0 : 1;

        bool Wants(string name) => only is null || name.Contains(only, StringComparison.OrdinalIgnoreCase);
    }
}
