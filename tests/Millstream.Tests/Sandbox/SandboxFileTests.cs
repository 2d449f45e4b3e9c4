using System.Security.Cryptography;

namespace Millstream.Tests.Sandboxes;

public sealed class SandboxFileTests : SandboxTest
{
    [Fact]
    public async Task RunAsync_FilesIn_AreInWorkAndBelongToTheCommand()
    {
        SandboxCommand command = Shell("./run.sh; cat 'a/b c/d'; echo more >> run.sh; rm -r a; ls") with
        {
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["run.sh"] = "#!/bin/sh\necho ran\n"u8.ToArray(), ["a/b c/d"] = "deep\n"u8.ToArray() },
        };
        Assert.Equal("ran\ndeep\nrun.sh\n", Out(await Sandbox.RunAsync(command)));
    }

    [Fact]
    public async Task RunAsync_Collect_GivesWhatMatchesWithHashAndMode()
    {
        SandboxResult result = await Sandbox.RunAsync(Shell("mkdir -p o/p; echo 1 > o/a.txt; echo 2 > o/p/b.txt; echo 3 > o/c.bin; chmod 750 o/a.txt") with { Collect = ["o/**/*.txt"] });
        Assert.Equal(["o/a.txt", "o/p/b.txt"], result.Files.Select(file => file.Path));
        SandboxFile first = result.Files[0];
        Assert.Equal(("1\n", 0x1E8, Convert.ToHexStringLower(SHA256.HashData("1\n"u8))), (Text(first.Bytes), first.Mode, first.Sha256));
        Assert.False(result.FilesTruncated);
    }

    [Fact]
    public async Task RunAsync_CollectMeetsSymlinksAndPipes_NeverFollowsOrWaits()
    {
        using TestFolder folder = new();
        File.WriteAllText(folder["secret"], "secret");
        SandboxCommand command = Shell("ln -s /etc/passwd a; ln -s /in/secret b; ln -s / c; ln -s ../../../../etc d; mkfifo e; ln -s /proc/self/fd/0 f; echo g > g") with
        {
            Collect = ["**"],
            Mounts = [new(folder.Path, "/in"), new(folder.Path, "/work/mounted")],
        };
        SandboxResult result = await Sandbox.RunAsync(command);
        Out(result);
        Assert.Equal(["g"], result.Files.Select(file => file.Path));
    }

    [Fact]
    public async Task RunAsync_CollectMeetsNamesThatAreNoText_KeepsTheirBytes()
    {
        SandboxResult result = await Sandbox.RunAsync(Shell("echo x > \"$(printf 'a\\377\\nb')\"") with { Collect = ["*"] });
        Assert.Equal([(byte)'a', 0xff, (byte)'\n', (byte)'b'], Assert.Single(result.Files).RawPath.ToArray());
    }

    [Fact]
    public async Task RunAsync_CollectMeetsTooMuch_SaysSo()
    {
        SandboxResult result = await Sandbox.RunAsync(Shell("truncate -s 10G sparse; echo x > small") with { Collect = ["**"] });
        Assert.Equal(["small"], result.Files.Select(file => file.Path));
        Assert.True(result.FilesTruncated);
    }

    [Theory]
    [InlineData("*.txt", "a.txt", true)]
    [InlineData("*.txt", "d/a.txt", false)]
    [InlineData("**/*.txt", "a.txt", true)]
    [InlineData("**/*.txt", "d/e/a.txt", true)]
    [InlineData("d/**", "d/e/f", true)]
    [InlineData("d/**", "e/d", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("(a)+[b]", "(a)+[b]", true)]
    public void Glob_Path_MatchesAsWritten(string pattern, string path, bool matches) => Assert.Equal(matches, new Glob([pattern]).Matches(path));
}
