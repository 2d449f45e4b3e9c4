namespace Millstream;

/// <summary>
/// The one thread that starts every sandbox of this process. It never ends, because the kernel kills a sandbox when the thread that
/// started it ends, not the process. As root it has a mount namespace of its own, in which host folders are staged unseen by the host.
/// </summary>
internal sealed class Spawner
{
    private static readonly Lazy<Spawner> s_instance = new(() => new Spawner());

    private readonly Queue<Action> _work = new();
    private readonly Thread _thread;

    private Spawner()
    {
        // The pool's threads come and go, and none may be asked to wait; this one must last and may block.
        _thread = new Thread(Loop) { IsBackground = true, Name = "Millstream sandbox spawner" };
        _thread.Start();
    }

    public static Spawner Instance => s_instance.Value;

    /// <summary>Where host folders are staged; null for an ordinary user, or where root may not mount. Known after the first call.</summary>
    public Stage? Stage { get; private set; }

    public Task<T> InvokeAsync<T>(Func<Stage?, T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_work)
        {
            _work.Enqueue(() => Run(work, done));
            Monitor.Pulse(_work);
        }
        return done.Task;
    }

    private void Run<T>(Func<Stage?, T> work, TaskCompletionSource<T> done)
    {
        try
        {
            done.SetResult(work(Stage));
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }

    private static void Prepare()
    {
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

    private void Loop()
    {
        Stage = Stage.TryMake();
        if (OperatingSystem.IsLinux() && Libc.UserId() == 0)
            Prepare();
        while (true)
        {
            Action next;
            lock (_work)
            {
                while (!_work.TryDequeue(out next!))
                    Monitor.Wait(_work);
            }
            next();
        }
    }
}
