using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>Runs a case several times and prints its median beside its bound.</summary>
internal sealed class Measure(TextWriter output)
{
    private const int Rounds = 5;

    /// <summary>How many bounds were missed.</summary>
    public int Missed { get; private set; }

    public static string Machine => string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {(GCSettings() ? "server" : "workstation")} GC");

    /// <summary>The median cost of one of <paramref name="count"/> pieces of work, in nanoseconds, after a warm-up.</summary>
    public async Task<double> NanosecondsAsync(string name, int count, Func<int, Task> run, double? bound = null)
    {
        await run(Math.Min(count, 20_000));
        await run(Math.Min(count, 20_000));
        List<double> times = [];
        long bytes = 0;
        for (int i = 0; i < Rounds; i++)
        {
            GC.Collect();
            long before = GC.GetTotalAllocatedBytes();
            long start = Stopwatch.GetTimestamp();
            await run(count);
            times.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / count);
            bytes = GC.GetTotalAllocatedBytes() - before;
        }
        double median = Median(times);
        Say(name, median, "ns", bound, $"{bytes / count,6} B");
        return median;
    }

    /// <summary>Prints a figure beside its bound.</summary>
    public void Say(string name, double value, string unit, double? bound, string more = "")
    {
        bool isMissed = value > bound;
        if (isMissed)
            Missed++;
        string against = bound is null ? "" : string.Create(CultureInfo.InvariantCulture, $"at most {bound:N2} {unit}: {(isMissed ? "MISSED" : "ok")}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-58} {value,10:N2} {unit,-5} {more,-10} {against}"));
    }

    public static double Median(List<double> values)
    {
        List<double> sorted = [.. values.Order()];
        return sorted[sorted.Count / 2];
    }

    private static bool GCSettings() => System.Runtime.GCSettings.IsServerGC;
}
