using System.Text;

namespace Millstream.Cli.Graphs;

/// <summary>A graph in Mermaid's language, which many places that show Markdown draw.</summary>
internal static class MermaidText
{
    public static string Of(WorkflowGraph graph)
    {
        var text = new StringBuilder($"---\ntitle: {graph.Name} {Escape(graph.Version)}\n---\nflowchart TD\n");
        foreach (GraphNode node in graph.Nodes)
        {
            string label = string.Join("<br/>", new[] { node.Id, node.Kind, string.Join(", ", node.Marks) }.Where(l => l.Length > 0).Select(Escape));
            text.Append($"    {Name(node)}{(node.IsMany ? "[[" : "[")}\"{label}\"{(node.IsMany ? "]]" : "]")}\n");
        }

        foreach ((int from, int to) in graph.Edges)
            text.Append($"    {Name(graph.Nodes[from])} --> {Name(graph.Nodes[to])}\n");
        foreach (GraphNode node in graph.Nodes.Where(n => n.IsConditional))
            text.Append($"    style {Name(node)} stroke-dasharray: 5 3\n");
        return text.ToString();
    }

    // Mermaid has words of its own, such as "end", that no node may be called.
    private static string Name(GraphNode node) => "t_" + node.Id;

    /// <summary>Mermaid's entities begin with #, and a label in back-ticks would be Markdown.</summary>
    public static string Escape(string text) => text.Replace("#", "#35;").Replace("&", "#38;").Replace("\"", "#34;").Replace("<", "#60;").Replace(">", "#62;")
        .Replace("`", "#96;").Replace("\r", "").Replace("\n", "<br/>");
}
