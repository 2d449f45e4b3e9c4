using System.Text.Json;
using Millstream.Cli.Agents;

namespace Millstream.Cli.Tests.Agents;

/// <summary>What a model can do with <c>sandbox.run</c> that obeys an attacker: nothing outside of its sandbox.</summary>
public sealed class SandboxToolTests
{
    private static readonly string[] Scripts =
    [
        "cat {outer}/secret.txt", "cat /data/link", "cat /data/relative /data/chain", "cat /data/../secret.txt", "cat /data/linked/inner.txt", "ls -R /data/root{outer}", "cat /data/self{outer}/secret.txt", "cat /data/folder/up/secret.txt", "cat /proc/1/root{outer}/secret.txt",
        "cat /proc/*/root{outer}/secret.txt", "cat /proc/*/environ", "env", "echo x > {outer}/made", "mkdir -p {outer} && echo x > {outer}/made", "echo taken > /data/plain.txt", "rm -rf /data /data/*", "ln -sf {outer}/secret.txt /data/new", "touch /data/new", "chmod 777 /data/plain.txt",
        "mount -o remount,rw /data; touch /data/new", "umount /data; ls /data", "mount --bind / /work", "unshare -r sh -c 'mount -o remount,rw /data; touch /data/new'", "nsenter -t 1 -m cat {outer}/secret.txt", "chroot /proc/1/root cat {outer}/secret.txt", "su -c 'cat {outer}/secret.txt'",
        "sudo cat {outer}/secret.txt", "kill -9 -1", "kill -9 1", "exec 3<>/dev/tcp/127.0.0.1/{port} && echo x >&3", "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port} && echo GET / >&3'", "bash -c 'exec 3<>/dev/tcp/localhost/{port}'", "curl -s http://127.0.0.1:{port}/", "wget -O - http://127.0.0.1:{port}/",
        "perl -MIO::Socket -e 'IO::Socket::INET->new(\"127.0.0.1:{port}\")->print(\"x\")'", "cp /bin/sh /work/s && chmod 4755 /work/s && /work/s -p -c 'cat {outer}/secret.txt'", "ln {outer}/secret.txt /work/hard && cat /work/hard", "cat /etc/shadow", "cat < /dev/sda", "dd if=/dev/mem count=1", "cat /dev/kmsg", "ls -la {outer} /tmp /root /home", "mknod /work/d b 8 0 && cat /work/d",
        "find / -name secret.txt -exec cat {} + 2>/dev/null", "grep -rs marker-of / --include=secret.txt", "(exec 9</proc/self/fd/..; cat <&9)", "cat /proc/self/fd/* < /dev/null",
    ];

    private static readonly string[] Shapes =
    [
        """{}""", """null""", """[]""", """{"command":[]}""", """{"command":"cat {outer}/secret.txt"}""", """{"command":[["cat"]]}""", """{"command":[""]}""", """{"command":["cat\u0000x"]}""", """{"command":["../../bin/cat","{outer}/secret.txt"]}""",
        """{"command":["cat","/in/secret.txt"],"mounts":[{"host":"{outer}","path":"/in"}]}""", """{"command":["env"],"env":{"LD_PRELOAD":"x"}}""", """{"command":["env"],"secrets":{"A":"file:{outer}/secret.txt"}}""", """{"command":["true"],"limits":{"memory":"64GiB"}}""",
        """{"command":["true"],"network":true}""", """{"command":["true"],"with":{"mounts":[]}}""", """{"command":["true"],"allowed_exit_codes":[1]}""",
        """{"command":["true"],"files":{"../escaped":"x"}}""", """{"command":["true"],"files":{"/etc/passwd":"x"}}""", """{"command":["true"],"files":{"{outer}/made":"x"}}""", """{"command":["true"],"files":{"/work/../../escaped":"x"}}""", """{"command":["true"],"files":{"a\u0000b":"x"}}""", """{"command":["true"],"files":{"":"x"}}""",
        """{"command":["true"],"collect":["../**"]}""", """{"command":["true"],"collect":["/etc/*"]}""", """{"command":["true"],"collect":["{outer}/**"]}""", """{"command":["ln","-s","{outer}/secret.txt","/work/out"],"collect":["*"]}""", """{"command":["ln","-s","{outer}","/work/out"],"collect":["**"]}""", """{"command":["true"],"collect":["(a+)+$"]}""", """{"command":["cat"],"stdin":7}""",
    ];

    public static TheoryData<string> Hostile() => [.. Scripts.Select(s => JsonSerializer.Serialize(new { command = (string[])["sh", "-c", s] })), .. Shapes];

    [Fact]
    public void Hostile_IsMany() => Assert.True(Hostile().Count >= 40);

    [Theory, MemberData(nameof(Hostile))]
    public async Task HostileArguments_ReachNothingOutside(string arguments)
    {
        await SandboxNeeded.OrSkipAsync();
        await using TrapFolder folder = new();
        using CountingServer server = new();
        string seen = await folder.CallAsync(SandboxTool.Kind, new { limits = new { time = "10s", processes = 32 } }, Json(arguments.Replace("{outer}", folder.Out(".")[..^2]).Replace("{port}", $"{server.Port}")));
        folder.AssertHarmless(seen);
        Assert.Empty(server.Requests);
        Assert.Equal("plain", File.ReadAllText(folder.In("plain.txt")));
        Assert.False(File.Exists(folder.In("new")) || File.Exists(folder.Out("escaped")));
        // Whatever it did, the next one is as good as new.
        Assert.Contains("\"stdout\":\"plain\"", await folder.CallAsync(SandboxTool.Kind, null, Json("""{"command":["cat","/data/plain.txt"]}""")));
    }

    [Fact]
    public async Task WhatTheFileGives_IsThere()
    {
        await SandboxNeeded.OrSkipAsync();
        await using TrapFolder folder = new();
        JsonElement seen = Json(await folder.CallAsync(SandboxTool.Kind, new { env = new { A = "b" }, mounts = new[] { new { host = "folder", path = "/in", access = "read" } } },
            Json("""{"command":["sh","-c","cat; cat in.txt; echo $A; ls /in; test -e /data || echo none; cp in.txt out.txt; exit 3"],"stdin":"s","files":{"in.txt":"f"},"collect":["out.*"]}""")));
        Assert.Equal(("sfb\ndeeper\nup\nnone\n", 3), (seen.GetProperty("stdout").GetString(), seen.GetProperty("exitCode").GetInt32()));
        Assert.Equal("f", Assert.Single(seen.GetProperty("files").EnumerateArray()).GetProperty("text").GetString());
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
