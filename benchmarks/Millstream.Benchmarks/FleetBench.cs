using System.Globalization;

namespace Millstream;

/// <summary>
/// The real scheduler in virtual time, on seeded work: one resource per worker or many, bundles or single units; and what it costs when agents
/// hold what they once got. Numbers behind docs/decisions; they are the same on every machine.
/// </summary>
internal static class FleetBench
{
    private const int Seeds = 10;
    private const int Tasks = 2_000;
    private const int Pairs = 8;
    private const string Browser = "browser", Sandbox = "sandbox", Bundle = "bundle";

    private static readonly string[] One = [Browser], Other = [Sandbox], Both = [Browser, Sandbox];

    public static Task RunAsync(TextWriter output)
    {
        output.WriteLine($"fleet: {Tasks:N0} tasks over {Pairs} browsers and {Pairs} sandboxes; 40 % need a browser, 40 % a sandbox, 20 % both, 1 to 19 s each; medians of {Seeds} seeds");
        Report(output, "8 workers of a fixed bundle", Fleets(Pairs, Bundle), bundled: true);
        Report(output, "16 workers of one resource", [.. Fleets(Pairs, Browser), .. Fleets(Pairs, Sandbox)]);
        Report(output, "8 workers of a browser and a sandbox", Fleets(Pairs, Browser, Sandbox));
        Report(output, "2 workers of four of each", Fleets(2, [.. Repeat(Browser, 4), .. Repeat(Sandbox, 4)]));
        Report(output, "1 worker of everything", Fleets(1, [.. Repeat(Browser, Pairs), .. Repeat(Sandbox, Pairs)]));
        output.WriteLine("fleet: the same without tasks that need both");
        Report(output, "8 workers of a fixed bundle", Fleets(Pairs, Bundle), bundled: true, both: 0);
        Report(output, "16 workers of one resource", [.. Fleets(Pairs, Browser), .. Fleets(Pairs, Sandbox)], both: 0);
        Report(output, "1 worker of everything", Fleets(1, [.. Repeat(Browser, Pairs), .. Repeat(Sandbox, Pairs)]), both: 0);
        Hold(output);
        return Task.CompletedTask;
    }

    private static IEnumerable<string> Repeat(string type, int count) => Enumerable.Repeat(type, count);

    private static List<string[]> Fleets(int workers, params string[] types) => [.. Enumerable.Repeat(types, workers)];

    private static void Report(TextWriter output, string name, List<string[]> fleet, bool bundled = false, int both = 20)
    {
        List<double> spans = [], busy = [], lost = [], refused = [];
        for (int seed = 1; seed <= Seeds; seed++)
        {
            FleetRun run = new(fleet);
            run.SubmitAll(Work(seed, bundled, both));
            (double span, double used, int never) = run.Finish();
            spans.Add(span);
            busy.Add(used);
            refused.Add(never);
            // The same work while every 100 s one worker, in turn, fails and is back at once: what ran there begins again.
            FleetRun failing = new(fleet) { FailureEvery = 100 };
            failing.SubmitAll(Work(seed, bundled, both));
            failing.Finish();
            lost.Add(failing.Lost / failing.Failures);
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"fleet: {name,-38} {Measure.Median(spans),6:N0} s in all, {Measure.Median(busy),4:P0} of the units' time used, {Measure.Median(refused),4} tasks never feasible, {Measure.Median(lost),5:N1} task-seconds lost to one failure"));
    }

    private static IEnumerable<(string[] Needs, int Seconds, int Units)> Work(int seed, bool bundled, int both)
    {
        Random random = new(seed);
        for (int i = 0; i < Tasks; i++)
        {
            int kind = random.Next(100);
            string[] needs = kind < both ? Both : kind % 2 == 0 ? One : Other;
            yield return (bundled ? [Bundle] : needs, random.Next(1, 20), needs.Length);
        }
    }

    /// <summary>Jobs of several steps: each step leases what it needs, or the job keeps what it once got until its end.</summary>
    private static void Hold(TextWriter output)
    {
        const int jobs = 40;
        output.WriteLine($"fleet: {jobs} jobs of 6 steps over 4 browsers and 4 sandboxes; a step needs a browser, a sandbox or (half of them) nothing; {Seeds} seeds");
        foreach (Holding holding in Enum.GetValues<Holding>())
        {
            List<double> spans = [], busy = [];
            int stuck = 0, deadlocked = 0;
            for (int seed = 1; seed <= Seeds; seed++)
            {
                StepJobs run = new(seed, jobs, holding);
                (double span, double used, int left) = run.Finish();
                stuck += left;
                if (left > 0)
                {
                    deadlocked++;
                    continue;
                }
                spans.Add(span);
                busy.Add(used);
            }
            string name = holding switch { Holding.PerTask => "each task leases what it needs", Holding.Keep => "the agent keeps what it got", _ => "the agent leases all at its start" };
            string ended = spans.Count == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{Measure.Median(spans):N0} s in all, at work in {Measure.Median(busy):P0} of the leased time");
            output.WriteLine($"fleet: {name,-38} {deadlocked} of {Seeds} seeds deadlock, {stuck} of {jobs * Seeds} jobs never end; other seeds: {ended}");
        }
    }
}
