using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>Runs a case several times and prints its median beside its bound.</summary>
internal sealed class Measure(TextWriter output, string? only = null)
{
    private const int Rounds = 5;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <summary>How many bounds were missed.</summary>
    public int Missed { get; private set; }

    public static string Machine => string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {(GCSettings() ? "server" : "workstation")} GC");

    /// <summary>Whether a case was asked for.</summary>
    public bool Wants(string name) => only is null || name.Contains(only, StringComparison.OrdinalIgnoreCase);

    /// <summary>The median cost of one of <paramref name="count"/> pieces of work, in nanoseconds, after a warm-up.</summary>
    public async Task<double> NanosecondsAsync(string name, int count, Func<int, Task> run, double? bound = null)
    {
        if (!Wants(name))
            return double.NaN;
        Sample sample = await SampleAsync(count, run, Rounds, WarmUp);
        Say(name, sample.Nanoseconds, "ns", bound, string.Create(CultureInfo.InvariantCulture, $"{sample.Processor,8:N0} ns CPU, {sample.Pause,5:N0} ns GC, {sample.Bytes,5} B"));
        return sample.Nanoseconds;
    }

    /// <summary>The medians of one of <paramref name="count"/> pieces of work, after a warm-up.</summary>
    public static async Task<Sample> SampleAsync(int count, Func<int, Task> run, int rounds, TimeSpan warmUp)
    {
        // Until the compiler has seen what is hot and its second tier is there.
        for (long from = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(from) < warmUp;)
            await run(Math.Min(count, 20_000));
        List<double> times = [], processor = [], pauses = [];
        long bytes = 0;
        for (int i = 0; i < rounds; i++)
        {
            GC.Collect();
            long before = GC.GetTotalAllocatedBytes();
            TimeSpan paused = GC.GetTotalPauseDuration();
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            await run(count);
            times.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / count);
            processor.Add((Environment.CpuUsage.TotalTime - used).TotalNanoseconds / count);
            pauses.Add((GC.GetTotalPauseDuration() - paused).TotalNanoseconds / count);
            bytes = GC.GetTotalAllocatedBytes() - before;
        }
        return new Sample(Median(times), Median(processor), Median(pauses), bytes / count);
    }

    /// <summary>Of one piece of work: time, processor time and pauses for the collector in nanoseconds, and the bytes allocated.</summary>
    public readonly record struct Sample(double Nanoseconds, double Processor, double Pause, long Bytes);

    /// <summary>Prints a figure beside its bound.</summary>
    public void Say(string name, double value, string unit, double? bound, string more = "")
    {
        if (double.IsNaN(value))
            return;
        bool isMissed = value > bound;
        if (isMissed)
            Missed++;
        string against = bound is null ? "" : string.Create(CultureInfo.InvariantCulture, $"at most {bound:N2} {unit}: {(isMissed ? "MISSED" : "ok")}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-58} {value,10:N2} {unit,-5} {more,-38} {against}"));
    }

    public static double Median(List<double> values)
    {
        List<double> sorted = [.. values.Order()];
        return sorted[sorted.Count / 2];
    }

    private static bool GCSettings() => System.Runtime.GCSettings.IsServerGC;
}
