using System.Collections;
using System.Diagnostics;

namespace Millstream;

/// <summary>Cases that are run in turn, round after round, so that a disk or a machine that is busy for a while is so for all of them.</summary>
internal sealed class Rounds(Measure measure) : IEnumerable
{
    private const int Count = 5;

    private readonly List<(string Name, Func<Task<double>> Run)> _cases = [];
    private readonly Dictionary<string, List<double>> _times = [], _cores = [];

    /// <summary>Sets what a case runs; it gives microseconds.</summary>
    public Func<Task<double>> this[string name]
    {
        set => _cases.Add((name, value));
    }

    /// <summary>Runs the cases that are wanted; the first round warms up.</summary>
    public async Task RunAsync()
    {
        for (int round = 0; round <= Count; round++)
        {
            foreach ((string name, Func<Task<double>> run) in _cases)
            {
                if (!measure.Wants(name))
                    continue;
                TimeSpan used = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                double time = await run();
                double cores = (Environment.CpuUsage.TotalTime - used) / Stopwatch.GetElapsedTime(start);
                if (round == 0)
                    continue;
                (_times.TryGetValue(name, out List<double>? all) ? all : _times[name] = []).Add(time);
                (_cores.TryGetValue(name, out all) ? all : _cores[name] = []).Add(cores);
            }
        }
    }

    /// <summary>Prints a case's median, in microseconds and as a rate, and how much of the machine this process used meanwhile.</summary>
    public void Say(string name, double? bound)
    {
        if (_times.TryGetValue(name, out List<double>? all))
            measure.Say(name, Measure.Median(all), "us", bound, $"{JournalBench.Rate(Measure.Median(all))}, {Measure.Median(_cores[name]),4:N2} cores busy");
    }

    /// <summary>Prints the median of the ratios of two cases, each of one round.</summary>
    public void SayRatio(string what, string name, string to, double? bound)
    {
        if (_times.TryGetValue(name, out List<double>? all) && _times.TryGetValue(to, out List<double>? others))
            measure.Say(what, Measure.Median([.. all.Zip(others, (a, b) => a / b)]), "x", bound);
    }

    /// <summary>Prints a case's median, in microseconds.</summary>
    public void SayTime(string name)
    {
        if (_times.TryGetValue(name, out List<double>? all))
            measure.Say(name, Measure.Median(all), "us", null);
    }

    /// <summary>Prints the median of the differences of two cases, each of one round, in microseconds.</summary>
    public void SayDifference(string what, string name, string less, double? bound)
    {
        if (_times.TryGetValue(name, out List<double>? all) && _times.TryGetValue(less, out List<double>? others))
            measure.Say(what, Measure.Median([.. all.Zip(others, (a, b) => a - b)]), "us", bound);
    }

    IEnumerator IEnumerable.GetEnumerator() => _cases.GetEnumerator();
}
