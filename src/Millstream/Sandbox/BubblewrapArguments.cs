using System.Globalization;

namespace Millstream;

/// <summary>The options that make a sandbox. They go through a file in memory, since a command line is read by every user of the host.</summary>
internal static class BubblewrapArguments
{
    /// <summary>A symlink in the sandbox's root that names its run: seen through /proc, it tells that all mounts are in place.</summary>
    public const string Marker = "/.sandbox";

    private static readonly string[] s_systemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    // None but what dynamic linking and Debian's alternatives need: /etc holds secrets and names.
    private static readonly string[] s_systemFiles = ["/etc/alternatives", "/etc/ld.so.cache"];

    private static readonly Lazy<IReadOnlyList<string>> s_system = new(() => [.. System()]);

    public static IEnumerable<string> Make(SandboxCommand command, string marker, IReadOnlyList<string> mounts, int status, int block, int? seccomp)
    {
        string size = command.Limits.Disk.ToString(CultureInfo.InvariantCulture);
        List<string> options =
        [
            "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--hostname", "sandbox",
            "--json-status-fd", status.ToString(CultureInfo.InvariantCulture), "--block-fd", block.ToString(CultureInfo.InvariantCulture),
            .. s_system.Value,
            "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev",
            "--perms", "0755", "--size", size, "--tmpfs", "/work", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm", "--symlink", "dev/shm", "/tmp",
            .. mounts,
            "--symlink", marker, Marker, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work",
            "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/work", "--setenv", "LANG", "C.UTF-8",
        ];
        foreach ((string name, string value) in command.Environment)
            options.AddRange(["--setenv", name, value]);
        if (seccomp is { } filter)
            options.AddRange(["--seccomp", filter.ToString(CultureInfo.InvariantCulture)]);
        return options;
    }

    private static IEnumerable<string> System()
    {
        yield return "--ro-bind";
        yield return "/usr";
        yield return "/usr";
        foreach (string folder in s_systemFolders.Where(Directory.Exists))
        {
            string? target = new DirectoryInfo(folder).LinkTarget;
            yield return target is null ? "--ro-bind" : "--symlink";
            yield return target ?? folder;
            yield return folder;
        }
        foreach (string file in s_systemFiles.Where(Path.Exists))
        {
            yield return "--ro-bind";
            yield return file;
            yield return file;
        }
    }
}
