namespace Millstream;

/// <summary>
/// What a lease on a <see cref="SandboxResource"/> gives. Each command runs in a sandbox of its own: no network, own processes, users,
/// host name and folders. Disposing kills all that runs, and returns when it is gone.
/// </summary>
public sealed class Sandbox : IAsyncDisposable
{
    private readonly LeaseEpoch _epoch;
    private readonly SandboxOptions _options;
    private readonly Lock _lock = new();
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _disposed = new();

    internal Sandbox(LeaseEpoch epoch, SandboxOptions options)
    {
        _epoch = epoch;
        _options = options;
    }

    /// <summary>Runs one command and gives what it gave. Several may run at once, each on its own.</summary>
    /// <param name="command">What to run.</param>
    /// <param name="output">Called with each piece of output while it runs.</param>
    /// <param name="token">Ends the command: SIGTERM, then SIGKILL to all of its processes after the grace.</param>
    /// <exception cref="ArgumentException">The command is wrong; nothing was started.</exception>
    /// <exception cref="SandboxException">This host cannot run it in isolation, or cannot hold a required limit; it did not run.</exception>
    /// <exception cref="OperationCanceledException">The token fired; all processes are gone.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed before.</exception>
    public Task<SandboxResult> RunAsync(SandboxCommand command, SandboxOutputHandler? output = null, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.Validate();
        token.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
            _running.RemoveAll(task => task.IsCompleted);
            Task<SandboxResult> run = new SandboxRun(_epoch, _options, command, output, _disposed.Token, token).RunAsync();
            _running.Add(run);
            return run;
        }
    }

    /// <summary>Kills every process of it, without grace, and waits until they are proven gone.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_lock)
        {
            running = [.. _running];
            if (!_disposed.IsCancellationRequested)
                _disposed.Cancel();
        }
        foreach (Task run in running)
            await run.EndAsync();
    }
}

/// <summary>Waiting for an end whose outcome its owner hears.</summary>
internal static class TaskEnds
{
    public static async Task EndAsync(this Task task)
    {
        try
        {
            await task;
        }
        catch (Exception)
        {
            // Whoever awaits the run itself gets it.
        }
    }
}
