namespace Millstream.Tests;

public class LabelSelectorTests
{
    private static readonly Dictionary<string, string> Gpu = new() { ["vendor"] = "nvidia", ["mem"] = "16.5", ["zone"] = "a", ["note"] = "two words, a comma" };

    [Theory]
    [InlineData("", true)]
    [InlineData("vendor = nvidia", true)]
    [InlineData("vendor=amd", false)]
    [InlineData("zone in (a, b)", true)]
    [InlineData("zone in (b,c)", false)]
    [InlineData("mem >= 16", true)]
    [InlineData("mem >= 16.5", true)]
    [InlineData("mem >= 16.51", false)]
    [InlineData("vendor >= 1", false)]
    [InlineData("absent >= -1", false)]
    [InlineData("zone", true)]
    [InlineData("absent", false)]
    [InlineData("note = \"two words, a comma\"", true)]
    [InlineData("vendor = nvidia, mem >= 16, zone in (a)", true)]
    [InlineData("vendor = nvidia, mem >= 17", false)]
    public void Matches_Clauses_AllMustHold(string selector, bool expected) => Assert.Equal(expected, LabelSelector.Parse(selector).Matches(Gpu));

    [Theory]
    [InlineData("mem >= lots", "clause 1 (\"mem >= lots\"), position 8: \"lots\" is not a number")]
    [InlineData("a = 1, = 2", "clause 2 (\"= 2\"), position 8: expected a label's name, not '='")]
    [InlineData("a = 1,", "clause 2 (\"\"), position 7: expected a label's name but the text ends")]
    [InlineData("a > 1", "position 3: expected \"=\"")]
    [InlineData("a in b", "position 6: expected \"(\" after \"in\"")]
    [InlineData("a in (b c)", "position 9: expected a comma or \")\"")]
    [InlineData("a = two words", "position 9: expected a comma or the end")]
    [InlineData("a = \"open", "position 5: this quote is not closed")]
    public void Parse_Wrong_NamesClauseAndPosition(string text, string expected)
    {
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => LabelSelector.Parse(text)).Message);
        Assert.False(LabelSelector.TryParse(text, out _, out string? error));
        Assert.Contains(expected, error);
    }

    [Fact]
    public void Equals_SameClausesInAnotherOrder_AreEqual()
    {
        LabelSelector left = LabelSelector.Parse("b in (y,x,y),a=1, a = 1");
        LabelSelector right = LabelSelector.Parse("a = 1,b in (x , y)");
        Assert.Equal(left, right);
        Assert.Equal(left.GetHashCode(), right.GetHashCode());
        Assert.Equal("a = 1, b in (x, y)", left.ToString());
        Assert.NotEqual(left, LabelSelector.Parse("a = 2, b in (x, y)"));
        Assert.Equal(LabelSelector.All, LabelSelector.Parse("  "));
        Assert.Equal("mem >= 16.5", LabelSelector.Parse("mem>=16.50").ToString());
    }

    [Theory]
    [InlineData("\"in\" in (\"a b\", \"q\\\"uote\", \"\")")]
    [InlineData("a = \"in\", b >= -0.5, c")]
    public void ToString_ReadBack_IsTheSame(string text)
    {
        LabelSelector selector = LabelSelector.Parse(text);
        Assert.Equal(selector, LabelSelector.Parse(selector.ToString()));
    }

    [Fact]
    public void Requirement_Misuse_SaysValueAndRemedy()
    {
        Assert.Contains("amount of gpu is 0; ask for 1 or more", Assert.Throws<ArgumentException>(() => ResourceRequirement.Exclusive("gpu", amount: 0)).Message);
        Assert.Contains("amount of gpu is 17", Assert.Throws<ArgumentException>(() => ResourceRequirement.Exclusive("gpu", amount: 17)).Message);
        Assert.Contains("\"slot\"", Assert.Throws<ArgumentException>(() => ResourceRequirement.Exclusive("slot")).Message);
        Assert.Contains("type is empty", Assert.Throws<ArgumentException>(() => ResourceRequirement.Units(" ", 1)).Message);
        Assert.Contains("name of a requirement of gpu", Assert.Throws<ArgumentException>(() => ResourceRequirement.Exclusive("gpu", name: "")).Message);
    }

    [Fact]
    public void Intern_EqualRequirements_GiveOneShape()
    {
        Scheduler scheduler = new(new SchedulerOptions(), 1);
        ResourceRequirement[] first = [ResourceRequirement.Exclusive("gpu", LabelSelector.Parse("a, b")), ResourceRequirement.Units("tokens", 5)];
        ResourceRequirement[] second = [ResourceRequirement.Exclusive("gpu", LabelSelector.Parse("b, a"), name: "gpu"), ResourceRequirement.Units("tokens", 5)];
        Assert.Equal(first, second);
        Assert.Same(scheduler.Intern(first), scheduler.Intern(second));
        Assert.NotSame(scheduler.Intern(first), scheduler.Intern([first[0]]));
        Assert.NotEqual(ResourceRequirement.Exclusive("gpu"), ResourceRequirement.Units("gpu", 1));
        Assert.Contains("18 resources together", Assert.Throws<ArgumentException>(() => scheduler.Intern([ResourceRequirement.Exclusive("a", amount: 9), ResourceRequirement.Exclusive("b", amount: 9)])).Message);
    }
}
