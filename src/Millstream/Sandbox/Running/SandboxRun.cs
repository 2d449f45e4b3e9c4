using System.Text;

namespace Millstream;

/// <summary>One command: started, watched for its end, its time and its cancel, cleaned up, and told.</summary>
internal sealed class SandboxRun(
    LeaseEpoch epoch, SandboxOptions options, SandboxCommand command, SandboxOutputHandler? output, CancellationToken disposed, CancellationToken token)
{
    private enum Stop
    {
        No,
        TimeUp,
        Cancelled,
        Disposed,
        HandlerFailed,
    }

    public async Task<SandboxResult> RunAsync()
    {
        if (!OperatingSystem.IsLinux())
            throw new SandboxException("No isolation: sandboxes run on Linux only. Run this worker on a Linux host, or in a Linux virtual machine.");
        await using SandboxProcess process = await SandboxProcess.StartAsync(epoch, options, command, output);
        Stop stop = await WatchAsync(process);
        await process.GoneAsync();
        // A handler's own exception is the caller's, before all else.
        if (process.Output.Ended.IsFaulted || process.Error.Ended.IsFaulted)
            await Task.WhenAll(process.Output.Ended, process.Error.Ended);
        if (stop == Stop.Cancelled)
            throw new OperationCanceledException(token);
        return Tell(process, await process.Ended, stop);
    }

    private async Task<Stop> WatchAsync(SandboxProcess process)
    {
        TaskCompletionSource<Stop> stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable timer = LongTimer.Start(options.TimeProvider, _ => stopped.TrySetResult(Stop.TimeUp), this, command.Limits.Time);
        using CancellationTokenRegistration cancel = token.Register(() => stopped.TrySetResult(Stop.Cancelled));
        using CancellationTokenRegistration dispose = disposed.Register(() => stopped.TrySetResult(Stop.Disposed));
        _ = StopOnFailureAsync(process, stopped);
        process.Begin();
        if (await Task.WhenAny(process.Ended, stopped.Task) == process.Ended)
            return Stop.No;
        Stop stop = await stopped.Task;
        if (stop is Stop.TimeUp or Stop.Cancelled && options.Grace > TimeSpan.Zero)
            await GraceAsync(process);
        process.Kill();
        return stop;
    }

    private async Task GraceAsync(SandboxProcess process)
    {
        process.Terminate();
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(disposed);
        await Task.WhenAny(process.Ended, Task.Delay(options.Grace, options.TimeProvider, over.Token));
        over.Cancel();
    }

    private static async Task StopOnFailureAsync(SandboxProcess process, TaskCompletionSource<Stop> stopped)
    {
        List<Task> pumps = [process.Output.Ended, process.Error.Ended];
        while (pumps.Count > 0)
        {
            Task ended = await Task.WhenAny(pumps);
            pumps.Remove(ended);
            if (ended.IsFaulted)
                stopped.TrySetResult(Stop.HandlerFailed);
        }
    }

    private SandboxResult Tell(SandboxProcess process, int? exitCode, Stop stop)
    {
        int code = exitCode ?? CodeWithoutExit(process, stop);
        bool isWhole = process.CopyOut(command.Limits.Disk);
        FileCollector? collector = command.Collect.Count == 0 ? null : new FileCollector(new Glob(command.Collect), command.Limits.Disk);
        return new SandboxResult
        {
            ExitCode = code,
            Ending = stop switch
            {
                Stop.TimeUp => SandboxEnding.TimedOut,
                Stop.Disposed => SandboxEnding.Killed,
                _ => code != 0 && process.MemoryKills > 0 ? SandboxEnding.MemoryExceeded : SandboxEnding.Exited,
            },
            StandardOutput = process.Output.Kept,
            StandardError = process.Error.Kept,
            OutputTruncated = process.Output.Truncated,
            ErrorTruncated = process.Error.Truncated,
            Files = collector?.Collect(process.Work!) ?? [],
            FilesTruncated = collector?.Truncated == true || !isWhole,
            NotEnforced = process.NotEnforced,
        };
    }

    // Bubblewrap gives no exit code where all was killed, and where it could not start the program, as the shell does with 126 and 127.
    private int CodeWithoutExit(SandboxProcess process, Stop stop)
    {
        string said = Encoding.UTF8.GetString(process.Error.Kept.Span).Trim();
        if (process.BubblewrapCode > 128 || stop != Stop.No)
            return process.BubblewrapCode > 128 ? process.BubblewrapCode : 128 + Libc.SIGKILL;
        if (said.StartsWith("bwrap: execvp ", StringComparison.Ordinal))
            return said.EndsWith("No such file or directory", StringComparison.Ordinal) ? 127 : 126;
        throw new SandboxException(SandboxRemedies.NotStarted(said, process.BubblewrapCode, options));
    }
}
