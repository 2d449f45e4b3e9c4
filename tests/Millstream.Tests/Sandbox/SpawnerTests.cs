namespace Millstream.Tests.Sandboxes;

public sealed class SpawnerTests
{
    // Completing a task may make a thread of the pool, and one made by the spawner would have its mounts and its lost privileges for good.
    [Fact]
    public async Task InvokeAsync_Done_IsNotToldByTheThreadThatGaveUpItsPrivileges()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sandboxes are for Linux");
        Recorder recorder = new();
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(recorder);
        using ManualResetEventSlim awaited = new();
        Task<string?> done = AwaitAsync(awaited);
        SynchronizationContext.SetSynchronizationContext(before);
        awaited.Set();
        Assert.Equal("Millstream sandbox spawner", await done);
        Assert.Equal("Millstream sandbox teller", recorder.PostedBy);
    }

    [Fact]
    public async Task InvokeAsync_AsRoot_OnlyTheSpawnerHasOtherMounts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "the runner is not root");
        await Spawner.Instance.InvokeAsync(_ => 0);
        string? host = KernelFile.TryReadLink("/proc/self/ns/mnt");
        string[] others = [.. Directory.GetDirectories("/proc/self/task")
            .Where(thread => (KernelFile.TryReadLink($"{thread}/ns/mnt") ?? host) != host)
            // The runtime's own compiler thread may be made anywhere; it runs no code of the host's.
            .Where(thread => KernelFile.TryRead($"{thread}/comm")?.StartsWith(".NET Tiered", StringComparison.Ordinal) != true)];
        Assert.InRange(others.Length, 0, 1);
        Assert.Equal(Spawner.Instance.Stage is not null, others.Length == 1);
    }

    private static async Task<string?> AwaitAsync(ManualResetEventSlim awaited) => await Spawner.Instance.InvokeAsync(_ =>
    {
        awaited.Wait();
        return Thread.CurrentThread.Name;
    });

    private sealed class Recorder : SynchronizationContext
    {
        public string? PostedBy { get; private set; }

        public override void Post(SendOrPostCallback d, object? state)
        {
            PostedBy = Thread.CurrentThread.Name;
            base.Post(d, state);
        }
    }
}
