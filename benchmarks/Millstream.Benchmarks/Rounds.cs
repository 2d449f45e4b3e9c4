using System.Collections;
using System.Diagnostics;
using System.Runtime;

namespace Millstream;

/// <summary>Cases that are run in turn, round after round, so that a disk or a machine that is busy for a while is so for all of them.</summary>
/// <param name="measure">Which cases are wanted, and where they are printed.</param>
/// <param name="warmUp">How long each case is run before the first round, at least once; and then until the compiler has been quiet for half a second, which a busy machine puts off.</param>
/// <param name="least">How long a case is run in a round: short ones are run again, and their mean counts.</param>
internal sealed class Rounds(Measure measure, TimeSpan warmUp = default, TimeSpan least = default) : IEnumerable
{
    private const int Count = 5;

    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(0.5), s_patience = TimeSpan.FromSeconds(10);

    private readonly List<(string Name, Func<Task<double>> Run)> _cases = [];
    private readonly Dictionary<string, List<double>> _times = [], _cores = [];
    private long _methods;
    private long _compiled;

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
                // Nobody pays for what the one before has left.
                GC.Collect();
                TimeSpan used = Environment.CpuUsage.TotalTime, limit = round == 0 ? warmUp : least;
                long start = Stopwatch.GetTimestamp();
                double sum = 0;
                int runs = 0;
                do
                {
                    sum += await run();
                    runs++;
                }
                while (Stopwatch.GetElapsedTime(start) < limit || (round == 0 && warmUp > TimeSpan.Zero && !IsCompiled(start)));
                double cores = (Environment.CpuUsage.TotalTime - used) / Stopwatch.GetElapsedTime(start);
                if (round == 0)
                    continue;
                (_times.TryGetValue(name, out List<double>? all) ? all : _times[name] = []).Add(sum / runs);
                (_cores.TryGetValue(name, out all) ? all : _cores[name] = []).Add(cores);
            }
        }
    }

    /// <summary>The median of a case, in microseconds.</summary>
    public double Median(string name) => Measure.Median(_times[name]);

    /// <summary>The median of the ratios of two cases, each of one round.</summary>
    public double Ratio(string name, string to) => Measure.Median([.. _times[name].Zip(_times[to], (a, b) => a / b)]);

    /// <summary>Prints a case's median, in microseconds and as a rate, and how much of the machine this process used meanwhile.</summary>
    public void Say(string name, double? bound)
    {
        if (_times.ContainsKey(name))
            measure.Say(name, Median(name), "us", bound, $"{JournalBench.Rate(Median(name))}, {Measure.Median(_cores[name]),4:N2} cores busy");
    }

    /// <summary>Prints the median of the ratios of two cases, each of one round.</summary>
    public void SayRatio(string what, string name, string to, double? bound)
    {
        if (_times.ContainsKey(name) && _times.ContainsKey(to))
            measure.Say(what, Ratio(name, to), "x", bound);
    }

    /// <summary>Prints a case's median, in microseconds.</summary>
    public void SayTime(string name)
    {
        if (_times.ContainsKey(name))
            measure.Say(name, Median(name), "us", null);
    }

    /// <summary>Prints the median of the differences of two cases, each of one round, in microseconds.</summary>
    public void SayDifference(string what, string name, string less, double? bound)
    {
        if (_times.TryGetValue(name, out List<double>? all) && _times.TryGetValue(less, out List<double>? others))
            measure.Say(what, Measure.Median([.. all.Zip(others, (a, b) => a - b)]), "us", bound);
    }

    /// <summary>Whether nothing was compiled again for a while, or ten seconds are over.</summary>
    private bool IsCompiled(long start)
    {
        long methods = JitInfo.GetCompiledMethodCount();
        if (methods != _methods)
            (_methods, _compiled) = (methods, Stopwatch.GetTimestamp());
        return Stopwatch.GetElapsedTime(_compiled) > s_quiet || Stopwatch.GetElapsedTime(start) > s_patience;
    }

    IEnumerator IEnumerable.GetEnumerator() => _cases.GetEnumerator();
}
