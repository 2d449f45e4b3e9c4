using System.Diagnostics;

namespace Millstream.Cli.Tests;

internal sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>The built command, started as users start it: as a process, without a terminal.</summary>
internal static class CommandProcess
{
    /// <summary>Where jobs of tests are kept: not among those of whoever runs the tests.</summary>
    public static string Data { get; } = MakeData();

    public static Task<CommandResult> RunAsync(params string[] args) =>
        RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), .. args]);

    public static async Task<CommandResult> RunAsync(string file, IEnumerable<string> args, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(file, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        start.Environment["XDG_DATA_HOME"] = Data;
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CommandResult(process.ExitCode, await output, await error);
    }

    private static string MakeData()
    {
        string path = Directory.CreateTempSubdirectory("millstream-data-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(path, recursive: true);
        return path;
    }
}

/// <summary>A folder of a test's own, gone with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("millstream-").FullName;

    public string Write(string name, string text)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
