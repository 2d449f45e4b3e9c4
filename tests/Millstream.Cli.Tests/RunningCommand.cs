using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Millstream.Cli.Tests;

/// <summary><c>millstream run</c> while it runs: its lines as they come, signals to it, and how it ended.</summary>
internal sealed partial class RunningCommand : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;

    private RunningCommand(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["XDG_DATA_HOME"] = CommandProcess.Data;
        start.Environment["TERM"] = "xterm";
        start.Environment.Remove("NO_COLOR");
        _process = Process.Start(start)!;
        // Read all along, so that it never waits for us there.
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public StreamReader Reader => _process.StandardOutput;

    /// <summary>All lines read so far.</summary>
    public string Output => _output.ToString();

    /// <summary>A shell without job control starts programs with SIGINT ignored, which they would keep; a terminal's do not.</summary>
    public static RunningCommand Start(params string[] args) => StartCommand(["run", .. args]);

    public static RunningCommand StartCommand(string[] args, string folder = "") =>
        new(new ProcessStartInfo("env", ["--default-signal=INT,TERM,HUP,PIPE", "dotnet", Dll, .. args]) { WorkingDirectory = folder });

    /// <summary>In a terminal of its own.</summary>
    public static RunningCommand InTerminal(int columns, int rows, params string[] args)
    {
        if (!File.Exists("/usr/bin/script"))
            Assert.Skip("there is no 'script' (package bsdutils) to make a terminal");
        string words = string.Join(' ', args.Select(a => $"'{a}'"));
        return new(new ProcessStartInfo("script", ["-qefc", $"stty cols {columns} rows {rows}; echo process $$; exec env --default-signal=INT dotnet '{Dll}' run {words}", "/dev/null"]));
    }

    private static string Dll => Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll");

    /// <summary>Reads up to and with the first line that holds a text.</summary>
    public async Task<string> WaitForAsync(string text)
    {
        while (await LineAsync() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return line;
        }

        Assert.Fail($"it ended without '{text}'; it said:\n{Output}\n{await _error}");
        return "";
    }

    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    /// <summary>Signals the command that runs in a terminal, and not the one that made the terminal.</summary>
    public void SignalInner(int signal) => Assert.Equal(0, Kill(int.Parse(Output.Split('\n')[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), signal));

    public void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    /// <summary>Reads the rest and waits for the end.</summary>
    public async Task<CommandResult> EndAsync()
    {
        while (await LineAsync() is not null)
        {
        }

        await _process.WaitForExitAsync().WaitAsync(Patience);
        return new CommandResult(_process.ExitCode, Output, await _error);
    }

    public async Task<CommandResult> EndUnreadAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return new CommandResult(_process.ExitCode, Output, "");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task<string?> LineAsync()
    {
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        _output.Append(line).Append(line is null ? "" : "\n");
        return line;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

/// <summary>The lines of <c>--json</c>, held to their contract.</summary>
internal static class JsonLines
{
    public static JsonElement[] Check(string output)
    {
        JsonElement[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(l => l.GetProperty("seq").GetInt32()));
        Assert.All(lines, l =>
        {
            Assert.True(l.GetProperty("time").TryGetDateTimeOffset(out _));
            Assert.False(string.IsNullOrEmpty(l.GetProperty("job").GetString()));
            string kind = l.GetProperty("kind").GetString()!;
            if (kind is "task.scheduled" or "task.started" or "task.delta" or "task.completed" or "task.failed")
                Assert.True(l.GetProperty("task").GetString()!.Length > 0 && l.GetProperty("attempt").GetInt32() >= 1);
        });
        string[] ends = ["job.completed", "job.failed", "job.cancelled"];
        Assert.Equal([lines.Length - 1], lines.Index().Where(l => ends.Contains(l.Item.Kind())).Select(l => l.Index));
        Assert.True(lines[^1].TryGetProperty(lines[^1].Kind() == "job.completed" ? "output" : "error", out _));
        return lines;
    }

    public static string Kind(this JsonElement line) => line.GetProperty("kind").GetString()!;
}

/// <summary>Whether sandboxes run on this host.</summary>
internal static class SandboxNeeded
{
    private static readonly Lazy<Task<CommandResult>> Doctor = new(() => CommandProcess.RunAsync("doctor"));

    public static async Task OrSkipAsync()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("sandboxes are for Linux");
        CommandResult doctor = await Doctor.Value;
        if (doctor.ExitCode != 0)
            Assert.Skip($"sandboxes cannot run on this host: {doctor.Output}");
    }
}
