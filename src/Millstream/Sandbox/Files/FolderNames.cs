using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>What stands in an open folder, as bytes: a name need not be text.</summary>
internal static unsafe class FolderNames
{
    // Where the name begins in struct dirent.
    private const int NameOffset = 19;

    /// <summary>The names but <c>.</c> and <c>..</c>, in the order of the file system; at most so many.</summary>
    public static List<byte[]> Of(Fd folder, int most)
    {
        List<byte[]> names = [];
        // A descriptor of its own, since closing the listing closes it.
        using Fd? again = OpenBeneath.Try(folder, ".", Libc.O_RDONLY | Libc.O_DIRECTORY);
        nint listing = again is null ? 0 : Libc.OpenFolder(again.Value);
        if (listing == 0)
            return names;
        again!.Release();
        for (byte* entry = Libc.ReadFolder(listing); entry != null && names.Count < most; entry = Libc.ReadFolder(listing))
        {
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name.ToArray());
        }
        Libc.CloseFolder(listing);
        return names;
    }
}
