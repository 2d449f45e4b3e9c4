using System.Globalization;

namespace Millstream;

/// <summary>The controllers that sandboxes of this process use, and the names of their groups.</summary>
internal sealed class CgroupLayout
{
    private const string Prefix = "millstream";

    // The pid namespace is in it, since a runner in another container may share the tree and has numbers of its own.
    private static readonly string s_runner = $"{Prefix}.{PidNamespace()}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}.{StartOf(Environment.ProcessId)}";
    private static readonly Lazy<CgroupLayout> s_host = new(() => Detect(CgroupMounts.Parse(KernelFile.TryRead("/proc/self/mountinfo") ?? "", KernelFile.TryRead("/proc/self/cgroup") ?? "")));
    private static long s_made;

    internal CgroupLayout(CgroupController memory, CgroupController processes, CgroupController cpu)
    {
        Memory = memory;
        Processes = processes;
        Cpu = cpu;
    }

    /// <summary>This host's; the first use also removes what dead runners left.</summary>
    public static CgroupLayout Host => s_host.Value;

    public CgroupController Memory { get; }

    public CgroupController Processes { get; }

    public CgroupController Cpu { get; }

    /// <summary>A name that no other run has, by which what is left of it is found after a crash.</summary>
    public static string NameRun(LeaseEpoch epoch) => $"{s_runner}.{epoch}.{Interlocked.Increment(ref s_made).ToString(CultureInfo.InvariantCulture)}";

    private static CgroupLayout Detect(CgroupMounts mounts)
    {
        bool isRoot = Libc.UserId() == 0;
        CgroupController Find(string name) => CgroupController.Find(name, mounts, isRoot, $"{s_runner}.probe");
        CgroupLayout layout = new(Find("memory"), Find("pids"), Find("cpu"));
        foreach (string folder in new[] { layout.Memory.Folder, layout.Processes.Folder }.OfType<string>().Distinct())
            RemoveLeftovers(folder);
        return layout;
    }

    private static void RemoveLeftovers(string folder)
    {
        foreach (string group in Directory.EnumerateDirectories(folder, $"{Prefix}.*"))
        {
            string[] parts = Path.GetFileName(group).Split('.');
            bool isOurs = parts.Length > 4 && parts[1] == PidNamespace() && int.TryParse(parts[2], out int runner) && StartOf(runner) != parts[3];
            if (!isOurs)
                continue;
            foreach (string line in (KernelFile.TryRead($"{group}/cgroup.procs") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using Fd? process = int.TryParse(line, out int number) ? Reaper.TryOpen(number) : null;
                if (process is null)
                    continue;
                Reaper.Signal(process, Libc.SIGKILL);
                Reaper.HasEnded(process, 1000);
            }
            // What does not go now is found again by the next start.
            _ = Libc.RemoveFolder(group);
        }
    }

    private static string PidNamespace()
    {
        string link = KernelFile.TryReadLink("/proc/self/ns/pid") ?? "pid:[0]";
        return link[(link.IndexOf('[') + 1)..^1];
    }

    // When a process started, in ticks since boot: with its number it names it for good.
    private static string StartOf(int process)
    {
        string? status = KernelFile.TryRead($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
        return status?[(status.LastIndexOf(')') + 2)..].Split(' ')[19] ?? "gone";
    }
}
