namespace Millstream.Simulation;

public sealed class SimulationTests
{
    private const int Seeds = 1000;

    [Theory]
    [InlineData(1)]
    [InlineData(1001)]
    [InlineData(2001)]
    [InlineData(3001)]
    [InlineData(4001)]
    [InlineData(5001)]
    [InlineData(6001)]
    [InlineData(7001)]
    [InlineData(8001)]
    [InlineData(9001)]
    public void ThousandHistories_EveryInvariantHolds(int from)
    {
        for (int seed = from; seed < from + Seeds; seed++)
        {
            HistoryResult result = SimulationCommand.Check(seed, seed % SimulationCommand.CheckEvery == 0);
            Assert.True(result.Failure is null, $"seed {seed} failed (./simulate --seed {seed}):\n{result.Failure}");
        }
    }

    [Fact]
    public void Workflows_GoByPlansThatKeepTasksWaiting()
    {
        HistoryResult[] results = [.. Enumerable.Range(1, 300).Where(History.HasWorkflows).Select(History.Run)];
        Assert.InRange(results.Sum(r => r.Plans), 80, int.MaxValue);
        Assert.InRange(results.Sum(r => r.Later), 60, int.MaxValue);
    }

    [Fact]
    public void SameSeed_GivesTheSameHistory_AnotherSeedAnother()
    {
        HistoryResult first = History.Run(7);
        Assert.Equal(first, History.Run(7));
        Assert.NotEqual(first.Hash, History.Run(8).Hash);
    }
}
