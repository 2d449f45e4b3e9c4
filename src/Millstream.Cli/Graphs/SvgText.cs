using System.Globalization;
using System.Text;

namespace Millstream.Cli.Graphs;

/// <summary>A graph as a picture that follows the reader's light or dark setting.</summary>
internal static class SvgText
{
    // A fixed-width face, so that a text's width is known without a font at hand.
    private const double IdAdvance = 7.9, SmallAdvance = 6.7, MarkAdvance = 6.1, Padding = 12;
    private const int LongestText = 32;

    private const string Style = """
        svg { color-scheme: light dark; font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
        .page { fill: #ffffff; } .node { fill: #f4f6f8; stroke: #57606a; } .id { fill: #1f2328; font-size: 13px; font-weight: 600; }
        .kind { fill: #57606a; font-size: 11px; } .mark { fill: #dbe9fb; } .marked { fill: #0b4a92; font-size: 10px; }
        .edge { fill: none; stroke: #6e7781; stroke-width: 1.3; } .head { fill: #6e7781; } .if { stroke-dasharray: 5 3; }
        @media (prefers-color-scheme: dark) {
          .page { fill: #0d1117; } .node { fill: #1b222c; stroke: #8b949e; } .id { fill: #e6edf3; } .kind { fill: #a5afba; }
          .mark { fill: #17355a; } .marked { fill: #a9d0ff; } .edge { stroke: #8b949e; } .head { fill: #8b949e; }
        }
        """;

    public static string Of(WorkflowGraph graph)
    {
        Layout layout = Layout.Of([.. graph.Nodes.Select(Size)], graph.Edges);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{layout.Width:0.#}\" height=\"{layout.Height:0.#}\" viewBox=\"0 0 {layout.Width:0.#} {layout.Height:0.#}\" role=\"img\">\n");
        svg.Append($"<title>{Escape($"{graph.Name} {graph.Version}")}</title>\n<style>\n{Style}\n</style>\n");
        svg.Append("<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" d=\"M0 0.5 8 4 0 7.5Z\"/></marker></defs>\n");
        svg.Append("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
        for (int i = 0; i < graph.Edges.Count; i++)
            svg.Append($"<path class=\"edge\" marker-end=\"url(#head)\" d=\"{Path(layout.Routes[i], layout.IsDown)}\"><title>{Escape(graph.Nodes[graph.Edges[i].From].Id)} → {Escape(graph.Nodes[graph.Edges[i].To].Id)}</title></path>\n");
        for (int i = 0; i < graph.Nodes.Count; i++)
            Write(svg, graph.Nodes[i], layout.Boxes[i]);
        return svg.Append("</svg>\n").ToString();
    }

    public static (double Width, double Height) Size(GraphNode node)
    {
        double marks = node.Marks.Sum(MarkWidth) + Math.Max(0, node.Marks.Count - 1) * 4;
        double text = Math.Max(Short(node.Id).Length * IdAdvance, Short(node.Kind).Length * SmallAdvance);
        return (Math.Max(84, Math.Ceiling(Math.Max(text, marks) + 2 * Padding)), node.Marks.Count > 0 ? 62 : 42);
    }

    private static void Write(StringBuilder svg, GraphNode node, Box box)
    {
        string shape = string.Create(CultureInfo.InvariantCulture, $"width=\"{box.Width:0.#}\" height=\"{box.Height:0.#}\" rx=\"6\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate({box.X:0.#} {box.Y:0.#})\">\n");
        svg.Append($"<title>{Escape(node.Description is null ? $"{node.Id}: {node.Kind}" : $"{node.Id}: {node.Description}")}</title>\n");
        if (node.IsMany)
            svg.Append("<rect class=\"node\" x=\"4\" y=\"4\" ").Append(shape);
        svg.Append($"<rect class=\"node{(node.IsConditional ? " if" : "")}\" ").Append(shape);
        svg.Append($"<text class=\"id\" x=\"{Padding}\" y=\"18\">{Escape(Short(node.Id))}</text>\n<text class=\"kind\" x=\"{Padding}\" y=\"33\">{Escape(Short(node.Kind))}</text>\n");
        double at = Padding;
        foreach (string mark in node.Marks)
        {
            double width = MarkWidth(mark);
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"mark\" x=\"{at:0.#}\" y=\"40\" width=\"{width:0.#}\" height=\"15\" rx=\"4\"/><text class=\"marked\" x=\"{at + 4:0.#}\" y=\"51\">{Escape(mark)}</text>\n");
            at += width + 4;
        }

        svg.Append("</g>\n");
    }

    private static string Path(IReadOnlyList<Spot> route, bool isDown)
    {
        var path = new StringBuilder().Append(CultureInfo.InvariantCulture, $"M{route[0].X:0.#} {route[0].Y:0.#}");
        for (int i = 1; i < route.Count; i++)
        {
            (Spot from, Spot to) = (route[i - 1], route[i]);
            double x = (from.X + to.X) / 2, y = (from.Y + to.Y) / 2;
            if (i % 2 == 1 && from != to)
                path.Append(CultureInfo.InvariantCulture, $"L{to.X:0.#} {to.Y:0.#}");
            else if (i % 2 == 0 && isDown)
                path.Append(CultureInfo.InvariantCulture, $"C{from.X:0.#} {y:0.#} {to.X:0.#} {y:0.#} {to.X:0.#} {to.Y:0.#}");
            else if (i % 2 == 0)
                path.Append(CultureInfo.InvariantCulture, $"C{x:0.#} {from.Y:0.#} {x:0.#} {to.Y:0.#} {to.X:0.#} {to.Y:0.#}");
        }

        return path.ToString();
    }

    private static double MarkWidth(string mark) => mark.Length * MarkAdvance + 8;

    private static string Short(string text) => text.Length <= LongestText ? text : text[..(LongestText - 1)] + "…";

    /// <summary>Text for XML: signs that XML reads itself are written out, those that it cannot hold are replaced.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                < 32 and not ('\t' or '\n' or '\r') or 0xFFFE or 0xFFFF => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }
}
