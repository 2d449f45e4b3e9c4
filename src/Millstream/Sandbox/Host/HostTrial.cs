using System.Text;

namespace Millstream;

/// <summary>Sandboxes that are run to see whether they hold what is said of them.</summary>
internal static class HostTrial
{
    private static readonly string[] s_namespaces = ["user", "pid", "net", "ipc", "uts", "mnt"];

    // One fact a line. Written for any POSIX shell, with nothing but coreutils and grep.
    private const string Facts = """
        echo uid=$(id -u)
        for n in user pid net ipc uts mnt; do echo ns.$n=$(readlink /proc/self/ns/$n); done
        echo net=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')
        echo settings=$(find /proc/sys -type f -writable 2>/dev/null | wc -l)
        for f in / /usr /etc /dev; do ( echo x > $f/.millstream ) 2>/dev/null && echo writable=$f; done
        echo capabilities=$(grep CapEff /proc/self/status | cut -f2)
        echo filter=$(grep '^Seccomp:' /proc/self/status | cut -f2)
        """;

    public static async Task<SandboxFinding[]> IsolationAsync(Sandbox sandbox, CancellationToken token)
    {
        SandboxResult result = await RunAsync(sandbox, Facts, new SandboxLimits(), token);
        ILookup<string, string> facts = Encoding.UTF8.GetString(result.StandardOutput.Span).Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1]);
        string One(string name) => facts[name].FirstOrDefault() ?? "?";
        string[] shared = [.. s_namespaces.Where(name => One($"ns.{name}") is "?" or "" || One($"ns.{name}") == KernelFile.TryReadLink($"/proc/self/ns/{name}"))];
        string user = One("uid");
        bool hasRights = user is "0" or "?" || One("capabilities").Trim('0') != "";
        return
        [
            new("trial run", result.ExitCode == 0 ? SandboxFindingState.Ok : SandboxFindingState.Missing, result.ExitCode == 0 ? "a command ran in a sandbox" : $"exit code {result.ExitCode}: {Encoding.UTF8.GetString(result.StandardError.Span)}"),
            Judge("namespaces", shared.Length == 0, $"own {string.Join(", ", s_namespaces)}", $"shared with the host: {string.Join(", ", shared)}"),
            Judge("network", One("net") is "lo" or "", "none but its own loopback", $"sees {One("net")}"),
            Judge("user", !hasRights, $"runs as {user} without capabilities", $"runs as {user} with capabilities {One("capabilities")}"),
            Judge("kernel settings", One("settings") == "0", "/proc/sys is read-only", $"{One("settings")} files under /proc/sys are writable"),
            Judge("system folders", !facts["writable"].Any(), "read-only", $"writable: {string.Join(", ", facts["writable"])}"),
            One("filter") == "2" ? new("set-uid filter", SandboxFindingState.Ok, "no set-uid file can be made on a write mount") : new("set-uid filter", SandboxFindingState.Partial, "set-uid files can be made on write mounts", "Use an x86-64 or arm64 host, or mount for reading only."),
        ];
    }

    public static async Task<SandboxFinding> MemoryAsync(Sandbox sandbox, CancellationToken token)
    {
        CgroupController memory = CgroupLayout.Host.Memory;
        if (memory.Folder is null)
            return new("memory limit", SandboxFindingState.Missing, memory.Detail, Sentence(memory.Remedy));
        SandboxResult result = await RunAsync(sandbox, "head -c 200000000 /dev/zero > /dev/shm/x", new SandboxLimits { Memory = 32 << 20, Disk = 1 << 30 }, token);
        return result.Ending == SandboxEnding.MemoryExceeded
            ? new("memory limit", SandboxFindingState.Ok, memory.Detail)
            : new("memory limit", SandboxFindingState.Missing, $"{memory.Detail}, but a command went beyond it unhindered (exit code {result.ExitCode})", "Tell the maintainers, with the kernel's version.");
    }

    public static async Task<SandboxFinding> ProcessesAsync(Sandbox sandbox, CancellationToken token)
    {
        CgroupController pids = CgroupLayout.Host.Processes;
        string how = pids.Folder is null ? $"by prlimit, per user namespace; no control group: {pids.Detail}" : pids.Detail;
        SandboxResult few = await RunAsync(sandbox, "for i in 1 2 3 4; do sleep 100 & done", new SandboxLimits { Processes = 8 }, token);
        SandboxResult many = await RunAsync(sandbox, "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 100 & done", new SandboxLimits { Processes = 8 }, token);
        if (many.ExitCode == 0)
            return new("process limit", SandboxFindingState.Missing, $"{how}: a command went beyond it", Sentence(pids.Remedy));
        return few.ExitCode == 0
            ? new("process limit", SandboxFindingState.Ok, how)
            : new("process limit", SandboxFindingState.Partial, $"{how}: it counts the user's processes outside of the sandbox too (Linux before 5.14)", Sentence(pids.Remedy));
    }

    public static async Task<SandboxFinding> DiskAsync(Sandbox sandbox, CancellationToken token)
    {
        SandboxResult result = await RunAsync(sandbox, "for f in /work /tmp /dev/shm; do head -c 2000000 /dev/zero > $f/x && echo $f; done", new SandboxLimits { Disk = 1 << 20 }, token);
        string unbounded = Encoding.UTF8.GetString(result.StandardOutput.Span).Trim().Replace('\n', ' ');
        string files = CgroupLayout.Host.Memory.Folder is null ? "; the number of empty files is bounded by the memory limit only, which is missing" : "";
        SandboxFindingState state = unbounded != "" ? SandboxFindingState.Missing : files != "" ? SandboxFindingState.Partial : SandboxFindingState.Ok;
        return new("disk limit", state, unbounded == "" ? $"sized folders in memory{files}" : $"not held in {unbounded}", files == "" ? "" : Sentence(CgroupLayout.Host.Memory.Remedy));
    }

    private static Task<SandboxResult> RunAsync(Sandbox sandbox, string script, SandboxLimits limits, CancellationToken token) =>
        sandbox.RunAsync(new SandboxCommand { Arguments = ["sh", "-c", script], Limits = limits with { Time = TimeSpan.FromSeconds(20) } }, null, token);

    private static SandboxFinding Judge(string name, bool holds, string good, string bad) =>
        holds ? new(name, SandboxFindingState.Ok, good) : new(name, SandboxFindingState.Missing, bad, "Do not run commands that you do not trust here; tell the maintainers, with the host's kernel and bubblewrap versions.");

    private static string Sentence(string remedy) => remedy == "" ? "" : $"To get it, {remedy}.";
}
