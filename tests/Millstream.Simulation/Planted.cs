namespace Millstream.Simulation;

/// <summary>The check of the checker: each planted bug must be found, and without it the same seeds must pass.</summary>
internal static class Planted
{
    public const int MaxSeeds = 10_000;

#if MILLSTREAM_PLANTED_BUGS
    public static int Run(int seeds, string? only)
    {
        (int missed, int most) = (0, 0);
        Console.WriteLine("| planted bug | seeds until found | as |\n|---|---|---|");
        foreach (Bug bug in Enum.GetValues<Bug>().Where(b => b != Bug.None && (only is null || b.ToString() == only)))
        {
            (int seed, string failure) = Find(bug, seeds);
            missed += seed == 0 ? 1 : 0;
            most = Math.Max(most, seed);
            Console.WriteLine($"| {bug} | {(seed == 0 ? $"not within {seeds}" : seed)} | {failure} |");
        }
        int failed = Enumerable.Range(1, most).Count(s => History.Run(s).Failure is not null);
        Console.WriteLine($"{missed} planted bugs were not found; without them {failed} of the same {most} seeds fail");
        return missed + failed == 0 ? 0 : 1;
    }

    private static (int Seed, string Failure) Find(Bug bug, int seeds)
    {
        PlantedBugs.Active = bug;
        try
        {
            for (int seed = 1; seed <= seeds; seed++)
            {
                if (History.Run(seed).Failure is { } failure)
                    return (seed, failure.Split('\n')[0]);
            }
            return (0, "");
        }
        finally
        {
            PlantedBugs.Active = Bug.None;
        }
    }
#else
    public static int Run(int seeds, string? only)
    {
        Console.WriteLine($"No bugs are planted in this build, so none of {seeds} seeds can find {only ?? "one"}; use ./simulate --planted.");
        return 2;
    }
#endif
}
