using Millstream.Cli.Graphs;

namespace Millstream.Cli.Tests.Graphs;

/// <summary>A drawing shows every node and edge, nothing on top of anything, and goes one way.</summary>
public sealed class LayoutTests
{
    private static readonly (double Width, double Height) Size = (120, 42);

    public static TheoryData<string, int, (int, int)[]> Shapes() => new()
    {
        { "nothing", 0, [] },
        { "one", 1, [] },
        { "five apart", 5, [] },
        { "chain", 5, [(0, 1), (1, 2), (2, 3), (3, 4)] },
        { "long edge beside a chain", 5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 3)] },
        { "fan-out and fan-in", 42, [.. Enumerable.Range(1, 40).SelectMany(i => new[] { (0, i), (i, 41) })] },
        { "everything to everything", 12, [.. from a in Enumerable.Range(0, 6) from b in Enumerable.Range(6, 6) select (a, b)] },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Of_Shape_IsDrawnRight(string name, int count, (int, int)[] edges)
    {
        Layout layout = Layout.Of([.. Enumerable.Repeat(Size, count)], edges);
        Check(layout, count, edges, name);
    }

    [Fact]
    public void Of_RandomGraphs_AreDrawnRight()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            int count = random.Next(2, 80);
            (int, int)[] edges = RandomEdges(random, count, random.NextDouble() * 3);
            (double, double)[] sizes = [.. Enumerable.Range(0, count).Select(_ => (random.Next(84, 260) * 1.0, random.Next(2) == 0 ? 42.0 : 62.0))];
            Check(Layout.Of(sizes, edges), count, edges, $"seed {seed}");
        }
    }

    [Fact]
    public void Of_SameGraph_IsTheSameDrawing()
    {
        (int, int)[] edges = RandomEdges(new Random(5), 60, 2);
        Layout a = Layout.Of([.. Enumerable.Repeat(Size, 60)], edges), b = Layout.Of([.. Enumerable.Repeat(Size, 60)], edges);
        Assert.Equal(a.Boxes, b.Boxes);
        Assert.Equal(a.Routes.SelectMany(r => r), b.Routes.SelectMany(r => r));
    }

    [Fact]
    public void Of_Chain_IsStraightAndCompact()
    {
        Layout layout = Layout.Of([.. Enumerable.Repeat(Size, 5)], [(0, 1), (1, 2), (2, 3), (3, 4)]);
        Assert.True(layout.IsDown);
        Assert.Single(layout.Boxes.Select(b => b.X).Distinct());
        Assert.InRange(layout.Width, Size.Width, Size.Width + 60);
        Assert.InRange(layout.Height, 5 * Size.Height, 5 * 110);
    }

    [Fact]
    public void Of_WideFanOut_GoesToTheRight() =>
        Assert.False(Layout.Of([.. Enumerable.Repeat(Size, 40)], [.. Enumerable.Range(1, 39).Select(i => (0, i))]).IsDown);

    [Fact]
    public void Reduce_TwistedPairs_LeavesNoCrossing()
    {
        LayeredGraph graph = LayeredGraph.Of(8, [(0, 7), (1, 6), (2, 5), (3, 4)]);
        Assert.Equal(6, Crossings.Count(graph));
        Crossings.Reduce(graph);
        Assert.Equal(0, Crossings.Count(graph));
    }

    [Fact]
    public void Of_ThousandTasks_TakesNoAges() =>
        Check(Layout.Of([.. Enumerable.Repeat(Size, 1000)], RandomEdges(new Random(1), 1000, 1.5)), 1000, RandomEdges(new Random(1), 1000, 1.5), "1000");

    private static (int From, int To)[] RandomEdges(Random random, int count, double perNode) =>
        [.. Enumerable.Range(0, (int)(count * perNode)).Select(_ => (a: random.Next(count), b: random.Next(Math.Max(0, count - 12), count)))
            .Select(e => random.Next(3) == 0 ? e : (e.a, b: Math.Min(count - 1, e.a + 1 + random.Next(8)))).Where(e => e.a < e.b).Distinct()];

    private static void Check(Layout layout, int count, (int From, int To)[] edges, string name)
    {
        Assert.True(layout.Boxes.Count == count && layout.Routes.Count == edges.Length, name);
        for (int i = 0; i < count; i++)
        {
            Box a = layout.Boxes[i];
            Assert.True(a.X >= 0 && a.Y >= 0 && a.X + a.Width <= layout.Width && a.Y + a.Height <= layout.Height, $"{name}: node {i} is outside the page");
            for (int j = 0; j < i; j++)
                Assert.False(Overlap(a, layout.Boxes[j], 10), $"{name}: nodes {j} and {i} touch");
        }

        for (int e = 0; e < edges.Length; e++)
        {
            IReadOnlyList<Spot> route = layout.Routes[e];
            double[] along = [.. route.Select(s => layout.IsDown ? s.Y : s.X)];
            Assert.True(along.SequenceEqual(along.Order()), $"{name}: edge {edges[e]} goes back");
            Assert.True(On(layout.Boxes[edges[e].From], route[0]) && On(layout.Boxes[edges[e].To], route[^1]), $"{name}: edge {edges[e]} hangs in the air");
            // Curves lie between layers; where an edge is straight it passes a layer, and no node may be in its way.
            for (int s = 1; s < route.Count; s += 2)
                for (int i = 0; i < count; i++)
                    Assert.False(i != edges[e].From && i != edges[e].To && Overlap(layout.Boxes[i], Between(route[s - 1], route[s]), 4), $"{name}: edge {edges[e]} runs through node {i}");
        }
    }

    private static Box Between(Spot a, Spot b) => new(Math.Min(a.X, b.X), Math.Min(a.Y, b.Y), Math.Abs(a.X - b.X), Math.Abs(a.Y - b.Y));

    private static bool Overlap(Box a, Box b, double gap) =>
        a.X < b.X + b.Width + gap && b.X < a.X + a.Width + gap && a.Y < b.Y + b.Height + gap && b.Y < a.Y + a.Height + gap;

    private static bool On(Box box, Spot spot) => Overlap(box, new Box(spot.X, spot.Y, 0, 0), 0.11);
}
