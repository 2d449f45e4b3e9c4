using System.Diagnostics;

namespace Millstream.Simulation;

/// <summary>The simulation by itself: `./simulate`.</summary>
internal static class SimulationCommand
{
    public const int CheckEvery = 50;

    public static int Run(string[] args)
    {
        if (args.Contains("--planted"))
            return Planted.Run(Number(args, "--seeds") ?? Planted.MaxSeeds, args.SkipWhile(a => a != "--bug").Skip(1).FirstOrDefault());
        int from = Number(args, "--seed") ?? Number(args, "--from") ?? 1;
        int seeds = Number(args, "--seed") is not null ? 1 : Number(args, "--seeds") ?? 1000;
        Stopwatch watch = Stopwatch.StartNew();
        (int failed, long jobs, long steps, long crashes) = (0, 0, 0, 0);
        (long plans, long later) = (0, 0);
        for (int seed = from; seed < from + seeds && failed < 5; seed++)
        {
            HistoryResult result = Check(seed, seeds == 1 || seed % CheckEvery == 0);
            (jobs, steps, crashes) = (jobs + result.Jobs, steps + result.Steps, crashes + result.Crashes);
            (plans, later) = (plans + result.Plans, later + result.Later);
            if (result.Failure is null)
                continue;
            failed++;
            Console.WriteLine($"seed {seed} failed (./simulate --seed {seed}):\n{result.Failure}");
        }
        double seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine($"{seeds} histories, {failed} failed; {jobs} jobs, {crashes} crashes, {plans} plans that kept {later} tasks waiting, {steps} steps, {seconds:0.0} s, {seeds / seconds:0} histories/s");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>Runs a seed, twice where asked: the same seed must give the same history.</summary>
    public static HistoryResult Check(int seed, bool twice)
    {
        HistoryResult result = History.Run(seed);
        if (!twice || result.Failure is not null)
            return result;
        HistoryResult again = History.Run(seed);
        return again.Hash == result.Hash ? result : result with { Failure = $"two runs of the seed differ: {result.Hash:x16} in {result.Steps} steps, {again.Hash:x16} in {again.Steps}" };
    }

    private static int? Number(string[] args, string name)
    {
        int at = Array.IndexOf(args, name);
        if (at < 0)
            return null;
        return at + 1 < args.Length && int.TryParse(args[at + 1], out int number) ? number : throw new ArgumentException($"{name} takes a number");
    }
}
