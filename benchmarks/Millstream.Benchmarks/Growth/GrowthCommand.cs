using System.Diagnostics;

namespace Millstream;

/// <summary>How cost grows: <c>./bench growth [--only NAME] [--json] [--long] [--pictures DIR]</c>.</summary>
internal static class GrowthCommand
{
    public const string Name = "growth";

    private static readonly (string Name, Func<GrowthReport, bool, Task> Run)[] Parts =
    [
        ("tasks", (report, _) => GrowthOfTasks.RunAsync(report)),
        ("dispatch", (report, _) => GrowthOfDispatch.RunAsync(report)),
        ("memory", (report, _) => GrowthOfMemory.RunAsync(report)),
        ("readers", (report, _) => GrowthOfReaders.RunAsync(report)),
        ("journal", GrowthOfJournal.RunAsync),
    ];

    /// <returns>0; 1 when a bound was missed, 2 for wrong options.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        string? only = null, pictures = null;
        bool json = false, isLong = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json":
                    json = true;
                    break;
                case "--long":
                    isLong = true;
                    break;
                case "--only" when i + 1 < args.Length:
                    only = args[++i];
                    break;
                case "--pictures" when i + 1 < args.Length:
                    pictures = args[++i];
                    break;
                case "--only" or "--pictures":
                    return Wrong($"{args[i]} needs a value");
                default:
                    return Wrong($"there is no option '{args[i]}'; there are --only NAME, --json, --long, --pictures DIR");
            }
        }
        if (only is not null && !Parts.Any(p => p.Name == only))
            return Wrong($"--only {only}: there is no such part; there are {string.Join(", ", Parts.Select(p => p.Name))}");
        pictures ??= FindPictures();
        if (pictures is null)
            return Wrong("there is no folder docs here or above; say --pictures DIR");
        try
        {
            Directory.CreateDirectory(pictures);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Wrong($"--pictures {pictures}: {e.Message}");
        }
        GrowthReport report = new(Console.Out, json, pictures);
        report.Say($"{Measure.Machine}; medians of 5 after a warm-up, of 3 where that is said");
        foreach ((string name, Func<GrowthReport, bool, Task> run) in Parts)
        {
            if (only is not null && name != only)
                continue;
            long start = Stopwatch.GetTimestamp();
            await run(report, isLong);
            report.Say(FormattableString.Invariant($"({name}: {Stopwatch.GetElapsedTime(start).TotalSeconds:N0} s)"));
        }
        return report.Missed == 0 ? 0 : 1;
    }

    private static int Wrong(string what)
    {
        Console.Error.WriteLine($"bench growth: {what}");
        return 2;
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
