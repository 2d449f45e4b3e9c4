using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>The scheduler alone, without a shell: what a decision costs.</summary>
internal static class SchedulerBench
{
    private const int Rounds = 5;

    /// <summary>Prints one line a case: median of five rounds, with the bytes allocated a task.</summary>
    public static Task RunAsync(TextWriter output)
    {
        Report(output, "submit+release, slot only", 200_000, n => Uncontended(n, false));
        Report(output, "submit+release, one exclusive unit", 200_000, n => Uncontended(n, true));
        foreach (int count in new[] { 1_000, 10_000, 100_000, 1_000_000 })
        {
            Report(output, string.Create(CultureInfo.InvariantCulture, $"fan-out of {count:N0}, 64 slots"), count, n => FanOut(n, 1, 1));
        }

        Report(output, "1,000 jobs x 200 tasks, 64 slots", 200_000, n => FanOut(n, 1000, 1));
        Report(output, "1,000 jobs x 200 tasks, 10 tenants", 200_000, n => FanOut(n, 1000, 10));
        Report(output, "1,000,000 waiting, 1,000 jobs, 100 shapes", 1_000_000, n => Shapes(n, 1000, 100));
        Report(output, "100,000 tasks with 4 sandboxes", 100_000, n => Sandboxes(n));
        return Task.CompletedTask;
    }

    private static void Report(TextWriter output, string name, int count, Action<int> run)
    {
        // Until the compiler's second tier is there.
        for (long from = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(from) < TimeSpan.FromSeconds(1);)
            run(Math.Min(count, 20_000));
        List<double> times = [];
        long bytes = 0;
        for (int i = 0; i < Rounds; i++)
        {
            GC.Collect();
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            run(count);
            times.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / count);
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        times.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"scheduler: {name,-44} {times[Rounds / 2],7:N0} ns a task, {bytes / count,5} B a task"));
    }

    private static Scheduler NewScheduler(int slots, params ResourceUnit[] units)
    {
        Scheduler scheduler = new(new SchedulerOptions(), 1);
        scheduler.AddWorker("w", "w", units, 0, slots);
        return scheduler;
    }

    private static void Uncontended(int count, bool unit)
    {
        Scheduler scheduler = NewScheduler(64, new ResourceUnit("b", "browser"));
        SchedulingJob job = new("j", "t");
        TaskShape shape = scheduler.Intern(unit ? [ResourceRequirement.Exclusive("browser")] : []);
        for (int i = 0; i < count; i++)
        {
            scheduler.Submit(new TaskRequest(job, i, shape), i);
            scheduler.TryTake(out Decision decision);
            scheduler.Release(decision.Grant!, i);
        }
    }

    private static void FanOut(int count, int jobCount, int tenants)
    {
        Scheduler scheduler = NewScheduler(64);
        TaskShape shape = scheduler.Intern([]);
        SchedulingJob[] jobs = Jobs(jobCount, tenants);
        for (int i = 0; i < count; i++)
        {
            scheduler.Submit(new TaskRequest(jobs[i % jobCount], i, shape), i);
        }

        Finish(scheduler, count);
    }

    private static void Shapes(int count, int jobCount, int shapeCount)
    {
        int types = shapeCount / 10;
        Scheduler scheduler = NewScheduler(64, [.. Enumerable.Range(0, types * 4).Select(i => new ResourceUnit($"u{i}", $"type{i % types}", 1, new Dictionary<string, string> { ["n"] = $"{i / types}" }))]);
        TaskShape[] shapes = [.. Enumerable.Range(0, shapeCount).Select(i => scheduler.Intern([ResourceRequirement.Exclusive($"type{i % types}", LabelSelector.Parse($"n >= {i / types % 4}"), name: $"{i}")]))];
        SchedulingJob[] jobs = Jobs(jobCount, 1);
        for (int i = 0; i < count; i++)
        {
            scheduler.Submit(new TaskRequest(jobs[i % jobCount], i, shapes[i / 7 % shapeCount]), i);
        }

        Finish(scheduler, count);
    }

    private static void Sandboxes(int count)
    {
        Scheduler scheduler = NewScheduler(64, [.. Enumerable.Range(0, 4).Select(i => new ResourceUnit($"s{i}", "sandbox"))]);
        TaskShape shape = scheduler.Intern([ResourceRequirement.Exclusive("sandbox")]);
        SchedulingJob job = new("j", "t");
        for (int i = 0; i < count; i++)
        {
            scheduler.Submit(new TaskRequest(job, i, shape), i);
        }

        Finish(scheduler, count);
    }

    private static SchedulingJob[] Jobs(int count, int tenants) => [.. Enumerable.Range(0, count).Select(i => new SchedulingJob($"j{i}", $"t{i % tenants}"))];

    private static void Finish(Scheduler scheduler, int count)
    {
        int done = 0;
        while (scheduler.TryTake(out Decision decision))
        {
            scheduler.Release(decision.Grant!, count + done++);
        }

        if (done != count)
        {
            throw new InvalidOperationException($"{done} of {count} tasks ran.");
        }
    }
}
