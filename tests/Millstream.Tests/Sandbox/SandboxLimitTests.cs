using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests.Sandboxes;

public sealed class SandboxLimitTests : SandboxTest
{
    private static readonly SandboxLimits s_memory = new() { Memory = 64 << 20, Disk = 512 << 20 };

    [Fact]
    public async Task RunAsync_FloodsOutput_IsCutAndNotBlocked()
    {
        SandboxResult result = await RunAsync("head -c 30000000 /dev/zero; head -c 5000 /dev/zero >&2; echo end >&2", new SandboxLimits { Output = 1000 });
        Assert.Equal((0, 1000, 1000), (result.ExitCode, result.StandardOutput.Length, result.StandardError.Length));
        Assert.True(result.OutputTruncated && result.ErrorTruncated);
    }

    [Fact]
    public async Task RunAsync_ForksForEver_IsBoundedAndEnds()
    {
        SandboxResult result = await RunAsync("bomb() { bomb | bomb & }; bomb; i=0; while [ $i -lt 200 ]; do sleep 100 & i=$((i+1)); done; wait", new SandboxLimits { Processes = 20, Time = TimeSpan.FromSeconds(1) });
        Assert.True(result.Ending is SandboxEnding.TimedOut or SandboxEnding.Exited);
        Assert.NotEqual(0, result.ExitCode);
        Assert.DoesNotContain(result.NotEnforced, line => line.StartsWith("processes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_ProcessesBelowTheLimit_AllStart() =>
        Assert.Equal("all\n", Out(await RunAsync("i=0; while [ $i -lt 15 ]; do sleep 1000 & i=$((i+1)); done; echo all", new SandboxLimits { Processes = 20 })));

    [Theory]
    [InlineData("import os; x = b'x' * (300 << 20)")]
    [InlineData("import os; f = os.memfd_create('m')\nfor i in range(300): os.write(f, b'x' * (1 << 20))")]
    [InlineData("f = open('/work/x', 'wb')\nfor i in range(300): f.write(b'x' * (1 << 20))")]
    [InlineData("for i in range(300000): open('/dev/shm/%d' % i, 'w').close()")]
    public async Task RunAsync_TakesTooMuchMemory_IsKilled(string script)
    {
        Assert.SkipWhen(CgroupLayout.Host.Memory.Folder is null, $"this host cannot bound memory: {CgroupLayout.Host.Memory.Detail}");
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "python3 is not here");
        SandboxResult result = await Sandbox.RunAsync(new SandboxCommand { Arguments = ["python3", "-c", script], Limits = s_memory });
        Assert.Equal((SandboxEnding.MemoryExceeded, 137), (result.Ending, result.ExitCode));
    }

    [Fact]
    public async Task RunAsync_MemoryCannotBeHeld_IsListedOrRefused()
    {
        Assert.SkipUnless(CgroupLayout.Host.Memory.Folder is null, "this host can bound memory");
        Assert.Contains((await RunAsync("true")).NotEnforced, line => line.StartsWith("memory", StringComparison.Ordinal));
        SandboxException thrown = await Assert.ThrowsAsync<SandboxException>(() => RunAsync("true", new SandboxLimits { Required = true }));
        Assert.Contains("SandboxLimits.Required", thrown.Message);
    }

    [Theory]
    [InlineData("/work")]
    [InlineData("/tmp")]
    [InlineData("/dev/shm")]
    public async Task RunAsync_FillsItsDisk_GetsNoSpace(string folder)
    {
        SandboxResult result = await RunAsync($"head -c 2000000 /dev/zero > {folder}/x", new SandboxLimits { Disk = 1 << 20 });
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("No space left", Text(result.StandardError));
    }

    [Fact]
    public async Task RunAsync_TimeIsUp_GetsSigtermAndMayTidyUp()
    {
        FakeTimeProvider clock = new();
        await using Millstream.Sandbox sandbox = await OpenAsync(new SandboxOptions { TimeProvider = clock });
        // Without a child: one that is forked at the moment of the signal would outlive it, and this clock never ends the grace.
        SandboxCommand command = Shell("trap 'echo tidy; exit 4' TERM; echo ready; while :; do :; done") with { Limits = new SandboxLimits { Time = TimeSpan.FromMinutes(5) } };
        SandboxResult result = await sandbox.RunAsync(command, (_, chunk) => Advance(clock, chunk, TimeSpan.FromMinutes(6)));
        Assert.Equal((SandboxEnding.TimedOut, 4, "ready\ntidy\n"), (result.Ending, result.ExitCode, Text(result.StandardOutput)));
    }

    [Fact]
    public async Task RunAsync_IgnoresSigterm_DiesAfterTheGrace()
    {
        await using Millstream.Sandbox sandbox = await OpenAsync(new SandboxOptions { Grace = TimeSpan.FromMilliseconds(50) });
        SandboxCommand command = Shell("trap '' TERM; while :; do sleep 1000; done") with { Limits = new SandboxLimits { Time = TimeSpan.FromMilliseconds(200) } };
        SandboxResult result = await sandbox.RunAsync(command);
        Assert.Equal((SandboxEnding.TimedOut, 137), (result.Ending, result.ExitCode));
    }

    private static void Advance(FakeTimeProvider clock, ReadOnlySpan<byte> chunk, TimeSpan by)
    {
        if (chunk.StartsWith("ready"u8))
            clock.Advance(by);
    }
}
