using System.Globalization;

namespace Millstream.Tests;

/// <summary>More shapes, units and workers than are looked at one by one.</summary>
public class SchedulerManyShapesTests
{
    [Theory]
    [InlineData(1, 12, 1, 40, 1)]
    [InlineData(2, 12, 9, 40, 1)]
    [InlineData(3, 90, 1, 40, 1)]
    [InlineData(4, 12, 30, 40, 1)]
    [InlineData(5, 12, 9, 1, 30)]
    [InlineData(6, 12, 9, 3, 100)]
    public void Release_ManyShapes_NobodyWaitsWhoCouldRun(int seed, int unitsOfAWorker, int workers, int jobCount, int names)
    {
        Random random = new(seed);
        Scheduler scheduler = new(new SchedulerOptions { HoldFloor = TimeSpan.FromDays(999) }, 1);
        List<ResourceUnit[]> fleet = [];
        for (int w = 0; w < workers; w++)
        {
            ResourceUnit[] owned = [.. Enumerable.Range(0, unitsOfAWorker).Select(i => i % 4 == 3
                ? new ResourceUnit($"w{w}-{i}", "memory", 16)
                : new ResourceUnit($"w{w}-{i}", i % 4 == 2 ? "b" : "a", 1, new Dictionary<string, string> { ["n"] = $"{random.Next(6)}" }))];
            fleet.Add(owned);
            scheduler.AddWorker($"w{w}", $"w{w}", owned, 0, 1_000);
        }

        SchedulingJob[] jobs = [.. Enumerable.Range(0, jobCount).Select(i => new SchedulingJob($"j{i}", $"t{i % 3}"))];
        HashSet<TaskRequest> waiting = [];
        List<Grant> live = [];
        for (int step = 0; step < 1_500; step++)
        {
            if (step < 900 || random.Next(3) == 0)
            {
                TaskRequest request = new(jobs[random.Next(jobs.Length)], step, scheduler.Intern(Needs(random, names)));
                waiting.Add(request);
                scheduler.Submit(request, step);
            }
            else if (live.Count > 0)
            {
                int at = random.Next(live.Count);
                scheduler.Release(live[at], step);
                live.RemoveAt(at);
            }

            while (scheduler.TryTake(out Decision decision))
            {
                waiting.Remove(decision.Request);
                if (decision.Kind == DecisionKind.Granted)
                    live.Add(decision.Grant!);
            }

            if (step % 10 == 0)
                Assert.All(waiting, r => Assert.False(fleet.Exists(owned => Fits(r.Shape, owned)), $"seed {seed}, step {step}: {scheduler.Explain(r)}"));
        }

        Assert.True(live.Count > 0 && waiting.Select(r => r.Shape).Distinct().Count() > 40, "too few wait: it tests nothing");
    }

    private static ResourceRequirement[] Needs(Random random, int names)
    {
        ResourceRequirement first = ResourceRequirement.Exclusive(random.Next(2) == 0 ? "a" : "b", LabelSelector.Parse(string.Create(CultureInfo.InvariantCulture, $"n >= {random.Next(6)}")), random.Next(4) == 0 ? 2 : 1, name: names == 1 ? null : $"n{random.Next(names)}");
        return random.Next(2) == 0 ? [first] : [first, ResourceRequirement.Units("memory", random.Next(1, 14))];
    }

    // Types do not overlap and each need is of another type, so that each can be looked at alone.
    private static bool Fits(TaskShape shape, ResourceUnit[] owned) => shape.Needs.All(n => n.Shared
        ? owned.Any(u => u.Type == "memory" && u.Free >= n.Amount)
        : owned.Count(u => u.Type == n.Type.Name && u.Free == 1 && n.Requirement.Labels.Matches(u.Labels)) >= n.Amount);
}
