namespace Millstream.Tests.Sandboxes;

public sealed class CgroupGroupTests
{
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
