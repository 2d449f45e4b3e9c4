namespace Millstream.Tests.Sandboxes;

public sealed class SandboxMountTests : SandboxTest
{
    // A user of the host who is neither root nor the sandbox's.
    private const uint Owner = 61234;

    [Fact]
    public async Task RunAsync_ReadMount_IsReadAndNotWritten()
    {
        using TestFolder folder = new();
        File.WriteAllText(folder["a b"], "content");
        SandboxResult result = await Sandbox.RunAsync(Shell("cat '/in/a b'; echo x > /in/new; echo x >> '/in/a b'; rm -f '/in/a b'") with { Mounts = [new(folder.Path, "/in")] });
        Assert.Equal("content", Text(result.StandardOutput));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal(["a b"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
        Assert.Equal("content", File.ReadAllText(folder["a b"]));
    }

    [Fact]
    public async Task RunAsync_MountOfOneFile_IsRead()
    {
        using TestFolder folder = new();
        File.WriteAllText(folder["f"], "one");
        Assert.Equal("one", Out(await Sandbox.RunAsync(Shell("cat /data/f") with { Mounts = [new(folder["f"], "/data/f")] })));
    }

    [Fact]
    public async Task RunAsync_WriteMountOfAnOrdinaryUser_FilesAreTheirsWithoutSetUid()
    {
        using TestFolder folder = new();
        if (IsRoot)
            Chown(folder.Path, Owner);
        SandboxResult result = await Sandbox.RunAsync(Shell("cp /bin/true /out/x && mkdir /out/d && echo y > /out/d/y && chmod u+s /out/x") with { Mounts = [new(folder.Path, "/out", SandboxAccess.Write)] });
        Assert.SkipWhen(IsRoot && Text(result.StandardError).Contains("cannot be mounted"), "this file system has no id-mapped mounts");
        Assert.Contains("not permitted", Text(result.StandardError));
        Assert.Equal("y\n", File.ReadAllText(folder["d/y"]));
        Libc.FileStatus status = Status(folder["x"]);
        Assert.Equal((IsRoot ? Owner : Libc.UserId(), 0), (status.User, status.Mode & 0xC00));
    }

    [Fact]
    public async Task RunAsync_WriteMountOfRoots_IsCopiedOutWithoutSetUidOrSymlinks()
    {
        Assert.SkipUnless(IsRoot, "the runner is not root");
        using TestFolder folder = new(), victim = new();
        File.WriteAllText(victim["v"], "safe");
        File.CreateSymbolicLink(folder["trap"], victim.Path);
        SandboxResult result = await Sandbox.RunAsync(Shell("mkdir /out/d; echo 1 > /out/d/f; ln -s /etc/passwd /out/l; cp /bin/true /out/t; id -u") with { Mounts = [new(folder.Path, "/out", SandboxAccess.Write)] });
        Assert.Equal("60000\n", Out(result));
        Assert.Equal("1\n", File.ReadAllText(folder["d/f"]));
        Assert.False(Path.Exists(folder["l"]));
        Assert.Equal((0u, 0x1ED), (Status(folder["t"]).User, Status(folder["t"]).Mode & 0xFFF));
        await Assert.ThrowsAsync<SandboxException>(() => Sandbox.RunAsync(Shell("mkdir /out/trap; echo evil > /out/trap/v") with { Mounts = [new(folder.Path, "/out", SandboxAccess.Write)] }));
        Assert.Equal("safe", File.ReadAllText(victim["v"]));
    }

    [Fact]
    public async Task RunAsync_MountOfMissingFolder_NamesIt()
    {
        SandboxException thrown = await Assert.ThrowsAsync<SandboxException>(() => Sandbox.RunAsync(Shell("true") with { Mounts = [new("/no/such/folder", "/in")] }));
        Assert.Contains("/no/such/folder", thrown.Message);
        Assert.Contains("does not exist", thrown.Message);
    }

    [Fact]
    public async Task RunAsync_FolderThatOnlyRootReads_IsRefusedWithTheRemedy()
    {
        using TestFolder folder = new(0x1C0);
        if (!IsRoot)
            TestFolder.SetMode(folder.Path, 0);
        try
        {
            SandboxException thrown = await Assert.ThrowsAsync<SandboxException>(() => Sandbox.RunAsync(Shell("ls /in") with { Mounts = [new(folder.Path, "/in")] }));
            Assert.Contains("chmod", thrown.Message);
        }
        finally
        {
            TestFolder.SetMode(folder.Path, 0x1C0);
        }
    }

    [Fact]
    public async Task RunAsync_FolderBelowOneThatOnlyRootEnters_IsStagedAndSecretsStaySecret()
    {
        Assert.SkipUnless(IsRoot, "the runner is not root");
        using TestFolder folder = new(0x1C0);
        Directory.CreateDirectory(folder["inner"]);
        TestFolder.SetMode(folder["inner"], 0x1ED);
        File.WriteAllText(folder["inner/open"], "open");
        File.WriteAllText(folder["inner/secret"], "secret");
        TestFolder.SetMode(folder["inner/open"], 0x1A4);
        TestFolder.SetMode(folder["inner/secret"], 0x180);
        SandboxResult result = await Sandbox.RunAsync(Shell("cat /in/open; cat /in/secret") with { Mounts = [new(folder["inner"], "/in")] });
        Assert.Equal("open", Text(result.StandardOutput));
        Assert.Contains("Permission denied", Text(result.StandardError));
    }

    [Fact]
    public async Task RunAsync_AsRoot_StagesNothingThatTheHostSees()
    {
        Assert.SkipUnless(IsRoot, "the runner is not root");
        Out(await Sandbox.RunAsync(Shell("ls /in") with { Mounts = [new("/usr/share", "/in")] }));
        Assert.DoesNotContain("millstream", File.ReadAllText("/proc/self/mountinfo"));
    }

    [Theory]
    [InlineData("in")]
    [InlineData("/")]
    [InlineData("/work")]
    [InlineData("/proc/x")]
    [InlineData("/usr/lib")]
    [InlineData("/a/../b")]
    [InlineData("/a/")]
    public void Validate_MountPathIsNotAllowed_Throws(string path) =>
        Assert.Contains($"'{path}'", Assert.Throws<ArgumentException>((Shell("true") with { Mounts = [new("/usr", path)] }).Validate).Message);

    private static void Chown(string path, uint owner)
    {
        using Fd folder = Fd.Take(Libc.Open(path, Libc.O_RDONLY), "open");
        Assert.Equal(0, Libc.ChangeOwner(folder.Value, owner, owner));
    }

    private static Libc.FileStatus Status(string path)
    {
        using Fd file = Fd.Take(Libc.Open(path, Libc.O_PATH), "open");
        return file.Status();
    }
}
