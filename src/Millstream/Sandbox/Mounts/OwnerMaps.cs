using System.Collections.Concurrent;

namespace Millstream;

/// <summary>
/// User namespaces that show the files of one host user as the sandboxed user's, for id-mapped mounts. Each is made once, by a short
/// helper process that sits in it until it is opened.
/// </summary>
internal static class OwnerMaps
{
    private static readonly ConcurrentDictionary<(uint User, uint Group, uint Inside), Lazy<Fd>> s_made = new();

    /// <summary>The namespace for an owner; never root's, since a command could then leave root's files behind.</summary>
    public static Fd Get(uint user, uint group, uint inside) => s_made.GetOrAdd((user, group, inside), key => new Lazy<Fd>(() => Make(key.User, key.Group, key.Inside))).Value;

    private static Fd Make(uint user, uint group, uint inside)
    {
        string unshare = Tools.Find("unshare") ?? throw new SandboxException("The program unshare is missing, which write mounts need when Millstream runs as root. Install it: apt-get install util-linux");
        (Fd read, Fd write) = Fd.Pipe();
        using Fd none = Fd.Null();
        using (read)
        using (write)
        {
            int helper = PosixSpawn.Start(unshare, ["unshare", "--user", "cat"], ["PATH=/usr/bin:/bin"], [read.Value, none.Value, none.Value]);
            try
            {
                return Open(helper, $"{user} {inside} 1", $"{group} {inside} 1");
            }
            finally
            {
                write.Dispose();
                Reaper.WaitFor(helper);
            }
        }
    }

    private static Fd Open(int helper, string users, string groups)
    {
        string? own = KernelFile.TryReadLink("/proc/self/ns/user");
        for (int tries = 0; tries < 20_000; tries++)
        {
            string? its = KernelFile.TryReadLink($"/proc/{helper}/ns/user");
            if (its is not null && its != own)
                break;
            _ = Libc.SleepMicroseconds(100);
        }
        if (KernelFile.TryWrite($"/proc/{helper}/uid_map", users) is not 0 and int error || KernelFile.TryWrite($"/proc/{helper}/gid_map", groups) is not 0 and int other && (error = other) != 0)
            throw new SandboxException($"The owner of a folder cannot be mapped ({users}: {Libc.Message(error)}). Run Millstream as the folder's owner instead of as root.");
        return Fd.Take(Libc.Open($"/proc/{helper}/ns/user", Libc.O_RDONLY | Libc.O_CLOEXEC), "open ns/user");
    }
}
