using System.Runtime.InteropServices;

namespace Millstream.Cli.Running;

/// <summary>SIGINT cancels the job, a second one ends at once; SIGTERM and SIGHUP stop without cancelling.</summary>
internal sealed class RunSignals : IDisposable
{
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;
    private int _interrupts;

    /// <param name="job">What an interrupt cancels; null where it stops the process as the other signals do.</param>
    /// <param name="leave">What to do before the process ends at once.</param>
    /// <param name="error">Where to say so; null where the view shows it.</param>
    public RunSignals(Job? job, Func<Task> leave, TextWriter? error) => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            if (job is null)
            {
                IsInterrupted = true;
                _stopped.TrySetResult();
                return;
            }

            if (Interlocked.Increment(ref _interrupts) > 1)
            {
                TryAsync(leave).GetAwaiter().GetResult();
                Environment.Exit(ExitCode.Cancelled);
            }

            _ = job.CancelAsync("interrupted");
            error?.WriteLine("millstream: cancelling; once more ends at once");
        }),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop),
    ];

    /// <summary>Done when the process was asked to stop.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Whether an interrupt was what asked for it.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Says something last, unless whoever reads it does not.</summary>
    public static Task TryWriteAsync(TextWriter error, string text) => TryAsync(() => Task.Run(() => error.WriteLine(text)));

    /// <summary>Writes, unless whoever reads it does not.</summary>
    public static Task TryAsync(Func<Task> write) => Task.WhenAny(write(), Task.Delay(TimeSpan.FromSeconds(1)));

    public void Dispose() => Array.ForEach(_registrations, r => r.Dispose());

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stopped.TrySetResult();
    }
}
