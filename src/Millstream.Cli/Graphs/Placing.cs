namespace Millstream.Cli.Graphs;

/// <summary>
/// The second half: coordinates. Across the flow every point wants to stand in the middle of its neighbours; its layer's
/// order and distances are kept by merging points that come too near into blocks (the least movement in squares).
/// </summary>
internal sealed class Placing
{
    private const double Margin = 24, NodeGap = 22, EdgeGap = 14, LayerGap = 46, Sweeps = 40;

    private readonly LayeredGraph _graph;
    private readonly IReadOnlyList<(double Width, double Height)> _sizes;
    private readonly bool _isDown;

    private Placing(LayeredGraph graph, IReadOnlyList<(double Width, double Height)> sizes, bool isDown) => (_graph, _sizes, _isDown) = (graph, sizes, isDown);

    public static Layout Of(LayeredGraph graph, IReadOnlyList<(double Width, double Height)> sizes, IReadOnlyList<(int From, int To)> edges, bool isDown)
    {
        var placing = new Placing(graph, sizes, isDown);
        placing.PlaceAcross();
        return placing.Draw(edges);
    }

    /// <summary>A point's size across the flow.</summary>
    private double Breadth(LayerPoint point) => point.IsDummy ? 0 : _isDown ? _sizes[point.Node].Width : _sizes[point.Node].Height;

    private double Depth(LayerPoint point) => point.IsDummy ? 0 : _isDown ? _sizes[point.Node].Height : _sizes[point.Node].Width;

    private double Distance(LayerPoint a, LayerPoint b) => (Breadth(a) + Breadth(b)) / 2 + (a.IsDummy && b.IsDummy || !_isDown ? EdgeGap : NodeGap);

