namespace Millstream.Tests.Sandboxes;

public sealed class SandboxEndTests : SandboxTest
{
    // Grandchildren in sessions of their own, which a killed leader would leave behind.
    private const string Family = "setsid sleep 98765 & (setsid sh -c 'trap \"\" TERM; sleep 98765; sleep 98765' &) ; while [ $(cat /proc/[0-9]*/comm | grep -c sleep) -lt 2 ]; do :; done; echo up; trap '' TERM; sleep 98765; sleep 98765";

    [Fact]
    public async Task RunAsync_CancelledWhileItRuns_ThrowsAndNothingIsLeft()
    {
        await using Millstream.Sandbox sandbox = await OpenAsync(new SandboxOptions { Grace = TimeSpan.FromMilliseconds(20) });
        using CancellationTokenSource cancel = new();
        int init = 0;
        OperationCanceledException thrown = await Assert.ThrowsAsync<OperationCanceledException>(() => sandbox.RunAsync(Shell(Family), (_, _) =>
        {
            init = Descendants().Length;
            cancel.Cancel();
        }, cancel.Token));
        Assert.Equal(cancel.Token, thrown.CancellationToken);
        Assert.True(init > 0, "the test did not see its own processes");
        Assert.Empty(Descendants());
    }

    [Fact]
    public async Task RunAsync_CancelledBefore_StartsNothing() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sandbox.RunAsync(Shell("true"), null, new CancellationToken(true)));

    [Fact]
    public async Task RunAsync_CommandEndsBeforeItsChildren_TheyEndWithIt()
    {
        Assert.Equal("up\n", Out(await RunAsync("setsid sleep 98765 & setsid sleep 98765 & echo up")));
        Assert.Empty(Descendants());
    }

    [Fact]
    public async Task DisposeAsync_WhileItRuns_KillsAllAndTheRunSaysSo()
    {
        TaskCompletionSource up = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<SandboxResult> run = Sandbox.RunAsync(Shell(Family), (_, _) => up.TrySetResult());
        await up.Task;
        await Sandbox.DisposeAsync();
        Assert.Empty(Descendants());
        Assert.Equal((SandboxEnding.Killed, 137), ((await run).Ending, (await run).ExitCode));
    }

    [Fact]
    public async Task RunAsync_Ended_LeavesNoGroupOfItsOwn()
    {
        Millstream.Sandbox sandbox = (Millstream.Sandbox)(await new SandboxResource("box").OpenAsync(new LeaseEpoch(99, 1), CancellationToken.None))!;
        Out(await sandbox.RunAsync(Shell("true") with { Mounts = [new("/usr/share", "/in")] }));
        await sandbox.DisposeAsync();
        foreach (string folder in new[] { CgroupLayout.Host.Memory.Folder, CgroupLayout.Host.Processes.Folder }.OfType<string>())
            Assert.DoesNotContain(Directory.GetDirectories(folder), group => group.Contains(".99.1.", StringComparison.Ordinal));
    }

    // By the time they sleep, which no other test uses; the command line of a process is its own in any namespace.
    private static string[] Descendants() => [.. Directory.GetDirectories("/proc").Where(folder => IsOurs($"{folder}/cmdline"))];

    private static bool IsOurs(string file)
    {
        try
        {
            return Path.GetFileName(Path.GetDirectoryName(file)!).All(char.IsAsciiDigit) && File.ReadAllText(file).StartsWith("sleep\u000098765\u0000", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
