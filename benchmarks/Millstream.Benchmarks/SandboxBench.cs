using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>What a sandbox costs over the bare <c>bwrap</c> call, taken in turn so that a busy host slows both alike.</summary>
internal static class SandboxBench
{
    private const int Warm = 10, Rounds = 100;

    private static readonly string[] s_bare =
    [
        "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/work", "--die-with-parent", "--", "/usr/bin/true",
    ];

    /// <summary>Runs it and writes the medians in milliseconds and their ratio.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        if (!OperatingSystem.IsLinux() || Tools.Find("bwrap") is not { } bwrap)
        {
            await output.WriteLineAsync("sandbox start: skipped, bubblewrap is not here");
            return;
        }
        await using Sandbox sandbox = new(new LeaseEpoch(1, 1), new SandboxOptions());
        SandboxCommand plain = new() { Arguments = ["/usr/bin/true"] };
        SandboxCommand mounted = plain with { Mounts = [new SandboxMount("/usr/share", "/in")] };
        List<double> bare = [], ours = [], withMount = [];
        for (int round = -Warm; round < Rounds; round++)
        {
            double a = await TimeAsync(() => BareAsync(bwrap)), b = await TimeAsync(() => sandbox.RunAsync(plain)), c = await TimeAsync(() => sandbox.RunAsync(mounted));
            if (round < 0)
                continue;
            bare.Add(a);
            ours.Add(b);
            withMount.Add(c);
        }
        double median = Median(bare);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"sandbox start, median of {Rounds}: bare bwrap {median:F2} ms, ours {Median(ours):F2} ms ({Median(ours) / median:F2}x), with a mount {Median(withMount):F2} ms ({Median(withMount) / median:F2}x; at most 1.5x)"));
    }

    /// <summary>Started as the sandbox starts its own, so that the difference is the sandbox's and not that of two ways to start a process.</summary>
    public static Task BareAsync(string bwrap)
    {
        using Fd none = Fd.Null();
        int code = Reaper.WaitFor(PosixSpawn.Start(bwrap, ["bwrap", .. s_bare], ["PATH=/usr/bin:/bin"], [none.Value, none.Value, none.Value]));
        // One that fails is fast, and would be a wrong measure.
        return code == 0 ? Task.CompletedTask : throw new InvalidOperationException($"bare bwrap ended with exit code {code}");
    }

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        long start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
