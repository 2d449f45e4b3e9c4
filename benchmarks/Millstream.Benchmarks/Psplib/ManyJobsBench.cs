using System.Globalization;
using System.Text.Json;

namespace Millstream;

/// <summary>`./bench psplib --jobs N`: many instances that come one after another (Poisson) and share one fleet; each job has a weight of 1, 2 or 4.</summary>
internal static class ManyJobsBench
{
    private const int Seeds = 5;
    private const double Widest = 0.05;
    private static readonly double[] Loads = [0.7, 0.85, 0.95];

    public static int Run(PsplibSettings settings)
    {
        (string set, ProjectInstance[] instances) = PsplibBench.ReadSets(settings)[0];
        (string Name, PsplibSettings Settings)[] rules =
        [
            ("fifo-blocking", settings with { Rule = OrderRule.BlockingFifo }),
            ("fifo (pure backfill)", settings with { Rule = OrderRule.Fifo }),
            ("engine, durations unknown", settings with { Known = KnownDurations.Parse("unknown")!.Value }),
            ("engine, durations known", settings with { Known = KnownDurations.Parse("known")!.Value }),
        ];
        if (!settings.IsJson)
        {
            Console.Out.WriteLine($"{settings.Jobs} jobs of {set} on one fleet, mean of {Seeds} seeds from {settings.Seed}, each schedule checked; a job's slowdown is the time from its arrival to its end over what it takes alone");
            Console.Out.WriteLine($"{"load",5} {"rule",-27} {"mean slowdown",14} {"p95",7} {"of weight 1",12} {"2",7} {"4",7} {"Jain",6} {"longest wait of the widest",27}");
        }
        foreach (double load in Loads)
        {
            foreach ((string rule, PsplibSettings ruled) in rules)
            {
                Outcome[] runs = new Outcome[Seeds];
                Parallel.For(0, Seeds, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i => runs[i] = RunOnce(instances, ruled, load, settings.Seed + i));
                Outcome mean = Outcome.Mean(runs);
                Console.Out.WriteLine(settings.IsJson
                    ? JsonSerializer.Serialize(new { set, jobs = settings.Jobs, load, rule, meanSlowdown = mean.Slowdown, p95Slowdown = mean.P95, slowdownByWeight = mean.ByWeight, jain = mean.Jain, widestWait = mean.WidestWait })
                    : string.Create(CultureInfo.InvariantCulture, $"{load,5:0.00} {rule,-27} {mean.Slowdown,14:0.00} {mean.P95,7:0.00} {mean.ByWeight[0],12:0.00} {mean.ByWeight[1],7:0.00} {mean.ByWeight[2],7:0.00} {mean.Jain,6:0.000} {mean.WidestWait,27:0}"));
            }
        }
        return 0;
    }

    private static Outcome RunOnce(ProjectInstance[] instances, PsplibSettings settings, double load, int seed)
    {
        Random random = new(seed);
        ProjectInstance[] drawn = [.. Enumerable.Range(0, settings.Jobs).Select(_ => instances[random.Next(instances.Length)])];
        // One fleet for all: of each resource as much as an instance has on average, and enough for the widest activity.
        int[] capacities = [.. Enumerable.Range(0, drawn[0].Capacities.Length).Select(r => Math.Max((int)Math.Ceiling(drawn.Average(i => i.Capacities[r])), drawn.Max(i => i.Demands.Max(d => d[r]))))];
        double most = Enumerable.Range(0, capacities.Length).Max(r => drawn.Average(i => i.Durations.Zip(i.Demands, (d, row) => (double)d * row[r]).Sum()) / capacities[r]);
        double arrival = 0;
        SimulatedJob[] jobs =
        [
            .. drawn.Select((instance, i) =>
            {
                arrival -= Math.Log(1 - random.NextDouble()) * most / load;
                return new SimulatedJob(instance, i, (long)arrival, 1 << random.Next(3));
            }),
        ];
        SimulatedRun.Run(jobs, PsplibBench.Make(capacities, settings));
        ScheduleCheck.All(jobs, capacities);
        double[] slowdowns = [.. jobs.Select(j => (j.End - j.Arrival) / (double)Alone(j.Instance, capacities))];
        double[] speeds = [.. slowdowns.Select(s => 1 / s)];
        return new Outcome(
            slowdowns.Average(), slowdowns.Order().ElementAt((int)(0.95 * slowdowns.Length)),
            [.. new[] { 1, 2, 4 }.Select(w => jobs.Zip(slowdowns).Where(p => p.First.Weight == w).Select(p => p.Second).DefaultIfEmpty(double.NaN).Average())],
            // Jain, Chiu and Hawe (1984), a job counted as often as its weight.
            Math.Pow(jobs.Zip(speeds, (j, x) => j.Weight * x).Sum(), 2) / (jobs.Sum(j => j.Weight) * jobs.Zip(speeds, (j, x) => j.Weight * x * x).Sum()),
            WidestWait(jobs, capacities));
    }

    private static long Alone(ProjectInstance instance, int[] capacities)
    {
        SimulatedJob job = new(instance);
        SimulatedRun.Run([job], PsplibBench.Make(capacities, new PsplibSettings()));
        return job.End;
    }

    private static double WidestWait(SimulatedJob[] jobs, int[] capacities)
    {
        (double Width, long Wait)[] all =
        [
            .. jobs.SelectMany(j => Enumerable.Range(0, j.Instance.Count).Where(t => j.Instance.Durations[t] > 0)
                .Select(t => (j.Instance.Demands[t].Select((d, r) => (double)d / capacities[r]).Max(), j.Starts[t] - j.ReadyAt[t]))),
        ];
        return all.OrderByDescending(t => t.Width).Take((int)Math.Ceiling(all.Length * Widest)).Max(t => t.Wait);
    }

    private sealed record Outcome(double Slowdown, double P95, double[] ByWeight, double Jain, double WidestWait)
    {
        public static Outcome Mean(Outcome[] runs) => new(
            Average(runs, r => r.Slowdown), Average(runs, r => r.P95), [.. Enumerable.Range(0, 3).Select(w => Average(runs, r => r.ByWeight[w]))], Average(runs, r => r.Jain), Average(runs, r => r.WidestWait));

        private static double Average(Outcome[] runs, Func<Outcome, double> of) => Math.Round(runs.Average(of), 4);
    }
}
