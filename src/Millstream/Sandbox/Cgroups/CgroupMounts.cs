namespace Millstream;

/// <summary>Where the controllers of this host are: a hybrid host has some under version 1 and others under version 2, or none.</summary>
/// <param name="Mounts">Mount points by controller; version 2 under the empty name.</param>
/// <param name="Own">This process's group below those mount points, by the same names.</param>
internal sealed record CgroupMounts(IReadOnlyDictionary<string, string> Mounts, IReadOnlyDictionary<string, string> Own)
{
    public const string Unified = "";

    /// <summary>Reads /proc/self/mountinfo and /proc/self/cgroup.</summary>
    public static CgroupMounts Parse(string mountinfo, string cgroup)
    {
        Dictionary<string, string> mounts = [], roots = [], own = [];
        foreach (string line in mountinfo.Split('\n'))
        {
            string[] halves = line.Split(" - ");
            string[] left = halves[0].Split(' ');
            string[] right = halves.Length > 1 ? halves[1].Split(' ') : [];
            if (left.Length < 5 || right.Length < 3 || right[0] is not ("cgroup" or "cgroup2"))
                continue;
            foreach (string name in right[0] == "cgroup2" ? [Unified] : right[2].Split(','))
            {
                mounts[name] = left[4];
                roots[name] = left[3];
            }
        }
        foreach (string line in cgroup.Split('\n'))
        {
            string[] parts = line.Split(':', 3);
            foreach (string name in parts.Length == 3 ? parts[1].Split(',') : [])
            {
                if (mounts.TryGetValue(name, out string? mount))
                    own[name] = Below(mount, roots[name], parts[2]);
            }
        }
        return new CgroupMounts(mounts, own);
    }

    // In a container the mount shows a part of the tree only, and the path is counted from the whole tree's root.
    private static string Below(string mount, string root, string path)
    {
        if (root != "/" && (path == root || path.StartsWith(root + "/", StringComparison.Ordinal)))
            path = path[root.Length..];
        string full = mount + (path == "/" || path.StartsWith("/..", StringComparison.Ordinal) ? "" : path);
        return Directory.Exists(full) ? full : mount;
    }
}
