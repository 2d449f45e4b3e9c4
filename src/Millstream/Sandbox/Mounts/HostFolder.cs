namespace Millstream;

/// <summary>A host folder as the runner finds it, and under which rules root hands it to a command that is not root.</summary>
internal static class HostFolder
{
    public static Fd Open(SandboxMount mount)
    {
        if (Fd.TryTake(Libc.Open(mount.HostPath, Libc.O_PATH | Libc.O_CLOEXEC)) is { } host)
            return host;
        int error = Libc.Errno;
        throw new SandboxException(error switch
        {
            Libc.ENOENT or Libc.ENOTDIR => $"The host folder {mount.HostPath} (mount {mount.Path}) does not exist. Make it, or correct the mount's host path.",
            Libc.EACCES => $"The host folder {mount.HostPath} (mount {mount.Path}) cannot be reached by the user who runs Millstream: a folder above it is closed. Open it (chmod o+x), or run as its owner.",
            _ => $"The host folder {mount.HostPath} (mount {mount.Path}) cannot be opened: {Libc.Message(error)}.",
        });
    }

    /// <summary>
    /// Root's own right to read is never lent: the command reads what the permission bits give to everyone, or, in a folder of an
    /// ordinary user, what they give to its owner.
    /// </summary>
    public static (Fd Tree, bool IsFolder) PlanAsRoot(SandboxMount mount, uint inside)
    {
        using Fd host = Open(mount);
        Libc.FileStatus status = host.Status();
        bool write = mount.Access == SandboxAccess.Write;
        int needed = status.IsFolder ? 5 : 4;
        bool isOpen = status.User == inside || (status.Mode & needed) == needed;
        if (!write && !isOpen && status.User == 0)
            throw new SandboxException($"The host folder {mount.HostPath} can be read by root only, and a sandbox never reads as root. Open it (chmod -R o+rX {mount.HostPath}), or run Millstream as an ordinary user who owns it.");
        if (write && status.User == 0)
            throw new SandboxException($"The host file {mount.HostPath} belongs to root and a sandbox never writes root's files. Give it to an ordinary user (chown), or mount its folder.");
        bool map = status.User != inside && (write || !isOpen);
        Fd tree = Call(() => MountTree.Clone(host, recursive: !map), mount);
        try
        {
            Call(() => Restrict(tree, !write, map ? OwnerMaps.Get(status.User, status.Group, inside) : null), mount);
            return (tree, status.IsFolder);
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>A folder of root's that is mounted for writing is copied to; null for every other mount.</summary>
    public static CopyOut? TryCopyOut(SandboxMount mount)
    {
        using Fd host = Open(mount);
        Libc.FileStatus status = host.Status();
        if (mount.Access != SandboxAccess.Write || status.User != 0 || !status.IsFolder)
            return null;
        return new CopyOut(mount, Fd.Take(Libc.Open($"/proc/self/fd/{host.Value}", Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC), "open"));
    }

    private static bool Restrict(Fd tree, bool readOnly, Fd? owner)
    {
        MountTree.Restrict(tree, readOnly, owner);
        return true;
    }

    private static T Call<T>(Func<T> call, SandboxMount mount)
    {
        try
        {
            return call();
        }
        catch (NativeException e)
        {
            throw new SandboxException($"The host folder {mount.HostPath} cannot be mounted ({e.Message}). Its file system or kernel does not take mounts of this kind; run Millstream as an ordinary user, or use a folder elsewhere.", e);
        }
    }
}
