namespace Millstream.Tests.Sandboxes;

public sealed class SandboxIsolationTests : SandboxTest
{
    [Fact]
    public async Task RunAsync_Network_OnlyLoopback() =>
        Assert.Equal("lo\n", Out(await RunAsync("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")));

    [Fact]
    public async Task RunAsync_UserId_IsNotRootAndHasNoCapabilities()
    {
        string[] lines = Out(await RunAsync("id -u; grep -E 'CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | tr -s '\\t' ' '")).Split('\n');
        Assert.NotEqual("0", lines[0]);
        Assert.Contains("CapPrm: 0000000000000000", lines);
        Assert.Contains("CapEff: 0000000000000000", lines);
        Assert.Contains("CapBnd: 0000000000000000", lines);
        Assert.Contains("NoNewPrivs: 1", lines);
        Assert.Contains("Seccomp: 2", lines);
    }

    [Fact]
    public async Task RunAsync_KernelSettings_NoneIsWritable() => Assert.Equal("0\n", Out(await RunAsync("find /proc/sys -type f -writable 2>/dev/null | wc -l")));

    [Theory]
    [InlineData("/x")]
    [InlineData("/usr/x")]
    [InlineData("/etc/x")]
    [InlineData("/dev/x")]
    [InlineData("/proc/sys/kernel/hostname")]
    [InlineData("/.sandbox/x")]
    public async Task RunAsync_SystemFolders_CannotBeWritten(string path)
    {
        SandboxResult result = await RunAsync($"echo x > {path}");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Empty(result.StandardOutput.ToArray());
    }

    [Fact]
    public async Task RunAsync_Processes_SeesItsOwnOnly() =>
        Assert.InRange(int.Parse(Out(await RunAsync("ls -d /proc/[0-9]* | wc -l"))), 1, 6);

    [Fact]
    public async Task RunAsync_Namespaces_AllDifferFromTheHost()
    {
        foreach (string name in new[] { "net", "pid", "ipc", "uts", "user", "mnt" })
            Assert.NotEqual(new FileInfo($"/proc/self/ns/{name}").LinkTarget, Out(await RunAsync($"readlink /proc/self/ns/{name}")).Trim());
    }

    [Fact]
    public async Task RunAsync_HostFiles_AreNotThere() =>
        Assert.Equal("gone\n", Out(await RunAsync("[ -e /etc/shadow ] || [ -e /root ] || [ -e /home ] || [ -e /sys ] || [ -e /etc/passwd ] || echo gone")));

    [Fact]
    public async Task RunAsync_HostHasOpenFiles_NoneIsInherited()
    {
        // Opened without close-on-exec, as a careless library does.
        int leaked = Libc.Open("/etc/passwd", Libc.O_RDONLY);
        try
        {
            Assert.Equal("0 1 2 3\n", Out(await Sandbox.RunAsync(new SandboxCommand { Arguments = ["sh", "-c", "echo $(ls /proc/self/fd)"] })));
        }
        finally
        {
            _ = Libc.Close(leaked);
        }
    }

    [Fact]
    public async Task RunAsync_OwnOutput_CanBeOpenedByName() => Assert.Equal("a\nb\n", Out(await RunAsync("echo a > /dev/stdout; echo b | tee /dev/stderr")));

    [Fact]
    public async Task RunAsync_UserNamespaceInside_IsRefused() => Assert.NotEqual(0, (await RunAsync("unshare -U true")).ExitCode);

    [Theory]
    [InlineData("chmod u+s /work/f")]
    [InlineData("chmod 2755 /work/f")]
    [InlineData("python3 -c 'import os; os.open(\"/work/g\", os.O_CREAT | os.O_WRONLY, 0o4755)'")]
    [InlineData("python3 -c 'import os; os.mknod(\"/work/g\", 0o104755)'")]
    public async Task RunAsync_SetUidFile_CannotBeMade(string script)
    {
        if (script.StartsWith("python3", StringComparison.Ordinal) && !File.Exists("/usr/bin/python3"))
            Assert.Skip("python3 is not here");
        SandboxResult result = await RunAsync($"touch /work/f; umask 0; {script}; find /work -perm /6000");
        Assert.Contains("not permitted", Text(result.StandardError));
        Assert.Empty(result.StandardOutput.ToArray());
    }

    [Fact]
    public async Task RunAsync_TwoRuns_ShareNothing()
    {
        Out(await RunAsync("echo secret > /work/x; echo secret > /tmp/x"));
        Assert.Equal("empty\n", Out(await RunAsync("ls /work/x /tmp/x 2>/dev/null || echo empty")));
    }
}
