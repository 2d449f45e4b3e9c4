using System.Text.RegularExpressions;
using System.Xml.Linq;
using Millstream.Cli.Graphs;
using Millstream.Definitions;

namespace Millstream.Cli.Tests.Graphs;

/// <summary>The three formats hold every node, edge and mark, and no text of a file can break out of its place.</summary>
public sealed class GraphTextTests
{
    private const string Nasty = "a\"b\\c<d>&e`#f\n]]; end --> \u0001x";

    private static readonly WorkflowGraph Odd = new("w", "1\"<", [new GraphNode(Nasty, Nasty, Nasty, [Nasty]), new GraphNode("end", "http.get", null, [])], [(0, 1)]);

    private static readonly WorkflowGraph Marked = WorkflowGraph.Of(WorkflowFile.Parse("""
        name: marked
        tasks:
          list: { uses: file.read, with: { path: x } }
          each: { uses: file.read, for_each: "${{ tasks.list.output.lines }}", batch: 20, with: { path: x }, retry: { attempts: 3 }, continue_on_error: true }
          last: { uses: file.read, needs: [list, each], if: "${{ `true` }}", with: { path: x }, description: the end }
        """));

    [Fact]
    public void Of_Definition_HasNodesEdgesAndMarks()
    {
        Assert.Equal(["list", "each", "last"], Marked.Nodes.Select(n => n.Id));
        Assert.Equal([(0, 1), (0, 2), (1, 2)], Marked.Edges.Order());
        Assert.Equal(["for each 20", "3 tries", "may fail"], Marked.Nodes[1].Marks);
        Assert.Equal(["if"], Marked.Nodes[2].Marks);
        Assert.Equal("the end", Marked.Nodes[2].Description);
        Assert.True(Marked.Nodes[1].IsMany && Marked.Nodes[2].IsConditional);
    }

    [Fact]
    public void Mermaid_HoldsEverything()
    {
        string[] lines = MermaidText.Of(Marked).Split('\n');
        Assert.Contains("    t_each[[\"each<br/>file.read<br/>for each 20, 3 tries, may fail\"]]", lines);
        Assert.Equal(3, lines.Count(l => l.Contains(" --> ")));
        Assert.Contains("    style t_last stroke-dasharray: 5 3", lines);
    }

    [Fact]
    public void Mermaid_TextOfAFile_StaysText()
    {
        Assert.Equal("a#34;b\\c#60;d#62;#38;e#96;#35;f<br/>]]; end --#62; \u0001x", MermaidText.Escape(Nasty));
        Assert.Contains("    t_end[\"end<br/>http.get\"]\n", MermaidText.Of(Odd)); // "end" alone is a word of Mermaid's
    }

    [Fact]
    public void Dot_TextOfAFile_StaysText()
    {
        Assert.Equal("\"a\\\"b\\\\c<d>&e`#f\\n]]; end --> \u0001x\"", DotText.Quote(Nasty));
        // Outside of quoted text nothing of the file is left.
        string bare = Regex.Replace(DotText.Of(Odd), "\"(\\\\.|[^\"\\\\])*\"", "Q");
        Assert.Equal(3, bare.Split('\n').Count(l => l.StartsWith("    Q", StringComparison.Ordinal)));
        Assert.DoesNotContain("<", bare);
    }

    [Fact]
    public void Svg_HoldsEveryNodeEdgeAndMark()
    {
        XDocument svg = XDocument.Parse(SvgText.Of(Marked));
        string[] texts = [.. svg.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value)];
        Assert.All(["list", "each", "last", "for each 20", "3 tries", "may fail", "if"], text => Assert.Contains(text, texts));
        Assert.Equal(3, svg.Descendants().Count(e => (string?)e.Attribute("class") == "edge"));
        Assert.Contains("prefers-color-scheme: dark", svg.ToString());
    }

    [Fact]
    public void Svg_TextOfAFile_StaysText()
    {
        XDocument svg = XDocument.Parse(SvgText.Of(Odd));
        Assert.Contains(svg.Descendants(), e => e.Value == Nasty.Replace('\u0001', '\uFFFD'));
        Assert.DoesNotContain(svg.Descendants(), e => e.Name.LocalName is "d" or "script");
        Assert.All(svg.Descendants().Where(e => e.Name.LocalName == "text"), e => Assert.InRange(e.Value.Length, 1, 32));
    }

    [Fact]
    public void Svg_Numbers_AreWrittenWithPoints()
    {
        Assert.DoesNotMatch(@"\d,\d", SvgText.Of(Marked));
    }
}
