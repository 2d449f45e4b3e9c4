using System.Diagnostics;

namespace Millstream;

/// <summary>How cost grows: <c>./bench growth [--only NAME] [--json] [--long] [--pictures DIR]</c>.</summary>
internal static class GrowthCommand
{
    public const string Name = "growth";

    private const string Usage = "usage: ./bench growth [--only NAME] [--json] [--long] [--pictures DIR]";

    private static readonly (string Name, Func<GrowthReport, bool, Task> Run)[] Parts =
    [
        ("tasks", (report, _) => GrowthOfTasks.RunAsync(report)),
        ("dispatch", (report, _) => GrowthOfDispatch.RunAsync(report)),
        ("memory", (report, _) => GrowthOfMemory.RunAsync(report)),
        ("readers", (report, _) => GrowthOfReaders.RunAsync(report)),
        ("journal", GrowthOfJournal.RunAsync),
    ];

    /// <returns>0; 1 when a bound was missed.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        BenchOptions options = new(Usage, args, ["--json", "--long"], ["--only", "--pictures"]);
        string? only = options["--only"];
        if (only is not null && !Parts.Any(p => p.Name == only))
            throw options.Wrong($"--only {only}: there is no such part; there are {string.Join(", ", Parts.Select(p => p.Name))}");
        string pictures = options["--pictures"] ?? FindPictures() ?? throw options.Wrong("there is no folder docs here or above; say --pictures DIR");
        try
        {
            Directory.CreateDirectory(pictures);
        }
        catch (IOException e)
        {
            throw options.Wrong($"--pictures {pictures}: {e.Message}");
        }
        GrowthReport report = new(Console.Out, options.Has("--json"), pictures);
        report.Say($"{Measure.Machine}; medians of 5 after a warm-up, of 3 where that is said");
        foreach ((string name, Func<GrowthReport, bool, Task> run) in Parts)
        {
            if (only is not null && name != only)
                continue;
            long start = Stopwatch.GetTimestamp();
            await run(report, options.Has("--long"));
            report.Say(FormattableString.Invariant($"({name}: {Stopwatch.GetElapsedTime(start).TotalSeconds:N0} s)"));
        }
        return report.Missed == 0 ? 0 : 1;
    }

    /// <summary>The repository's folder of pictures: beside the program, which is built inside it.</summary>
    private static string? FindPictures()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millstream.slnx")))
                return Path.Combine(folder.FullName, "docs", "pictures");
        }
        return null;
    }
}
