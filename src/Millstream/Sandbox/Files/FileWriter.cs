using System.Text;

namespace Millstream;

/// <summary>Writes files below an open folder, so that no symlink on the way leads out of it.</summary>
internal static unsafe class FileWriter
{
    public const uint PlainMode = 0x1A4, ProgramMode = 0x1ED;
    private const uint FolderMode = 0x1ED;

    /// <summary>Writes one, with the folders above it; what is there before is replaced only if told so.</summary>
    public static void Write(Fd root, ReadOnlySpan<byte> path, ReadOnlySpan<byte> content, uint mode, bool replace)
    {
        Fd folder = root;
        try
        {
            for (int slash = path.IndexOf((byte)'/'); slash >= 0; slash = path.IndexOf((byte)'/'))
            {
                Fd next = Enter(folder, path[..slash]);
                if (folder != root)
                    folder.Dispose();
                folder = next;
                path = path[(slash + 1)..];
            }
            int flags = Libc.O_WRONLY | Libc.O_CREAT | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | (replace ? Libc.O_TRUNC : Libc.O_EXCL);
            using Fd file = OpenBeneath.Try(folder, path, flags, PlainMode) ?? throw Failed(path);
            file.WriteAll(content);
            _ = Libc.ChangeMode(file.Value, mode);
        }
        finally
        {
            if (folder != root)
                folder.Dispose();
        }
    }

    /// <summary>Opens a folder in a folder, made where there is none.</summary>
    public static Fd Enter(Fd folder, ReadOnlySpan<byte> name)
    {
        byte[] terminated = [.. name, 0];
        fixed (byte* path = terminated)
        {
            if (Libc.MakeFolderAt(folder.Value, path, FolderMode) != 0 && Libc.Errno != Libc.EEXIST)
                throw Failed(name);
        }
        return OpenBeneath.Try(folder, name, Libc.O_RDONLY | Libc.O_DIRECTORY) ?? throw Failed(name);
    }

    private static NativeException Failed(ReadOnlySpan<byte> name) => new($"open {Encoding.UTF8.GetString(name)}", Libc.Errno);
}
