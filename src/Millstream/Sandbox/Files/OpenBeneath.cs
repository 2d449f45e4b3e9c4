using System.Runtime.InteropServices;
using System.Text;

namespace Millstream;

/// <summary>Opens names inside a sandbox's folder so that nothing a command left there (a symlink, a mount, "..") leads out of it.</summary>
internal static unsafe class OpenBeneath
{
    private const long OpenAt2 = 437;
    private const ulong NoOtherMount = 1, NoMagicLinks = 2, NoSymlinks = 4, Beneath = 8;

    [StructLayout(LayoutKind.Sequential)]
    private struct How
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>Opens it, or gives null and leaves the error in <see cref="Libc.Errno"/>.</summary>
    public static Fd? Try(Fd folder, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        Span<byte> terminated = stackalloc byte[Math.Min(name.Length, 4095) + 1];
        name[..(terminated.Length - 1)].CopyTo(terminated);
        terminated[^1] = 0;
        How how = new() { Flags = (ulong)(uint)(flags | Libc.O_CLOEXEC), Mode = mode, Resolve = NoOtherMount | NoMagicLinks | NoSymlinks | Beneath };
        fixed (byte* path = terminated)
            return Fd.TryTake(Libc.Call(OpenAt2, folder.Value, (long)path, (long)&how, sizeof(How)));
    }

    public static Fd? Try(Fd folder, string name, int flags, uint mode = 0) => Try(folder, Encoding.UTF8.GetBytes(name), flags, mode);
}
