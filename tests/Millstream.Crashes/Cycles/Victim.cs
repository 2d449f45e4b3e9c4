using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Millstream.Crashes.Cycles;

/// <summary>A process that is there to be killed. Its whole lines are handed on as they come; a line without its end was shown to nobody.</summary>
internal sealed partial class Victim : IDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _error;
    private readonly TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Victim(Process process, Action<string> line)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync(process.StandardOutput.BaseStream, line);
    }

    /// <summary>Starts a .NET program in a folder, with nothing on its standard input.</summary>
    public static Victim Start(string folder, string program, IEnumerable<string> args, Action<string> line)
    {
        Process process = Process.Start(new ProcessStartInfo("dotnet", [program, .. args])
        {
            WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            // None of them lives long enough to be worth that work.
            Environment = { ["DOTNET_TieredPGO"] = "0" },
        })!;
        process.StandardInput.Close();
        return new Victim(process, line);
    }

    /// <summary>Starts the real command.</summary>
    public static Victim StartCommand(string folder, IEnumerable<string> args, Action<string> line) => Start(folder, Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), args, line);

    /// <summary>Done when it has said something.</summary>
    public Task Said => _said.Task;

    /// <summary>Done when it has ended and all that it said was read.</summary>
    public Task Ended => _reading;

    public string Error => _error.IsCompletedSuccessfully ? _error.Result : "";

    /// <summary>Waits for its end, and kills it after a time, or as soon as something is done.</summary>
    /// <returns>Its exit code, or null where it was killed.</returns>
    public async Task<int?> EndWithinAsync(TimeSpan time, Task? sooner = null)
    {
        using CancellationTokenSource late = new(time);
        Task exit = _process.WaitForExitAsync(late.Token);
        await Task.WhenAny(exit, sooner ?? exit);
        bool isKilled = !exit.IsCompletedSuccessfully && !_process.HasExited && Kill(_process.Id, 9) == 0;
        await _process.WaitForExitAsync();
        await _reading;
        await _error;
        return isKilled ? null : _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private async Task ReadAsync(Stream output, Action<string> line)
    {
        byte[] buffer = new byte[64 * 1024];
        using MemoryStream begun = new();
        while (await output.ReadAsync(buffer) is var read and > 0)
        {
            int from = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', from, read - from)) >= 0; from = end + 1)
            {
                begun.Write(buffer, from, end - from);
                line(Encoding.UTF8.GetString(begun.GetBuffer().AsSpan(0, (int)begun.Length)));
                begun.SetLength(0);
                _said.TrySetResult();
            }
            begun.Write(buffer, from, read - from);
        }
        _said.TrySetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
