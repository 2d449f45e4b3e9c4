using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>Detached copies of host folders: mounts that no path leads to until they are staged.</summary>
internal static unsafe class MountTree
{
    private const long OpenTree = 428, SetAttributes = 442;
    private const int CloneTree = 1, CloseOnExec = Libc.O_CLOEXEC, Recursive = 0x8000;
    private const ulong ReadOnly = 1, NoSuid = 2, NoDevices = 4, IdMap = 0x100000;

    [StructLayout(LayoutKind.Sequential)]
    private struct MountAttributes
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }

    /// <summary>Copies the mount below an open folder or file, with the mounts inside it if told so.</summary>
    public static Fd Clone(Fd host, bool recursive)
    {
        byte empty = 0;
        long flags = CloneTree | CloseOnExec | Libc.AtEmptyPath | (recursive ? Recursive : 0);
        return Fd.Take(Libc.Call(OpenTree, host.Value, (long)&empty, flags), "open_tree");
    }

    /// <summary>Makes it read-only, or shows the files of one owner as another's.</summary>
    public static void Restrict(Fd tree, bool readOnly, Fd? userNamespace)
    {
        MountAttributes attributes = new()
        {
            Set = NoSuid | NoDevices | (readOnly ? ReadOnly : 0) | (userNamespace is null ? 0 : IdMap),
            UserNamespace = userNamespace is null ? 0 : (ulong)userNamespace.Value,
        };
        byte empty = 0;
        long flags = Libc.AtEmptyPath | (userNamespace is null ? Recursive : 0);
        if (Libc.Call(SetAttributes, tree.Value, (long)&empty, flags, (long)&attributes, sizeof(MountAttributes)) != 0)
            throw new NativeException("mount_setattr", Libc.Errno);
    }
}
