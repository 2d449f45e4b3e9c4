namespace Millstream.Cli.Graphs;

/// <summary>Orders each layer so that few edges cross: by the middle of the neighbours, then by exchanging neighbours.</summary>
internal static class Crossings
{
    private const int Sweeps = 24;

    public static void Reduce(LayeredGraph graph)
    {
        long best = Count(graph);
        LayerPoint[][] kept = Copy(graph);
        for (int sweep = 0; sweep < Sweeps && best > 0; sweep++)
        {
            bool down = sweep % 2 == 0;
            foreach (List<LayerPoint> layer in down ? graph.Layers : graph.Layers.Reverse())
                Sort(layer, down);
            foreach (List<LayerPoint> layer in graph.Layers)
                Exchange(layer);
            long now = Count(graph);
            if (now < best)
                (best, kept) = (now, Copy(graph));
        }

        for (int i = 0; i < kept.Length; i++)
        {
            graph.Layers[i].Clear();
            graph.Layers[i].AddRange(kept[i]);
            LayeredGraph.Number(graph.Layers[i]);
        }
    }

    public static long Count(LayeredGraph graph) => graph.Layers.Sum(Count);

    /// <summary>The crossings between a layer and the next: pairs of edges whose ends are in the other order than their starts.</summary>
    private static long Count(List<LayerPoint> layer)
    {
        int[] ends = [.. layer.SelectMany(p => p.After.Select(a => a.Order).Order())];
        int[] tree = new int[ends.Length == 0 ? 1 : ends.Max() + 2];
        long crossings = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            int notAbove = 0;
            for (int at = ends[i] + 1; at > 0; at -= at & -at)
                notAbove += tree[at];
            crossings += i - notAbove;
            for (int at = ends[i] + 1; at < tree.Length; at += at & -at)
                tree[at]++;
        }

        return crossings;
    }

    private static void Sort(List<LayerPoint> layer, bool down)
    {
        // Who has no neighbours on that side keeps its place; the others are dealt to the free places in order of their middle.
        LayerPoint[] moving = [.. layer.Where(p => Near(p).Count > 0).OrderBy(p => Near(p).Average(n => n.Order))];
        int next = 0;
        for (int i = 0; i < layer.Count; i++)
            if (Near(layer[i]).Count > 0)
                layer[i] = moving[next++];
        LayeredGraph.Number(layer);

        List<LayerPoint> Near(LayerPoint point) => down ? point.Before : point.After;
    }

    private static void Exchange(List<LayerPoint> layer)
    {
        bool better = true;
        for (int round = 0; better && round < 8; round++)
        {
            better = false;
            for (int i = 0; i + 1 < layer.Count; i++)
            {
                LayerPoint left = layer[i], right = layer[i + 1];
                if (Between(right, left) >= Between(left, right))
                    continue;
                (layer[i], layer[i + 1]) = (right, left);
                (left.Order, right.Order) = (i + 1, i);
                better = true;
            }
        }
    }

    /// <summary>The crossings of the edges of two points when the first stands left of the second.</summary>
    private static int Between(LayerPoint left, LayerPoint right) => Inversions(left.Before, right.Before) + Inversions(left.After, right.After);

    private static int Inversions(List<LayerPoint> left, List<LayerPoint> right)
    {
        int count = 0;
        foreach (LayerPoint a in left)
            foreach (LayerPoint b in right)
                count += a.Order > b.Order ? 1 : 0;
        return count;
    }

    private static LayerPoint[][] Copy(LayeredGraph graph) => [.. graph.Layers.Select(l => l.ToArray())];
}
