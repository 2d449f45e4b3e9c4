namespace Millstream.Tests;

public class SchedulerHistoryTests
{
    /// <summary>MILLSTREAM_SEED=n runs that seed alone, MILLSTREAM_SEEDS=n that many.</summary>
    [Fact]
    public void Histories_AnySeed_KeepTheInvariants()
    {
        int first = Setting("MILLSTREAM_SEED") ?? 0;
        int count = Setting("MILLSTREAM_SEED") is null ? Setting("MILLSTREAM_SEEDS") ?? 1500 : 1;
        int granted = 0;
        int held = 0;
        for (int seed = first; seed < first + count; seed++)
        {
            SchedulerHistory history = new(seed);
            try
            {
                history.Run(80);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Assert.Fail($"Seed {seed} (repeat with MILLSTREAM_SEED={seed}): {e.Message}\n{e.StackTrace}");
            }

            granted += history.Granted;
            held += history.HeldFor;
        }

        Assert.True(granted > count * 5, $"only {granted} grants in {count} histories: they test nothing");
        Assert.True(count < 100 || held > 100, "units were hardly ever held: the histories test no holding");
    }

    private static int? Setting(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : null;
}
