using System.Globalization;

namespace Millstream;

/// <summary>
/// A folder in the spawner's private mount namespace, where host folders stand while a sandbox starts. What lies below a folder that
/// only root may enter can so be given to a command that is not root. The host never sees it and it ends with the process.
/// </summary>
internal sealed class Stage
{
    private const int NewMounts = 0x20000, DetachLazily = 2;
    private const ulong NoSuid = 2, NoDevices = 4, Recursive = 0x4000, Slave = 1 << 19;
    private const long MoveMount = 429, FromEmptyPath = 4;
    // Hidden below the stage from then on, but for this thread only; the first few hold nothing that a start needs.
    private static readonly string[] s_places = ["/sys/kernel/debug", "/sys/fs/pstore", "/media", "/srv", "/mnt", "/tmp"];

    private readonly string _root;
    private long _made;

    private Stage(string root) => _root = root;

    /// <summary>Makes it for the calling thread, for good; null where that is not allowed.</summary>
    public static Stage? TryMake()
    {
        if (!OperatingSystem.IsLinux() || Libc.UserId() != 0 || Libc.Unshare(NewMounts) != 0)
            return null;
        // Slave: mounts that the host makes later are still seen here, none of ours are seen there.
        if (Libc.Mount("none", "/", null, Recursive | Slave, null) != 0)
            return null;
        string? root = s_places.FirstOrDefault(place => Directory.Exists(place) && Libc.Mount("millstream", place, "tmpfs", NoSuid | NoDevices, "mode=0711,size=1m") == 0);
        return root is null ? null : new Stage(root);
    }

    /// <summary>A new empty folder, open to the sandboxed user on the way through.</summary>
    public string MakeFolder()
    {
        string path = $"{_root}/{(++_made).ToString(CultureInfo.InvariantCulture)}";
        if (Libc.MakeFolder(path, 0x1C9) != 0)
            throw new NativeException($"mkdir {path}", Libc.Errno);
        return path;
    }

    /// <summary>Puts a detached mount on the stage and gives its path.</summary>
    public unsafe string Attach(Fd tree, bool isFolder)
    {
        string path = MakeFolder() + "/m";
        if (isFolder)
            _ = Libc.MakeFolder(path, 0x1C9);
        else
            Fd.Take(Libc.Open(path, Libc.O_CREAT | Libc.O_WRONLY | Libc.O_CLOEXEC, 0x1A4), "open").Dispose();
        byte[] target = System.Text.Encoding.UTF8.GetBytes(path + "\0");
        byte empty = 0;
        fixed (byte* to = target)
        {
            if (Libc.Call(MoveMount, tree.Value, (long)&empty, Libc.AtCurrentFolder, (long)to, FromEmptyPath) != 0)
                throw new NativeException($"move_mount to {path}", Libc.Errno);
        }
        return path;
    }

    /// <summary>Takes a staged mount away; sandboxes that have it keep it.</summary>
    public static void Detach(string path)
    {
        _ = Libc.Unmount(path, DetachLazily);
        if (Libc.RemoveFolder(path) != 0)
            File.Delete(path);
        _ = Libc.RemoveFolder(Path.GetDirectoryName(path)!);
    }
}
