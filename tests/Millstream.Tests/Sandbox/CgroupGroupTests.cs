namespace Millstream.Tests.Sandboxes;

public sealed class CgroupGroupTests
{
    [Theory]
    [InlineData(false, true, true, true)]
    [InlineData(false, false, true, false)]
    [InlineData(false, true, false, false)]
    [InlineData(true, true, true, false)]
    public void Remedied_NamesSystemdOnlyWhereItCouldHelp(bool isRoot, bool hasSystemd, bool isUnified, bool names) =>
        Assert.Equal(names, CgroupController.Remedied(isRoot, hasSystemd, isUnified).Contains("systemd-run", StringComparison.Ordinal));

    [Fact]
    public void Make_SecondGroupCannotBeMade_RemovesTheFirst()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "control groups are of Linux");
        using TestFolder folder = new();
        CgroupLayout layout = new(new CgroupController("memory", 2, folder.Path, "", ""), new CgroupController("pids", 2, $"{folder.Path}/none", "", ""), new CgroupController("cpu", 0, null, "", ""));
        NativeException e = Assert.Throws<NativeException>(() => CgroupGroup.Make(layout, "run", new SandboxLimits()));
        Assert.Contains("none/run", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(folder.Path));
    }
}