    private void PlaceAcross()
    {
        foreach (List<LayerPoint> layer in _graph.Layers)
        {
            double at = 0;
            for (int i = 0; i < layer.Count; i++)
                layer[i].Center = at += i == 0 ? 0 : Distance(layer[i - 1], layer[i]);
            foreach (LayerPoint point in layer)
                point.Center -= at / 2;
        }

        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            bool both = sweep >= Sweeps * 3 / 4;
            foreach (List<LayerPoint> layer in sweep % 2 == 0 ? _graph.Layers : _graph.Layers.Reverse())
                Settle(layer, useBefore: both || sweep % 2 == 0, useAfter: both || sweep % 2 == 1);
        }
    }

    private void Settle(List<LayerPoint> layer, bool useBefore, bool useAfter)
    {
        // Shifting each point by the distances before it turns "keep apart" into "do not fall", which merging blocks solves.
        List<(double Wish, double Weight, int Count)> blocks = [];
        double[] shift = new double[layer.Count];
        for (int i = 0; i < layer.Count; i++)
        {
            shift[i] = i == 0 ? 0 : shift[i - 1] + Distance(layer[i - 1], layer[i]);
            (double wish, double weight) = Wish(layer[i], useBefore, useAfter);
            (double Wish, double Weight, int Count) block = (wish - shift[i], weight, 1);
            while (blocks.Count > 0 && blocks[^1].Wish > block.Wish)
            {
                (double otherWish, double otherWeight, int otherCount) = blocks[^1];
                blocks.RemoveAt(blocks.Count - 1);
                double sum = otherWeight + block.Weight;
                block = ((otherWish * otherWeight + block.Wish * block.Weight) / sum, sum, otherCount + block.Count);
            }

            blocks.Add(block);
        }

        int at = 0;
        foreach ((double wish, _, int count) in blocks)
            for (int i = 0; i < count; i++, at++)
                layer[at].Center = wish + shift[at];
    }

    /// <summary>Long edges pull hardest, so that they are straight where they pass.</summary>
    private static (double Wish, double Weight) Wish(LayerPoint point, bool useBefore, bool useAfter)
    {
        double sum = 0, weight = 0;
        foreach (LayerPoint near in (useBefore ? point.Before : []).Concat(useAfter ? point.After : []))
        {
            double pull = point.IsDummy && near.IsDummy ? 8 : point.IsDummy || near.IsDummy ? 2 : 1;
            sum += near.Center * pull;
            weight += pull;
        }

        return weight == 0 ? (point.Center, 0.01) : (sum / weight, weight);
    }

    private Layout Draw(IReadOnlyList<(int From, int To)> edges)
    {
        var all = _graph.Layers.SelectMany(l => l).ToList();
        double least = all.Select(p => p.Center - Breadth(p) / 2).DefaultIfEmpty(0).Min(), most = all.Select(p => p.Center + Breadth(p) / 2).DefaultIfEmpty(0).Max();
        var starts = new double[_graph.Layers.Length];
        var ends = new double[_graph.Layers.Length];
        double at = Margin;
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = at;
            ends[i] = at + _graph.Layers[i].Max(Depth);
            // The further an edge goes sideways, the more room it gets, or it would lie flat on its neighbours.
            double sideways = _graph.Layers[i].SelectMany(p => p.After.Select(a => Math.Abs(a.Center - p.Center))).DefaultIfEmpty(0).Max();
            at = ends[i] + Math.Clamp(LayerGap + sideways * 0.06, LayerGap, LayerGap * 2.5);
        }

        var boxes = new Box[_sizes.Count];
        foreach (LayerPoint p in all.Where(p => !p.IsDummy))
        {
            Spot corner = Spot(p.Center - Breadth(p) / 2 - least + Margin, (starts[p.Layer] + ends[p.Layer] - Depth(p)) / 2);
            boxes[p.Node] = new Box(corner.X, corner.Y, _sizes[p.Node].Width, _sizes[p.Node].Height);
        }

        Dictionary<(LayerPoint, LayerPoint), double> leave = Ports(all, p => p.After), arrive = Ports(all, p => p.Before);
        IReadOnlyList<Spot> Route(List<LayerPoint> chain)
        {
            List<Spot> route = [];
            for (int i = 0; i < chain.Count; i++)
            {
                LayerPoint p = chain[i];
                double middle = (starts[p.Layer] + ends[p.Layer]) / 2, port = p.Center - least + Margin;
                port += i == 0 ? leave[(p, chain[1])] : i == chain.Count - 1 ? arrive[(p, chain[i - 1])] : 0;
                route.Add(Spot(port, i == 0 ? middle + Depth(p) / 2 : starts[p.Layer]));
                route.Add(Spot(port, i == chain.Count - 1 ? middle - Depth(p) / 2 : ends[p.Layer]));
            }

            return route;
        }

        double across = most - least + 2 * Margin, along = (ends.Length == 0 ? Margin : ends[^1]) + Margin;
        return new Layout(_isDown ? across : along, _isDown ? along : across, _isDown, boxes, [.. _graph.Chains.Select(Route)]);
    }

    // A tenth is as fine as it is written, and two sums of the same lengths come out the same.
    private Spot Spot(double across, double along)
    {
        (across, along) = (Math.Round(across, 1), Math.Round(along, 1));
        return _isDown ? new Spot(across, along) : new Spot(along, across);
    }

    /// <summary>Where on a node's side each of its edges begins or ends, beside its middle, in the order of where they go.</summary>
    private Dictionary<(LayerPoint, LayerPoint), double> Ports(List<LayerPoint> points, Func<LayerPoint, List<LayerPoint>> side)
    {
        Dictionary<(LayerPoint, LayerPoint), double> ports = [];
        foreach (LayerPoint point in points)
        {
            LayerPoint[] sorted = [.. side(point).OrderBy(n => n.Center)];
            double step = sorted.Length < 2 ? 0 : Math.Min(14, Breadth(point) * 0.6 / (sorted.Length - 1));
            for (int i = 0; i < sorted.Length; i++)
                ports[(point, sorted[i])] = (i - (sorted.Length - 1) / 2.0) * step;
        }

        return ports;
    }
}
