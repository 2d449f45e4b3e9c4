using System.Globalization;
using System.Text.Json;

namespace Millstream;

/// <summary>`./bench psplib`: the engine's scheduler against the best schedules that are known.</summary>
internal static class PsplibBench
{
    public static Task<int> RunAsync(string[] arguments)
    {
        PsplibSettings settings = PsplibArguments.Read(arguments);
        return Task.FromResult(settings.Jobs > 0 ? ManyJobsBench.Run(settings) : Run(settings));
    }

    /// <summary>The instances below a folder by the name of the folder that holds them, in the order of their size.</summary>
    public static List<(string Set, ProjectInstance[] Instances)> ReadSets(PsplibSettings settings)
    {
        List<(string Set, ProjectInstance[] Instances)> sets = [.. Directory.EnumerateFiles(settings.Instances, "*.sm", SearchOption.AllDirectories)
            .GroupBy(f => Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(f)))!)
            .Where(g => settings.Only is null || g.Key.Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
            .Select(g => (g.Key, g.Order(StringComparer.Ordinal).Select(ProjectInstance.Read).ToArray()))
            .OrderBy(s => s.Item2[0].Count).ThenBy(s => s.Key, StringComparer.Ordinal)];
        return sets.Count > 0 ? sets : throw new BenchUsageException($"there is no .sm file{(settings.Only is null ? "" : $" in a folder named like '{settings.Only}'")} below {settings.Instances}; give the folder that holds j30, j60, …");
    }

    private static int Run(PsplibSettings settings)
    {
        Dictionary<string, int> best = ReadBest(settings.Best);
        if (!settings.IsJson)
        {
            Console.Out.WriteLine($"rule {PsplibArguments.Name(settings.Rule)}, durations {settings.Known.Text}, look-ahead {settings.LookAhead.TotalMilliseconds:0} ms, seed {settings.Seed}; mean % above, each schedule checked");
            Console.Out.WriteLine($"{"set",-8} {"instances",9} {"best known",12} {"critical path",14} {"as best known",14}");
        }
        foreach ((string set, ProjectInstance[] instances) in ReadSets(settings))
        {
            if (instances.FirstOrDefault(i => !best.ContainsKey(i.Name)) is { } missing)
                throw new BadInstanceException(settings.Best, 0, $"there is no line for {missing.Name}");
            double aboveBest = 0, abovePath = 0;
            int equal = 0;
            Lock gate = new();
            Parallel.ForEach(instances, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, instance =>
            {
                int known = best[instance.Name];
                SimulatedJob job = new(instance);
                SimulatedRun.Run([job], Make(instance.Capacities, settings));
                long makespan = ScheduleCheck.Makespan(instance, job.Starts);
                lock (gate)
                {
                    aboveBest += 100.0 * (makespan - known) / known;
                    abovePath += 100.0 * (makespan - instance.CriticalPath) / instance.CriticalPath;
                    equal += makespan <= known ? 1 : 0;
                }
            });
            (aboveBest, abovePath) = (Math.Round(aboveBest / instances.Length, 4), Math.Round(abovePath / instances.Length, 4));
            Console.Out.WriteLine(settings.IsJson
                ? JsonSerializer.Serialize(new { set, instances = instances.Length, durations = settings.Known.Text, lookAheadMs = settings.LookAhead.TotalMilliseconds, aboveBest, aboveCriticalPath = abovePath })
                : string.Create(CultureInfo.InvariantCulture, $"{set,-8} {instances.Length,9} {aboveBest,12:0.00} {abovePath,14:0.00} {equal,14}"));
        }
        return 0;
    }

    /// <summary>What decides for a run.</summary>
    public static Dispatcher Make(int[] capacities, PsplibSettings settings) =>
        settings.Rule == OrderRule.Engine ? new EngineDispatcher(capacities, settings) : new RuleDispatcher(capacities, settings);

    private static Dictionary<string, int> ReadBest(string path)
    {
        Dictionary<string, int> best = [];
        string[] lines = File.ReadAllLines(path);
        for (int i = 0; i < lines.Length; i++)
        {
            string[] cells = lines[i].Split(',');
            if ((i == 0 && lines[i] == "instance,makespan") || string.IsNullOrWhiteSpace(lines[i]))
                continue;
            if (cells.Length != 2 || !int.TryParse(cells[1], NumberStyles.None, CultureInfo.InvariantCulture, out int makespan) || makespan == 0)
                throw new BadInstanceException(path, i + 1, $"expected instance,makespan and found '{lines[i]}'");
            best[cells[0]] = makespan;
        }
        return best;
    }
}
