using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Millstream.Cli.Tests;

/// <summary>What people see of tasks that behave badly in their sandbox.</summary>
[Collection("processes")]
public sealed partial class RunSandboxTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Timeout_IsTriedAgainAndToldOnce()
    {
        CommandResult result = await RunAsync("command: [sleep, 600]", "timeout: 200ms, retry: { attempts: 2, delay: 1ms }");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("a failed and is tried again: task a took longer than its timeout of 200 ms", result.Error);
        Assert.EndsWith("\nmillstream: task a took longer than its timeout of 200 ms\n", result.Error);
    }

    [Fact]
    public async Task WaitForASandbox_IsToldApartFromTheTimeItTook()
    {
        await SandboxNeeded.OrSkipAsync();
        string file = _folder.Write("line.yaml", """
            name: line
            resources: { sandbox: 1 }
            tasks:
              a: { uses: sandbox.run, with: { command: [sleep, "1.2"] } }
              b: { uses: sandbox.run, with: { command: ["true"] } }
            """);
        CommandResult result = await CommandProcess.RunAsync("run", file);
        Assert.Equal(0, result.ExitCode);
        Match waited = Regex.Match(result.Error, @"b completed in (\S+) s after (\S+) s in line \[2/2\]");
        Assert.True(waited.Success, result.Error);
        Assert.InRange(double.Parse(waited.Groups[1].Value, CultureInfo.InvariantCulture), 0, double.Parse(waited.Groups[2].Value, CultureInfo.InvariantCulture));
        Assert.Matches(@"a completed in \S+ s \[1/2\]", result.Error);
    }

    [Fact]
    public async Task TaskThatIsStoppedSinceAnotherFailed_IsNotSaidToHaveFailed()
    {
        await SandboxNeeded.OrSkipAsync();
        string file = _folder.Write("stop.yaml", """
            name: stop
            resources: { sandbox: 2 }
            tasks:
              a: { uses: sandbox.run, with: { command: [sleep, "600"] } }
              b: { uses: sandbox.run, with: { command: [sh, -c, "sleep 1; exit 3"] } }
            """);
        CommandResult result = await CommandProcess.RunAsync("run", file);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@" a stopped in \S+ s \[2/2\]\n", result.Error);
        Assert.Matches(@"\nfailed: 1 failed, 1 stopped, \S+ s\n", result.Error);
    }

    [Fact]
    public async Task IgnoredTerm_EndsAtTheTimeLimit()
    {
        CommandResult result = await RunAsync("command: [sh, -c, \"trap '' TERM; echo up; while :; do sleep 1; done\"], limits: { time: 500ms }");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("sandbox.run: sh took longer than its time limit ('limits.time'): up", result.Error);
    }

    [Fact]
    public async Task Flood_IsBoundedAndSaysSo()
    {
        CommandResult result = await RunAsync("command: [sh, -c, \"head -c 5000000 /dev/zero | tr '\\\\0' y\"], limits: { output: 100KiB }", output: "{ cut: \"${{ tasks.a.output.truncated }}\", length: \"${{ length(tasks.a.output.stdout) }}\" }");
        Assert.Equal((0, "{\n  \"cut\": true,\n  \"length\": 102400\n}\n"), (result.ExitCode, result.Output));
        Assert.Matches(@"a completed in \S+ s, output cut at its limit \[1/1\]", result.Error);
        Assert.All(result.Error.Split('\n'), l => Assert.InRange(l.Length, 0, 600));
    }

    [Fact]
    public async Task ForkBomb_StaysInItsSandbox()
    {
        CommandResult result = await RunAsync("command: [sh, -c, 'f() { f | f & }; f; sleep 600'], limits: { time: 1s, processes: 30 }");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("took longer than its time limit", result.Error);
        Assert.InRange(result.Error.Split('\n').Length, 3, 40);
    }

    [Fact]
    public async Task FullDisk_IsTheTasksOwnError()
    {
        CommandResult result = await RunAsync("command: [sh, -c, 'head -c 9000000 /dev/zero > /work/x'], limits: { disk: 1MiB }");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("sandbox.run: sh exited with 1: ", result.Error);
        Assert.Contains("No space left on device", result.Error);
    }

    [Fact]
    public async Task ControlCharacters_ReachNoLineOfProgress()
    {
        CommandResult result = await RunAsync("command: [sh, -c, \"printf '\\\\033[2J\\\\033]0;owned\\\\007\\\\rx\\\\302\\\\2331m\\\\342\\\\200\\\\256\\\\n'; printf '\\\\033[2Jerr' >&2; exit 3\"]");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("  a | \ufffd[2J\ufffd]0;owned\ufffd\ufffdx\ufffd1m\ufffd\n", result.Error);
        Assert.Contains("exited with 3: \ufffd[2Jerr", result.Error);
        Assert.DoesNotContain(result.Error, c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public async Task CharactersCutByChunks_ArriveWhole()
    {
        CommandResult result = await RunAsync("command: [sh, -c, \"printf '\\\\303'; sleep 0.1; printf '\\\\251t\\\\303\\\\251 no line feed'\"]");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("  a | été no line feed\n", result.Error);
    }

    [Fact]
    public async Task Gpu_GoesToOneTaskAtATime()
    {
        await SandboxNeeded.OrSkipAsync();
        string path = _folder.Write("w.yaml", """
            name: g
            resources: { gpu: 1, sandbox: 4 }
            tasks:
              a: { uses: sandbox.run, for_each: "${{ ['x', 'y', 'z'] }}", with: { command: ["true"] }, requires: [{ type: gpu }] }
            """);
        CommandResult result = await CommandProcess.RunAsync("run", path, "--json");
        Assert.Equal(0, result.ExitCode);
        int busy = 0;
        foreach (var line in JsonLines.Check(result.Output).Where(l => l.Kind() is "task.started" or "task.completed"))
            Assert.InRange(busy += line.Kind() == "task.started" ? 1 : -1, 0, 1);
    }

    [Fact]
    public async Task WithoutBubblewrap_SaysWhatToInstall()
    {
        // Root sees a program there that it may not execute, in a mount namespace of its own.
        string path = _folder.Write("w.yaml", "name: w\ntasks:\n  a: { uses: sandbox.run, with: { command: [echo, x] } }\n");
        string hide = "for b in /usr/bin/bwrap /bin/bwrap /usr/local/bin/bwrap; do [ ! -e $b ] || mount --bind /dev/null $b || exit 99; done";
        string dll = Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll");
        if (!OperatingSystem.IsLinux() || GetUserId() != 0)
            Assert.Skip("only root can hide bubblewrap");
        CommandResult result = await CommandProcess.RunAsync("unshare", ["-m", "sh", "-c", $"{hide}; dotnet \"$0\" doctor; echo doctor $?; exec dotnet \"$0\" run \"$1\"", dll, path]);
        if (result.ExitCode == 99)
            Assert.Skip($"bubblewrap cannot be hidden here: {result.Error}");
        Assert.Equal(1, result.ExitCode);
        Assert.Matches("millstream: task a: sandbox.run: Bubblewrap \\(bwrap\\) is not installed, and nothing runs without a sandbox. Install it: .*bubblewrap\n$", result.Error);
        Assert.Contains("doctor 1\n", result.Output);
        Assert.Contains("missing  bubblewrap", result.Output);
    }

    private async Task<CommandResult> RunAsync(string with, string more = "", string output = "null")
    {
        await SandboxNeeded.OrSkipAsync();
        string path = _folder.Write("w.yaml", $"name: w\ntasks:\n  a: {{ uses: sandbox.run, with: {{ {with} }}{(more.Length > 0 ? ", " : "")}{more} }}\noutput: {output}\n");
        return await CommandProcess.RunAsync("run", path);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUserId();
}
