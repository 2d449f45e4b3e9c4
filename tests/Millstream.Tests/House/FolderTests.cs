namespace Millstream.Tests.House;

/// <summary>The library's folders depend on each other in one direction only.</summary>
public sealed class FolderTests
{
    private const string Library = "src/Millstream/";

    [Fact]
    public void Folders_UseOnlyWhatStandsBelow()
    {
        var sources = Repository.Sources(Library).ToDictionary(f => Repository.Name(f)[Library.Length..], File.ReadAllText);
        Assert.True(sources.Count > 10);
        Say.None(FolderArrows.Faults(sources));
    }

    [Fact]
    public void Types_StandInOneNamespace()
    {
        Say.None(Repository.Sources(Library)
            .Select(path => (path, file: SourceFile.Parse(File.ReadAllText(path))))
            .Where(f => f.file.AllTypes.Count > 0 && !f.file.Namespaces.SetEquals(["Millstream"]))
            .Select(f => $"{Repository.Name(f.path)}: write `namespace Millstream;` whatever the folder"));
    }

    [Theory]
    [InlineData("class A { Hold x; }")]
    [InlineData("class A { void M() { var x = new Hold(1); } }")]
    [InlineData("class A : Hold { }")]
    [InlineData("class A : B, Hold { }")]
    [InlineData("class A(int x) : Hold(x);")]
    [InlineData("class A { List<Hold> x; }")]
    [InlineData("class A { Dictionary<string, Hold> x; }")]
    [InlineData("class A { Hold[] x; }")]
    [InlineData("class A { Hold? x; }")]
    [InlineData("class A { bool M(object o) => o is Hold { }; }")]
    [InlineData("class A { bool M(object o) => o is Hold; }")]
    [InlineData("class A { int M() => Hold.Count; }")]
    [InlineData("class A { string M() => $\"a {Hold.Count:F2} b\"; }")]
    [InlineData("class A { string M() => $$\"\"\"a {{Hold.Count}} b\"\"\"; }")]
    [InlineData("class A { string M() => nameof(Hold); }")]
    [InlineData("class A { object M() => (Hold)x; }")]
    [InlineData("class A { object M() => typeof(Hold); }")]
    [InlineData("class A { Millstream.Hold x; }")]
    [InlineData("class A { global::Millstream.Hold x; }")]
    [InlineData("class A { string Hold; Hold y; }")]
    [InlineData("class A { void M() { foreach (Hold h in all) { } } }")]
    [InlineData("class A { int M() => 1.Squeezed(); }")]
    [InlineData("class A { int M(object o) => o switch { Hold h => 1, _ => 2 }; }")]
    [InlineData("class A<T> where T : Hold { }")]
    public void Faults_UseAgainstTheArrow_IsTold(string code)
    {
        string fault = Assert.Single(FolderArrows.Faults(With(code)));
        Assert.StartsWith("src/Millstream/A.cs:3: the root uses ", fault);
        Assert.EndsWith(" of Scheduling/; the root may use nothing but itself", fault);
    }

    [Theory]
    [InlineData("class A { /* Hold */ } // Hold")]
    [InlineData("class A { string x = \"Hold x;\", y = @\"new \"\" Hold()\", z = \"\"\"Hold h\"\"\"; char c = '\"'; }")]
    [InlineData("class A { string Hold { get; } void M() { Check(Hold); } }")]
    [InlineData("record A(string? Hold); class B { A M() => new A(Hold: \"\") with { Hold = \"\" }; }")]
    [InlineData("class A { void M(A a) { a.Hold(); a.Hold = 1; if (a is { Hold: 1 }) { } } }")]
    [InlineData("enum A { None, Hold, Other }")]
    [InlineData("class A { class Hold { } Hold x; }")]
    [InlineData("class A { void Hold() { } void M() { Hold(); } }")]
    [InlineData("#region Hold\nclass A { }\n#endregion")]
    [InlineData("class A { Deep x; }")]
    public void Faults_OtherMeaningOfTheName_IsNone(string code) => Assert.Empty(FolderArrows.Faults(With(code)));

    [Theory]
    [InlineData("Execution", "Scheduling", true)]
    [InlineData("Scheduling", "Execution", false)]
    [InlineData("Workflows", "Journaling", true)]
    [InlineData("Journaling", "Workflows", false)]
    [InlineData("Resources", "Journaling", false)]
    [InlineData("Sandbox", "Resources", true)]
    [InlineData("Sandbox", "Execution", false)]
    [InlineData("Execution", "Sandbox", false)]
    [InlineData("Unheard", "Unheard", false)]
    public void Faults_Folders_FollowTheOrder(string from, string to, bool allowed)
    {
        Dictionary<string, string> sources = new() { [$"{from}/A.cs"] = "namespace Millstream;\nclass A { B b; }", [$"{to}/B.cs"] = "namespace Millstream;\nrecord struct B;" };
        Assert.Equal(allowed, !FolderArrows.Faults(sources).Any());
    }

    private static Dictionary<string, string> With(string code) => new()
    {
        ["A.cs"] = $"namespace Millstream;\n\n{code}\n",
        ["Scheduling/Hold.cs"] = "namespace Millstream;\n\nclass Hold { class Deep { } }\nstatic class More { public static int Squeezed(this int x) => x; }\n",
    };
}
