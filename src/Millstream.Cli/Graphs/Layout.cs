namespace Millstream.Cli.Graphs;

/// <summary>A place on the page.</summary>
internal readonly record struct Spot(double X, double Y);

/// <summary>Where a node stands; X and Y are its upper left corner.</summary>
internal readonly record struct Box(double X, double Y, double Width, double Height);

/// <summary>
/// A drawn graph. An edge's route has an even number of spots: each pair is joined by a straight line, and from pair to pair
/// goes a curve that leaves and arrives in the direction of the flow.
/// </summary>
internal sealed record Layout(double Width, double Height, bool IsDown, IReadOnlyList<Box> Boxes, IReadOnlyList<IReadOnlyList<Spot>> Routes)
{
    /// <summary>Draws downwards or to the right, whichever fits a screen better.</summary>
    public static Layout Of(IReadOnlyList<(double Width, double Height)> sizes, IReadOnlyList<(int From, int To)> edges)
    {
        LayeredGraph graph = LayeredGraph.Of(sizes.Count, edges);
        Crossings.Reduce(graph);
        Layout down = Placing.Of(graph, sizes, edges, isDown: true), right = Placing.Of(graph, sizes, edges, isDown: false);
        return Discomfort(right) < Discomfort(down) ? right : down;
    }

    /// <summary>How far one must zoom out to see all of it on a page of 4:3; a little in favour of downwards.</summary>
    private static double Discomfort(Layout layout) => Math.Max(layout.Width / 4, layout.Height / 3) * (layout.IsDown ? 1 : 1.1);
}
