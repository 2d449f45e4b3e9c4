using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Millstream.Tests.House;

/// <summary>The rules of the house that a compiler does not hold.</summary>
public sealed class LayoutTests
{
    private static readonly string[] Code = ["src", "tests", "benchmarks", "samples"];

    [Fact]
    public void SourceFiles_HaveAtMost400Lines() =>
        Say.None(Code.Where(folder => Directory.Exists(Path.Combine(Repository.Root, folder))).SelectMany(Repository.Sources)
            .Select(path => (path, lines: File.ReadLines(path).Count()))
            .Where(f => f.lines > 400)
            .Select(f => $"{Repository.Name(f.path)} has {f.lines} lines; the limit is 400, so split it by what it does"));

    [Fact]
    public void Projects_ReferenceOnlyWhatTheHouseAllows() =>
        Say.None(from path in Repository.Files("src", "*.csproj")
                 let project = Path.GetFileNameWithoutExtension(path)
                 from reference in XDocument.Load(path).Descendants("ProjectReference")
                 let target = Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/'))
                 where !MayReference(project, target)
                 select $"{Repository.Name(path)} references {target}; only Millstream.Cli joins projects, the others stand on Millstream alone (Millstream.Testing on Millstream.Llm too)");

    [Theory]
    [InlineData("Millstream.Definitions", "Millstream", true)]
    [InlineData("Millstream", "Millstream.Definitions", false)]
    [InlineData("Millstream.Sqlite", "Millstream.Definitions", false)]
    [InlineData("Millstream.PostgreSql", "Millstream.Sqlite", false)]
    [InlineData("Millstream.Server", "Millstream.Definitions", true)]
    [InlineData("Millstream.Definitions", "Millstream.Cli", false)]
    [InlineData("Millstream.Testing", "Millstream.Llm", true)]
    [InlineData("Millstream.Testing", "Millstream.Sqlite", false)]
    [InlineData("Millstream.Llm", "Millstream.Testing", false)]
    [InlineData("Millstream.Cli", "Millstream.Definitions", true)]
    public void MayReference_FollowsTheHouse(string project, string target, bool allowed) => Assert.Equal(allowed, MayReference(project, target));

    [Fact]
    public void EditorConfig_StaysUnder70Lines() => Assert.InRange(Repository.Read(".editorconfig").Split('\n').Length - 1, 1, 69);

    [Fact]
    public void Packages_EachHaveAReasonBesideThem()
    {
        string[] lines = [.. Repository.Read("Directory.Packages.props").Split('\n').Where(l => l.Contains("<PackageVersion"))];
        Assert.NotEmpty(lines);
        Say.None(lines.Where(l => !Regex.IsMatch(l, @"/>\s*<!--\s*\S.*-->\s*$"))
            .Select(l => $"Directory.Packages.props: say on its line why the package is there: {l.Trim()}"));
    }

    [Fact]
    public void Docs_RelativeLinksLeadSomewhere()
    {
        string[] pages = [.. Directory.GetFiles(Repository.Root, "*.md"), .. Repository.Files("docs", "*.md")];
        Assert.NotEmpty(pages);
        Say.None(from page in pages
                 from link in Links(File.ReadAllText(page))
                 where !Leads(Path.GetDirectoryName(page)!, link)
                 select $"{Repository.Name(page)}: the link to '{link}' leads nowhere");
    }

    [Theory]
    [InlineData("[a](docs/workflows.md) ![b](<LICENSE>)\n\n[c]: docs", 3, 0)]
    [InlineData("[a](no.md) [b](https://example.org/no.md) [c](#here) [d](LICENSE#part)", 2, 1)]
    [InlineData("```\n[a](no.md)\n``` and `[b](no.md)`", 0, 0)]
    public void Links_AreFoundAndFollowed(string text, int count, int broken)
    {
        string[] links = [.. Links(text)];
        Assert.Equal(count, links.Length);
        Assert.Equal(broken, links.Count(l => !Leads(Repository.Root, l)));
    }

    private static bool MayReference(string project, string target) => project switch
    {
        "Millstream" => false,
        "Millstream.Cli" => target != "Millstream.Cli",
        "Millstream.Server" => target is "Millstream" or "Millstream.Definitions",
        "Millstream.Testing" => target is "Millstream" or "Millstream.Llm",
        _ => target == "Millstream",
    };

    private static IEnumerable<string> Links(string markdown)
    {
        string prose = Regex.Replace(Regex.Replace(markdown, "^```.*?^```", "", RegexOptions.Singleline | RegexOptions.Multiline), "`[^`\n]*`", "");
        return Regex.Matches(prose, @"\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)", RegexOptions.Multiline)
            .Select(m => m.Groups.Values.Skip(1).First(g => g.Success).Value)
            .Where(l => !l.StartsWith('#') && !Regex.IsMatch(l, "^[a-z]+:"));
    }

    private static bool Leads(string folder, string link)
    {
        string path = Path.Combine(folder, Uri.UnescapeDataString(link.Split('#')[0]));
        return File.Exists(path) || Directory.Exists(path);
    }
}
