using System.Text.Json;

namespace Millstream.Cli.Tests;

/// <summary>Ctrl-C, SIGTERM, SIGHUP, and readers that go away or stop reading, while sandboxes work.</summary>
[Collection("processes")]
public sealed class RunSignalTests : IDisposable
{
    private const int Hup = 1, Int = 2, Term = 15;

    private readonly TempFolder _folder = new();
    private readonly string _mark = $"{86_400 + Random.Shared.Next(1_000_000)}";

    public void Dispose() => _folder.Dispose();

    // The mark is an argument of a process that only ends when the sandbox is ended.
    private string Sleeps => _folder.Write("sleeps.yaml", $"name: s\ntasks:\n  a: {{ uses: sandbox.run, with: {{ command: [sh, -c, \"echo up; sleep {_mark}\"] }} }}\n  b: {{ uses: template, needs: a, with: {{ text: x }} }}\n");

    private string IgnoresTerm => _folder.Write("ignores.yaml", $"name: s\ntasks:\n  a: {{ uses: sandbox.run, with: {{ command: [sh, -c, \"trap '' TERM INT HUP; echo up; while :; do sleep {_mark}; done\"] }} }}\n");

    // More than any pipe holds.
    private string Talks => _folder.Write("talks.yaml", "name: s\ntasks:\n  a: { uses: sandbox.run, with: { command: [sh, -c, \"i=0; while [ $i -lt 400 ]; do i=$((i+1)); head -c 1000 /dev/zero | tr '\\\\0' x; echo; done\"] } }\n");

    [Fact]
    public async Task Interrupt_CancelsAndLeavesNoSandbox()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(Sleeps, "--json");
        await run.WaitForAsync("\"task.delta\"");
        run.Signal(Int);
        CommandResult result = await run.EndAsync();
        Assert.Equal((130, "millstream: cancelling; once more ends at once\n"), (result.ExitCode, result.Error));
        JsonElement[] lines = JsonLines.Check(result.Output);
        Assert.Equal(("job.cancelled", "interrupted"), (lines[^1].Kind(), lines[^1].GetProperty("error").GetProperty("message").GetString()));
        Assert.Contains(lines, l => l.Kind() == "task.cancelled");
        await AssertNoSandboxAsync();
    }

    [Fact]
    public async Task Interrupt_OfATaskThatIgnoresIt_KillsItAfterTheGracePeriod()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(IgnoresTerm, "--json");
        await run.WaitForAsync("\"task.delta\"");
        run.Signal(Int);
        CommandResult result = await run.EndAsync();
        Assert.Equal((130, "job.cancelled"), (result.ExitCode, JsonLines.Check(result.Output)[^1].Kind()));
        await AssertNoSandboxAsync();
    }

    [Fact]
    public async Task InterruptTwice_EndsAtOnce()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(IgnoresTerm, "--json");
        await run.WaitForAsync("\"task.delta\"");
        run.Signal(Int);
        await run.WaitForAsync("\"job.cancelling\"");
        run.Signal(Int);
        Assert.Equal(130, (await run.EndAsync()).ExitCode);
        await AssertNoSandboxAsync();
    }

    [Theory]
    [InlineData(Term)]
    [InlineData(Hup)]
    public async Task Stop_EndsWithoutCancellingAndLeavesNoSandbox(int signal)
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(Sleeps, "--json");
        await run.WaitForAsync("\"task.delta\"");
        run.Signal(signal);
        CommandResult result = await run.EndAsync();
        Assert.Equal(143, result.ExitCode);
        Assert.Matches("^millstream: stopped; nothing was cancelled, and 'millstream resume [a-z0-9]+' goes on\n", result.Error);
        Assert.DoesNotContain("cancel", result.Output);
        await AssertNoSandboxAsync();
    }

    [Fact]
    public async Task ReaderThatIsGone_CancelsEvenWhileNothingIsWritten()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(Sleeps, "--json");
        await run.WaitForAsync("\"task.delta\"");
        run.Reader.Close();
        CommandResult result = await run.EndUnreadAsync();
        Assert.Equal(1, result.ExitCode);
        await AssertNoSandboxAsync();
    }

    [Fact]
    public async Task ReaderThatGoesOnLater_MissesNothing()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(Talks, "--json");
        await run.WaitForAsync("\"task.delta\"");
        await StalledAsync(run);
        CommandResult result = await run.EndAsync();
        JsonElement[] lines = JsonLines.Check(result.Output);
        Assert.Equal((0, "job.completed", 400 * 1001), (result.ExitCode, lines[^1].Kind(), lines.Where(l => l.Kind() == "task.delta").Sum(l => l.GetProperty("text").GetString()!.Length)));
    }

    [Fact]
    public async Task ReaderThatStopsReading_DoesNotKeepItFromStopping()
    {
        await SandboxNeeded.OrSkipAsync();
        using var run = RunningCommand.Start(Talks, "--json");
        await run.WaitForAsync("\"task.delta\"");
        await StalledAsync(run);
        run.Signal(Term);
        Assert.Equal(143, (await run.EndUnreadAsync()).ExitCode);
    }

    // A thread of it waits in a write to a pipe: nobody reads, and it is full.
    private static async Task StalledAsync(RunningCommand run)
    {
        string[] states;
        do
        {
            await Task.Yield();
            states = [.. Directory.GetDirectories($"/proc/{run.Id}/task").Select(t => Read(t + "/wchan"))];
        }
        while (!states.Any(s => s.Contains("pipe_write", StringComparison.Ordinal)) && states.Any(s => s.Length > 1));
        if (states.All(s => s.Length <= 1))
            Assert.Skip("this host does not say what a process waits for (/proc/PID/wchan)");
    }

    // Its processes are told to end before the command is gone, but it is the kernel that ends them and takes them out of the list.
    private async Task AssertNoSandboxAsync()
    {
        for (int i = 0; i < 3_000 && Left().Length > 0; i++)
            await Task.Delay(10);
        Assert.Empty(Left());
    }

    private string[] Left() =>
        [.. Directory.GetDirectories("/proc").Where(p => int.TryParse(Path.GetFileName(p), out _)).Select(p => Read(p + "/cmdline")).Where(c => c.Contains(_mark, StringComparison.Ordinal)).Select(c => c.Replace('\0', ' '))];

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
