namespace Millstream.Tests;

/// <summary>Things in order, in blocks, beside the same in a dictionary that is sorted.</summary>
public sealed class SortedBlocksTests
{
    private const int Steps = 20_000;

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 400)]
    [InlineData(3, 4_000)]
    public void Blocks_AfterManyChanges_AreInOrder(int seed, int most)
    {
        Random random = new(seed);
        SortedBlocks<Thing, Place> blocks = new();
        SortedDictionary<int, Thing> same = [];
        int next = 0;
        for (int step = 0; step < Steps; step++)
        {
            int what = random.Next(10), some = same.Count == 0 ? 0 : same.Keys.ElementAt(random.Next(same.Count));
            // Grows to its limit, is emptied nearly, grows again.
            bool grows = step / (Steps / 4) % 2 == 0 ? same.Count < most : same.Count < 3;
            if (same.Count == 0 || (grows && what < 6))
            {
                int key = what < 3 ? ++next * 1_000 : random.Next(next * 1_000 + 1);
                if (same.TryAdd(key, new Thing(step)))
                    blocks.Add(new Place(key), same[key]);
            }
            else if (what < 8)
            {
                int to = what < 7 ? some + random.Next(-2_000, 2_000) : random.Next(next * 1_000 + 1);
                if (same.TryAdd(to, same[some]))
                {
                    same.Remove(some);
                    blocks.Move(new Place(some), new Place(to));
                }
            }
            else
            {
                same.Remove(some);
                blocks.Remove(new Place(some));
            }
            if (step % 50 == 0 || same.Count < 3)
                Check(blocks, same);
        }
        blocks.Rebuild(thing => new Place(-thing.Step));
        Assert.Equal(same.Values.OrderByDescending(t => t.Step), blocks.Items);
    }

    [Fact]
    public void Remove_OfAKeyThatIsNotThere_IsRefused()
    {
        SortedBlocks<Thing, Place> blocks = new();
        blocks.Add(new Place(1), new Thing(1));
        Assert.Throws<InvalidOperationException>(() => blocks.Remove(new Place(2)));
    }

    private static void Check(SortedBlocks<Thing, Place> blocks, SortedDictionary<int, Thing> same)
    {
        Assert.Equal(same.Count, blocks.Count);
        Assert.Equal(same.Values, blocks.Items);
        if (same.Count > 0)
            Assert.Same(same.First().Value, blocks.First);
        Assert.Equal(same.FirstOrDefault(e => e.Key % 7 == 3).Value, blocks.FirstOf(new EverySeventh()));
    }

    private sealed record Thing(int Step);

    private readonly record struct Place(long Number) : IOrderKey<Place>
    {
        public bool Before(in Place other) => Number < other.Number;
    }

    private readonly struct EverySeventh : IKeyFilter<Place>
    {
        public bool Lets(in Place key) => key.Number % 7 == 3;
    }
}
