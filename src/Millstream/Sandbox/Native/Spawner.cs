namespace Millstream;

/// <summary>
/// The one thread that starts every sandbox of this process. It never ends, because the kernel kills a sandbox when the thread that
/// started it ends, not the process. As root it has a mount namespace of its own, in which host folders are staged unseen by the host.
/// </summary>
/// <remarks>
/// What it gave up (its mounts, its right to gain privileges) every thread that it creates would inherit, and completing a task may create
/// a thread of the pool. So a second thread, which gave up nothing, tells the results.
/// </remarks>
internal sealed class Spawner
{
    private static readonly Lazy<Spawner> s_instance = new(() => new Spawner());

    private readonly PermanentThread _teller = new("Millstream sandbox teller");
    private readonly PermanentThread _spawner;

    private Spawner() => _spawner = new PermanentThread("Millstream sandbox spawner", Prepare);

    public static Spawner Instance => s_instance.Value;

    /// <summary>Where host folders are staged; null for an ordinary user, or where root may not mount. Known after the first call.</summary>
    public Stage? Stage { get; private set; }

    /// <summary>Does it on the thread. It must start nothing that the pool or another thread goes on with.</summary>
    public Task<T> InvokeAsync<T>(Func<Stage?, T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _spawner.Post(() =>
        {
            try
            {
                T result = work(Stage);
                _teller.Post(() => done.SetResult(result));
            }
            catch (Exception e)
            {
                _teller.Post(() => done.SetException(e));
            }
        });
        return done.Task;
    }

    private void Prepare()
    {
        Stage = Stage.TryMake();
        if (!OperatingSystem.IsLinux() || Libc.UserId() != 0)
            return;
        // Whatever the runtime loads for a start it loads now, while this thread is root: the program may lie where only root can enter.
        using Fd none = Fd.Null();
        string program = Tools.Find("true") ?? "/bin/true";
        try
        {
            DropPrivileges.Prepare();
            if (DropPrivileges.IsKnown)
                DropPrivileges.Return();
            Reaper.WaitFor(PosixSpawn.Start(program, ["true"], [], [none.Value, none.Value, none.Value], DropPrivileges.IsKnown ? new SandboxOptions().UserId : null));
        }
        catch (NativeException)
        {
            // The first sandbox meets the same and tells it.
        }
    }
}
