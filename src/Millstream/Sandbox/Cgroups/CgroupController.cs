namespace Millstream;

/// <summary>One controller, as far as this process may use it.</summary>
/// <param name="Name">As the kernel calls it: memory, pids, cpu.</param>
/// <param name="Version">1 or 2; 0 where it cannot be used.</param>
/// <param name="Folder">The group in which groups of sandboxes are made; null where it cannot be used.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">How to get it, where it is missing.</param>
internal sealed record CgroupController(string Name, int Version, string? Folder, string Detail, string Remedy)
{
    private const string BySystemd = "start the runner in a group of its own: systemd-run --user --scope -p Delegate=yes millstream …, or as root";
    private const string AsUser = "start the runner as root, or ask who runs the host for a group of version 2 that is delegated to this user";
    private const string AsRoot = "mount the controller (cgroup version 2: a kernel and container that delegate it), or ask who runs the host";

    /// <summary>Looks for it, and tries it by making a group and taking it away again.</summary>
    public static CgroupController Find(string name, CgroupMounts mounts, bool isRoot, string probe)
    {
        bool isDelegated = mounts.Mounts.TryGetValue(CgroupMounts.Unified, out string? unified) && Has(unified, "cgroup.controllers", name);
        string remedy = Remedied(isRoot, Directory.Exists("/run/systemd/system"), isDelegated);
        List<string> reasons = [];
        if (mounts.Own.TryGetValue(name, out string? own))
        {
            if (TryGroup(own, probe, group => true) is not { } reason)
                return new CgroupController(name, 1, own, $"cgroup version 1 at {own}", "");
            reasons.Add(reason);
        }
        foreach (string folder in Candidates(mounts, isRoot))
        {
            if (!Has(folder, "cgroup.controllers", name))
                reasons.Add($"{folder} does not have it");
            else if (Delegate(folder, name) is { } reason || TryGroup(folder, probe, group => Has(group, "cgroup.controllers", name)) is { } failed && (reason = failed) != "")
                reasons.Add(reason);
            else
                return new CgroupController(name, 2, folder, $"cgroup version 2 at {folder}", "");
        }
        return new CgroupController(name, 0, null, reasons.Count == 0 ? "no cgroup file system is mounted" : string.Join("; ", reasons), remedy);
    }

    /// <summary>What to do about a controller that is missing.</summary>
    /// <param name="isRoot">Whether this process is root.</param>
    /// <param name="hasSystemd">Whether systemd runs the host.</param>
    /// <param name="isUnified">Whether cgroup version 2 has the controller: what systemd delegates to a user is of that version.</param>
    internal static string Remedied(bool isRoot, bool hasSystemd, bool isUnified) => isRoot ? AsRoot : hasSystemd && isUnified ? BySystemd : AsUser;

    private static IEnumerable<string> Candidates(CgroupMounts mounts, bool isRoot)
    {
        if (!mounts.Mounts.TryGetValue(CgroupMounts.Unified, out string? mount))
            return [];
        string own = mounts.Own.GetValueOrDefault(CgroupMounts.Unified, mount);
        // A runner that moved into its leaf earlier owns the group above it.
        if (Path.GetFileName(own) == Leaf)
            own = Path.GetDirectoryName(own)!;
        return isRoot && own != mount ? [own, mount] : [own];
    }

    private const string Leaf = "millstream.runner";

    // Version 2 gives controllers to child groups only where the group itself has no processes: ours moves into a leaf, if it is alone.
    private static string? Delegate(string folder, string name)
    {
        string control = $"{folder}/cgroup.subtree_control";
        if (Has(folder, "cgroup.subtree_control", name))
            return null;
        int error = KernelFile.TryWrite(control, $"+{name}");
        if (error == Libc.EBUSY && KernelFile.TryRead($"{folder}/cgroup.procs")?.Trim() == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture))
        {
            _ = Libc.MakeFolder($"{folder}/{Leaf}", 0x1ED);
            error = KernelFile.TryWrite($"{folder}/{Leaf}/cgroup.procs", "0");
            error = error == 0 ? KernelFile.TryWrite(control, $"+{name}") : error;
        }
        return error == 0 ? null : $"{control} cannot be written ({Libc.Message(error)})";
    }

    private static string? TryGroup(string folder, string probe, Func<string, bool> works)
    {
        string group = $"{folder}/{probe}";
        if (Libc.MakeFolder(group, 0x1ED) != 0 && Libc.Errno != Libc.EEXIST)
            return $"no group can be made in {folder} ({Libc.Message(Libc.Errno)})";
        bool good = works(group);
        _ = Libc.RemoveFolder(group);
        return good ? null : $"a group in {folder} does not get it";
    }

    private static bool Has(string folder, string file, string name) =>
        KernelFile.TryRead($"{folder}/{file}")?.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Contains(name) == true;
}
