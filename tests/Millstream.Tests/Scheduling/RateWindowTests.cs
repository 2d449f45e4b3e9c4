namespace Millstream.Tests;

public class RateWindowTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void Log_OfManyAmounts_StaysShortAndLosesLittle()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            long length = random.Next(2) == 0 ? 60 * Second : random.NextInt64(1, 100_000);
            RateWindow window = new("tokens", 1_000_000, length);
            List<(long At, long Amount)> all = [];
            long now = 1_000 * Second;
            for (int i = 0; i < 5_000; i++)
            {
                now += random.NextInt64(length / (1 + random.Next(1000)) + 1);
                window.Pass(now);
                long amount = random.Next(1, 50);
                window.Take(amount);
                window.Arrive(amount, now);
                all.Add((now, amount));
                Assert.True(window.Entries <= 256, $"seed {seed}: {window.Entries} entries");
                all.RemoveAll(e => e.At + length + length / 200 <= now);
                long counted = window.Limit - window.Room;
                long least = all.Where(e => e.At + length > now).Sum(e => e.Amount), most = all.Sum(e => e.Amount);
                Assert.True(counted >= least && counted <= most, $"seed {seed}: {counted} count, between {least} and {most} are in the window");
            }
        }
    }

    [Fact]
    public void When_WithAmountsUnderWay_NamesTheEarliestTimeOrNever()
    {
        RateWindow window = new("tokens", 10, 60);
        window.Take(4);
        window.Arrive(4, 100);
        window.Take(3);
        window.Arrive(3, 110);
        window.Take(2);
        Assert.Equal(0, window.When(1));
        Assert.Equal(160, window.When(2));
        Assert.Equal(160, window.When(5));
        Assert.Equal(170, window.When(8));
        Assert.Equal(long.MaxValue, window.When(9));
    }

    [Theory]
    [InlineData(1, 9)]
    [InlineData(10, 0)]
    [InlineData(15, -5)]
    public void Correct_AfterArrival_CountsTheTrueUseFromItsArrival(long used, long room)
    {
        RateWindow window = new("tokens", 10, 60);
        window.Take(6);
        window.Arrive(6, 100);
        Assert.Equal(used, window.Correct(6, used, 100, 130));
        Assert.Equal(room, window.Room);
        Assert.False(window.Pass(159));
        Assert.True(window.Pass(160));
        Assert.Equal(10, window.Room);
        Assert.Equal(20, window.Correct(used, 20, 100, 160));
        Assert.Equal(10, window.Room);
    }

    [Fact]
    public void Correct_OfMergedAmounts_NeverCountsBelowZeroOrForEver()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            RateWindow window = new("tokens", 1_000_000, 60 * Second);
            List<(long At, long Amount)> taken = [];
            long now = 0;
            for (int i = 0; i < 3_000; i++)
            {
                now += random.NextInt64(Second / 5);
                window.Pass(now);
                window.Take(20);
                window.Arrive(20, now);
                taken.Add((now, 20));
                int at = random.Next(Math.Max(0, taken.Count - 400), taken.Count);
                taken[at] = (taken[at].At, window.Correct(taken[at].Amount, random.Next(40), taken[at].At, now));
                long least = taken.Where(t => t.At + 60 * Second > now).Sum(t => t.Amount);
                Assert.True(window.Limit - window.Room >= least, $"seed {seed}: {window.Limit - window.Room} count, {least} are in the window");
            }
            window.Pass(now + 61 * Second);
            Assert.Equal(window.Limit, window.Room);
            Assert.True(window.IsIdle);
        }
    }
}
