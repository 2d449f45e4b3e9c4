using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>Makes names durable: that a new file or folder is in its folder is on disk only after a sync of that folder.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0, NoPermission = 13, NotSupported = 22;

    /// <summary>Syncs a folder and those above it. A folder that this user may not read, and a file system that syncs no folders, are passed over.</summary>
    /// <exception cref="IOException">A sync failed, so nobody knows whether the names are on disk.</exception>
    public static void WithParents(string folder)
    {
        // Windows has no such call: there a file's name is as durable as the file.
        if (OperatingSystem.IsWindows())
            return;
        for (string? one = folder; one is not null; one = Path.GetDirectoryName(one))
            Sync(one);
    }

    private static void Sync(string folder)
    {
        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            Check(folder);
            return;
        }
        if (Sync(descriptor) != 0)
            Check(folder);
        _ = Close(descriptor);
    }

    private static void Check(string folder)
    {
        int error = Marshal.GetLastPInvokeError();
        if (error is not (NoPermission or NotSupported))
            throw new IOException($"The folder {folder} cannot be synced: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
