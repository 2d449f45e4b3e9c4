namespace Millstream;

/// <summary><c>./bench wfinstances --instances DIR [--only TEXT] [--json]</c>: recorded workflows replayed, and the smallest task that is worth its overhead.</summary>
internal static class TracesCommand
{
    private const string Usage = "usage: bench wfinstances --instances DIR [--only TEXT] [--json]";

    /// <returns>0; 1 where a bound was missed or a schedule was none; 2 for wrong usage or a file that is no trace.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        string? folder = null, only = null;
        bool isJson = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json":
                    isJson = true;
                    break;
                case "--instances" when i + 1 < args.Length:
                    folder = args[++i];
                    break;
                case "--only" when i + 1 < args.Length:
                    only = args[++i];
                    break;
                default:
                    return Wrong($"'{args[i]}' is no option{(args[i] is "--instances" or "--only" ? " without a value behind it" : "")}; {Usage}");
            }
        }
        if (folder is null)
            return Wrong($"--instances is missing: the folder with the traces, files of WfFormat 1.5, as from github.com/wfcommons/WfInstances; {Usage}");
        if (!Directory.Exists(folder))
            return Wrong($"--instances {folder}: there is no such folder; give the one with the traces");
        List<Trace> traces = [];
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                traces.Add(TraceReader.Read(file));
        }
        catch (TraceFormatException e)
        {
            return Wrong(e.Message);
        }
        if (traces.Count == 0)
            return Wrong($"--instances {folder}: there is no .json file in it; give the folder with the traces");
        TraceReport report = new(isJson);
        bool isWanted = await TracesBench.RunAsync([.. traces.Where(t => Wants(t.Name))], report);
        isWanted |= await GranularityBench.RunAsync(Wants, report);
        if (!isWanted)
            return Wrong($"--only {only}: no trace and no case has that in its name; there are {string.Join(", ", traces.Select(t => t.Name).Concat(GranularityBench.Names))}");
        return report.Missed == 0 ? 0 : 1;

        bool Wants(string name) => only is null || name.Contains(only, StringComparison.OrdinalIgnoreCase);
    }

    private static int Wrong(string message)
    {
        Console.Error.WriteLine($"bench: {message}");
        return 2;
    }
}
