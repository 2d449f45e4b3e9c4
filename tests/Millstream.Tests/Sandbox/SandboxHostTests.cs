namespace Millstream.Tests.Sandboxes;

public sealed class SandboxHostTests : SandboxTest
{
    [Fact]
    public async Task ExamineAsync_ThisHost_SaysWhatHoldsAndWhatToDo()
    {
        SandboxHostReport report = await SandboxHost.ExamineAsync();
        foreach (SandboxFinding finding in report.Findings)
            TestContext.Current.SendDiagnosticMessage($"{finding.State} {finding.Name}: {finding.Detail} {finding.Remedy}");
        Assert.True(report.CanIsolate, string.Join('\n', report.Findings));
        foreach (string name in new[] { "bubblewrap", "trial run", "namespaces", "network", "user", "kernel settings", "system folders", "memory limit", "process limit", "disk limit", "cpu" })
            Assert.Contains(report.Findings, finding => finding.Name == name);
        Assert.All(report.Findings.Where(finding => finding.State == SandboxFindingState.Missing), finding => Assert.NotEqual("", finding.Remedy));
    }

    [Fact]
    public async Task ExamineAsync_NoBubblewrap_NamesTheCommandToType()
    {
        SandboxHostReport report = await SandboxHost.ExamineAsync(new SandboxOptions { Bubblewrap = "no-such-bwrap" });
        Assert.False(report.CanIsolate);
        Assert.Contains("install", Assert.Single(report.Findings).Remedy);
    }

    [Fact]
    public async Task RunAsync_NoBubblewrap_NeverRunsOutside()
    {
        await using Millstream.Sandbox sandbox = await OpenAsync(new SandboxOptions { Bubblewrap = "no-such-bwrap" });
        Assert.Contains("install", (await Assert.ThrowsAsync<SandboxException>(() => sandbox.RunAsync(Shell("true")))).Message);
    }

    [Fact]
    public async Task RunAsync_BubblewrapFails_SaysWhatItSaid()
    {
        await using Millstream.Sandbox sandbox = await OpenAsync(new SandboxOptions { Bubblewrap = "/usr/bin/false" });
        Assert.Contains("did not start", (await Assert.ThrowsAsync<SandboxException>(() => sandbox.RunAsync(Shell("true")))).Message);
    }

    [Fact]
    public void Parse_HybridHost_FindsEachControllerWhereItIs()
    {
        CgroupMounts mounts = CgroupMounts.Parse(
            "30 22 0:27 / /nowhere/memory rw - cgroup cgroup rw,memory\n31 22 0:28 /docker/abc /nowhere/pids rw - cgroup cgroup rw,pids\n32 22 0:29 / /nowhere/unified rw - cgroup2 cgroup2 rw\n",
            "4:memory:/a/b\n8:pids:/docker/abc\n0::/user.slice\n");
        Assert.Equal("/nowhere/memory", mounts.Mounts["memory"]);
        Assert.Equal("/nowhere/pids", mounts.Own["pids"]);
        Assert.Equal("/nowhere/unified", mounts.Mounts[CgroupMounts.Unified]);
    }
}
