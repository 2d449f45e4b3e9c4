namespace Millstream.Tests;

public sealed class LookAheadTests
{
    [Fact]
    public void Schedules_OfAnyJob_KeepOrderAndCapacities()
    {
        int left = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            PlannedJob job = new(seed, 25);
            ScheduleDecoder decoder = new(job.Model);
            long[] starts = new long[job.Keys.Length];
            left += job.Left.Length;
            job.Check(starts, decoder.Serial(job.State, job.Keys, starts));
            job.Check(starts, decoder.Parallel(job.State, job.Keys, starts));
        }
        Assert.True(left > 10_000, $"only {left} tasks were left: the schedules test nothing");
    }

    [Fact]
    public void Improve_OfAnyJob_IsNeverWorseThanWhereItBeganAndRests()
    {
        int better = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            PlannedJob job = new(seed, 25);
            LookAhead look = new(job.Model, seed, patience: 300);
            long[] starts = new long[job.Keys.Length];
            look.Improve(job.State, () => false);
            long first = look.End;
            Assert.True(first <= new ScheduleDecoder(job.Model).Parallel(job.State, [.. job.Model.Ranks.Select(r => -r)], starts), "it begins with something worse than the ranks");
            look.Improve(job.State, () => true);
            Assert.True(look.End <= first);
            better += look.End < first ? 1 : 0;
            ScheduleDecoder decoder = new(job.Model);
            job.Check(starts, decoder.Serial(job.State, look.Keys, starts));
            Assert.Equal(look.End, job.Left.Select(t => job.EndOf(t, starts)).Concat(job.State.RunsUntil).Append(job.State.Now).Max());
            long made = look.Made;
            look.Improve(job.State, () => true);
            Assert.True(look.Made - made <= 3, "it does not rest where all goes as planned");
        }
        Assert.True(better > 5, $"it found something better in {better} jobs");
    }

    [Fact]
    public void Improve_OfSmallJobs_FindsTheBest()
    {
        int worse = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            PlannedJob job = new(seed, 6);
            LookAhead look = new(job.Model, seed, patience: 1000);
            look.Improve(job.State, () => true);
            long best = job.Best();
            Assert.True(look.End >= best);
            worse += look.End > best ? 1 : 0;
        }
        Assert.True(worse <= 3, $"{worse} of 300 are not the best");
    }
}
