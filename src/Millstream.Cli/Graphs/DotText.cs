using System.Text;

namespace Millstream.Cli.Graphs;

/// <summary>A graph in the language of Graphviz.</summary>
internal static class DotText
{
    public static string Of(WorkflowGraph graph)
    {
        var text = new StringBuilder($"digraph {Quote(graph.Name)} {{\n    node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n    edge [arrowsize=0.7];\n");
        foreach (GraphNode node in graph.Nodes)
        {
            string label = string.Join('\n', new[] { node.Id, node.Kind, string.Join(", ", node.Marks) }.Where(l => l.Length > 0));
            string style = node.IsConditional ? ", style=\"rounded,dashed\"" : "";
            string many = node.IsMany ? ", peripheries=2" : "";
            string tip = node.Description is null ? "" : $", tooltip={Quote(node.Description)}";
            text.Append($"    {Quote(node.Id)} [label={Quote(label)}{style}{many}{tip}];\n");
        }

        foreach ((int from, int to) in graph.Edges)
            text.Append($"    {Quote(graph.Nodes[from].Id)} -> {Quote(graph.Nodes[to].Id)};\n");
        return text.Append("}\n").ToString();
    }

    public static string Quote(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\r", "").Replace("\n", "\\n")}\"";
}
