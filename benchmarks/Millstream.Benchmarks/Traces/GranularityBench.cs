using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>
/// The smallest task that is worth its overhead: tasks that keep a core busy, in graphs of one width and with as many at once as there are cores, halved until the bare
/// loops on as many threads take less than half the time. Minimum effective task granularity, as Task Bench (Slaughter et al., SC 2020) has it.
/// </summary>
internal static class GranularityBench
{
    private const int Rounds = 5;
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

    private static string Name(string graph, string store) => $"task size, {graph}, {store}";

    /// <returns>Microseconds of a task at half of the efficiency, and how efficient the sizes around it were.</returns>
    private static async Task<(double Least, string Curve)> FindAsync(int width, int steps, bool isStencil, bool isDurable)
    {
        Busy busy = new(width, steps, isStencil);
        // What a task is to take on a machine that is quiet; how long the loops take is measured beside each run.
        long loops = (long)(isDurable ? 1_024 : 64) * 1_000;
        List<string> curve = [];
        (double Size, double Efficiency)? before = null;
        for (int i = 0; i < 3; i++)
            await busy.RunAsync(1, isDurable);
        for (; loops > 100; loops /= 2)
        {
            List<double> efficiencies = [], sizes = [];
            for (int round = 0; round < Rounds; round++)
            {
                double size = loops / Busy.Rate();
                efficiencies.Add(size * busy.Tasks / Busy.Cores / await busy.RunAsync(loops, isDurable));
                sizes.Add(size);
            }
            (double Size, double Efficiency) now = (Measure.Median(sizes), Measure.Median(efficiencies));
            curve.Add(string.Create(CultureInfo.InvariantCulture, $"{now.Size:0.#} us {now.Efficiency:P0}"));
            if (Environment.GetEnvironmentVariable("DBG") is not null) Console.WriteLine($"   {curve[^1]} {string.Join(' ', efficiencies.Select(e => $"{e:P0}"))}");
            if (now.Efficiency < 0.5 && Environment.GetEnvironmentVariable("DBG") is null)
            {
                // Between the two sizes, along the logarithm.
                double least = before is { } last
                    ? now.Size * Math.Pow(last.Size / now.Size, (0.5 - now.Efficiency) / (last.Efficiency - now.Efficiency))
                    : double.PositiveInfinity;
                return (least, string.Join(", ", curve));
            }
            before = now;
        }
        return (before!.Value.Size, string.Join(", ", curve));
    }
}
