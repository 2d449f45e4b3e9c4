namespace Millstream.Cli.Graphs;

/// <summary>A point in a layer: a task, or (dummy) a place where a long edge passes a layer.</summary>
internal sealed class LayerPoint(int node, int layer)
{
    /// <summary>The index of the task, or -1 for a dummy.</summary>
    public int Node { get; } = node;

    public int Layer { get; } = layer;

    public bool IsDummy => Node < 0;

    public List<LayerPoint> Before { get; } = [];

    public List<LayerPoint> After { get; } = [];

    /// <summary>Its place in its layer.</summary>
    public int Order { get; set; }

    /// <summary>Its middle across the flow.</summary>
    public double Center { get; set; }
}

/// <summary>The first half of Sugiyama's method: every node has a layer, every edge goes from a layer to the next.</summary>
internal sealed class LayeredGraph
{
    public required List<LayerPoint>[] Layers { get; init; }

    /// <summary>For each edge the points from its start to its end.</summary>
    public required List<LayerPoint>[] Chains { get; init; }

    public static LayeredGraph Of(int count, IReadOnlyList<(int From, int To)> edges)
    {
        int[] layerOf = Layering(count, edges);
        var layers = new List<LayerPoint>[count == 0 ? 0 : layerOf.Max() + 1];
        for (int i = 0; i < layers.Length; i++)
            layers[i] = [];
        LayerPoint[] points = [.. layerOf.Select((layer, node) => new LayerPoint(node, layer))];
        foreach (LayerPoint point in points)
            layers[point.Layer].Add(point);
        var graph = new LayeredGraph { Layers = layers, Chains = [.. edges.Select(e => Chain(points[e.From], points[e.To], layers))] };
        foreach (List<LayerPoint> layer in layers)
            Number(layer);
        return graph;
    }

    public static void Number(List<LayerPoint> layer)
    {
        for (int i = 0; i < layer.Count; i++)
            layer[i].Order = i;
    }

    private static List<LayerPoint> Chain(LayerPoint from, LayerPoint to, List<LayerPoint>[] layers)
    {
        List<LayerPoint> chain = [from];
        for (int layer = from.Layer + 1; layer < to.Layer; layer++)
        {
            chain.Add(new LayerPoint(-1, layer));
            layers[layer].Add(chain[^1]);
        }

        chain.Add(to);
        for (int i = 1; i < chain.Count; i++)
        {
            chain[i - 1].After.Add(chain[i]);
            chain[i].Before.Add(chain[i - 1]);
        }

        return chain;
    }

    /// <summary>Each node as early as it may be; then those with more edges out than in as late, which shortens the edges.</summary>
    private static int[] Layering(int count, IReadOnlyList<(int From, int To)> edges)
    {
        ILookup<int, int> after = edges.ToLookup(e => e.From, e => e.To), before = edges.ToLookup(e => e.To, e => e.From);
        int[] layer = new int[count], open = [.. Enumerable.Range(0, count).Select(i => before[i].Count())];
        List<int> sorted = [.. Enumerable.Range(0, count).Where(i => open[i] == 0)];
        for (int i = 0; i < sorted.Count; i++)
        {
            foreach (int next in after[sorted[i]])
            {
                layer[next] = Math.Max(layer[next], layer[sorted[i]] + 1);
                if (--open[next] == 0)
                    sorted.Add(next);
            }
        }

        foreach (int node in Enumerable.Reverse(sorted))
            if (after[node].Count() > before[node].Count())
                layer[node] = after[node].Min(next => layer[next]) - 1;
        return layer;
    }
}
