using System.Globalization;

namespace Millstream;

/// <summary>
/// The smallest task that is worth its overhead: tasks that keep a core busy, in graphs of one width and with as many at once as there are cores, halved until the bare
/// loops on as many threads take less than half the time. Minimum effective task granularity, as Task Bench (Slaughter et al., SC 2020) has it.
/// </summary>
internal static class GranularityBench
{
    private const int Rounds = 7;
    private const string InMemory = "memory", InSqlite = "sqlite";

    private static readonly (string Case, int Width, bool IsStencil)[] Graphs = [("chains of 32", 32, false), ("stencil of 32", 32, true), ("stencil of 8", 8, true)];

    public static IEnumerable<string> Names => from store in (string[])[InMemory, InSqlite] from graph in Graphs select Name(graph.Case, store);

    /// <returns>Whether there was anything to do.</returns>
    public static async Task<bool> RunAsync(Func<string, bool> wants, TraceReport report)
    {
        List<(string Case, int Width, bool IsStencil, string Store)> cases =
            [.. from store in (string[])[InMemory, InSqlite] from graph in Graphs where wants(Name(graph.Case, store)) select (graph.Case, graph.Width, graph.IsStencil, store)];
        if (cases.Count == 0)
            return false;
        report.Say($"{Busy.Cores} tasks at once on {Busy.Cores} cores; efficiency is the time of the bare loops on {Busy.Cores} threads over the time of the job; medians of {Rounds} runs after a warm-up");
        if (cases.Any(c => c.Store == InSqlite))
            report.Say($"{"one row in one synced commit, a bare table",-42} {BareCommit(),8:N1} us now: durable sizes grow with it");
        foreach ((string name, int width, bool isStencil, string store) in cases)
        {
            bool isDurable = store == InSqlite;
            double bound = isDurable ? 400 : 20;
            (double least, string curve) = await FindAsync(width, isDurable ? 32 : 128, isStencil, isDurable);
            report.Say($"{Name(name, store),-42} {least,8:N1} us at 50 %, at most {bound} us: {report.Against(least, bound)}   {curve}");
            report.Give(new { @case = name, store, minimumTaskUs = Math.Round(least, 2) });
        }
        return true;
    }

    private static double BareCommit()
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            return JournalBench.NaiveCommits(folder);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Name(string graph, string store) => $"task size, {graph}, {store}";

    /// <returns>Microseconds of a task at half of the efficiency, and how efficient the sizes around it were.</returns>
    private static async Task<(double Least, string Curve)> FindAsync(int width, int steps, bool isStencil, bool isDurable)
    {
        Busy busy = new(width, steps, isStencil);
        for (int i = 0; i < 3; i++)
            await busy.RunAsync(1, isDurable);
        // Some microseconds: what the loops take is measured.
        long loops = (isDurable ? 512 : 64) * 1_000;
        SortedList<double, double> curve = [];
        bool isUp = false;
        for (bool isFirst = true; ; isFirst = false)
        {
            (double size, double efficiency) = await EfficiencyAsync(busy, loops, isDurable);
            curve[size] = efficiency;
            bool isAbove = efficiency >= 0.5;
            isUp = isFirst ? !isAbove : isUp;
            if (isAbove == isUp || loops is < 100 or > 100_000_000)
                break;
            loops = isUp ? loops * 2 : loops / 2;
        }
        return (Crossing(curve), string.Join(", ", curve.Reverse().Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key:0.#} us {p.Value:P0}"))));
    }

    private static async Task<(double Size, double Efficiency)> EfficiencyAsync(Busy busy, long loops, bool isDurable)
    {
        List<double> efficiencies = [], sizes = [];
        for (int round = 0; round < Rounds; round++)
        {
            // In turn, so that a machine that is busy for a while is so for both.
            double size = loops / Busy.Rate();
            efficiencies.Add(size * busy.Tasks / Busy.Cores / await busy.RunAsync(loops, isDurable));
            sizes.Add(size);
        }
        return (Measure.Median(sizes), Measure.Median(efficiencies));
    }

    // Between the two sizes around one half, along the logarithm. Where there is none, the size that is nearest.
    private static double Crossing(SortedList<double, double> curve)
    {
        for (int i = 1; i < curve.Count; i++)
        {
            (double low, double high) = (curve.Values[i - 1], curve.Values[i]);
            if (low < 0.5 && high >= 0.5)
                return curve.Keys[i - 1] * Math.Pow(curve.Keys[i] / curve.Keys[i - 1], (0.5 - low) / (high - low));
        }
        return curve.Values[0] >= 0.5 ? curve.Keys[0] : curve.Keys[^1];
    }
}
