using System.Text;

namespace Millstream.Tests.Sandboxes;

public sealed class SandboxRunTests : SandboxTest
{
    [Fact]
    public async Task RunAsync_Echo_GivesBothStreamsAndExitCode()
    {
        SandboxResult result = await RunAsync("echo one; echo two >&2; exit 3");
        Assert.Equal((3, SandboxEnding.Exited, "one\n", "two\n"), (result.ExitCode, result.Ending, Text(result.StandardOutput), Text(result.StandardError)));
        Assert.False(result.OutputTruncated || result.ErrorTruncated);
    }

    [Fact]
    public async Task RunAsync_OutputWhileItRuns_HandlerHearsBeforeTheEnd()
    {
        // The command waits for a file that only appears after its first line was heard.
        using TestFolder folder = new();
        StringBuilder heard = new();
        SandboxResult result = await Sandbox.RunAsync(
            Shell("echo first; while [ ! -e /in/go ]; do sleep 0.01; done; echo second") with { Mounts = [new(folder.Path, "/in")] },
            (stream, chunk) =>
            {
                heard.Append(stream).Append(':').Append(Encoding.UTF8.GetString(chunk));
                File.WriteAllText(folder["go"], "");
            });
        Assert.Equal("first\nsecond\n", Out(result));
        Assert.Equal("stdout:first\nstdout:second\n", heard.ToString());
    }

    [Fact]
    public async Task RunAsync_StandardInput_IsRead()
    {
        byte[] input = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];
        SandboxResult result = await Sandbox.RunAsync(new SandboxCommand { Arguments = ["cat"], StandardInput = input });
        Assert.True(result.StandardOutput.Span.SequenceEqual(input));
    }

    [Fact]
    public async Task RunAsync_ProgramMissing_Gives127()
    {
        SandboxResult result = await Sandbox.RunAsync(new SandboxCommand { Arguments = ["no-such-program"] });
        Assert.Equal(127, result.ExitCode);
        Assert.Contains("no-such-program", Text(result.StandardError));
    }

    [Fact]
    public async Task RunAsync_DiedBySignal_Gives128AndTheSignal() => Assert.Equal(128 + 11, (await RunAsync("kill -SEGV $$")).ExitCode);

    [Fact]
    public async Task RunAsync_NoEnvironmentGiven_HasOnlyItsOwn()
    {
        string[] names = Out(await Sandbox.RunAsync(new SandboxCommand { Arguments = ["env"] })).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["HOME=/work", "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "PWD=/work"], names.Order());
    }

    [Fact]
    public async Task RunAsync_EnvironmentGiven_IsThereAndNotOnTheCommandLine()
    {
        SandboxCommand command = Shell("echo \"$SECRET\"; tr '\\0' ' ' < /proc/1/cmdline") with { Environment = new Dictionary<string, string> { ["SECRET"] = "s3cr t" } };
        string[] lines = Out(await Sandbox.RunAsync(command)).Split('\n');
        Assert.Equal("s3cr t", lines[0]);
        Assert.DoesNotContain("s3cr t", lines[1]);
    }

    [Fact]
    public async Task RunAsync_BytesThatAreNoText_AreKept()
    {
        SandboxResult result = await RunAsync("printf '\\377\\376\\000a'");
        Assert.Equal([0xff, 0xfe, 0, (byte)'a'], result.StandardOutput.ToArray());
    }

    [Fact]
    public async Task RunAsync_SixteenAtOnce_EachHasItsOwn()
    {
        SandboxResult[] results = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => RunAsync($"echo {i} > /work/n; cat /work/n; ls /work")));
        for (int i = 0; i < 16; i++)
            Assert.Equal($"{i}\nn\n", Out(results[i]));
    }

    [Fact]
    public async Task RunAsync_HandlerThrows_RunFailsWithIt()
    {
        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Sandbox.RunAsync(Shell("echo x; sleep 1000"), (_, _) => throw new InvalidOperationException("mine")));
        Assert.Equal("mine", thrown.Message);
    }

    [Fact]
    public async Task RunAsync_Disposed_Throws()
    {
        await Sandbox.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => RunAsync("true"));
    }
}
