namespace Millstream;

/// <summary>
/// The lock files of runners. The system lets go of a lock when its process ends, however it ends, so a runner whose file can be locked is dead:
/// no heartbeats and no clocks.
/// </summary>
internal sealed class RunnerLocks(string folder) : IDisposable
{
    private readonly Dictionary<long, FileStream> _own = [];

    public bool Owns(long runner)
    {
        lock (_own)
            return _own.ContainsKey(runner);
    }

    public void Take(long runner)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        FileStream file = new(PathOf(runner), OwnerOnly(FileMode.OpenOrCreate));
        lock (_own)
            _own.Add(runner, file);
        if (!IsLocked(runner))
            throw new JournalStorageException($"Files in {folder} cannot be locked, so nobody could tell a living process from a dead one. "
                + "Put the journal on a local disk, and do not set DOTNET_SYSTEM_IO_DISABLEFILELOCKING.");
    }

    /// <summary>Whether no process has a runner. Called inside a write transaction, so that no two look at one file at a time and take each other for it.</summary>
    public bool IsDead(long runner) => !Owns(runner) && !IsLocked(runner);

    public void Release(long runner)
    {
        lock (_own)
        {
            if (_own.Remove(runner, out FileStream? file))
                file.Dispose();
        }
        Forget(runner);
    }

    /// <summary>Deletes the file of a dead runner. One that cannot be deleted does no harm.</summary>
    public void Forget(long runner)
    {
        try
        {
            File.Delete(PathOf(runner));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    public void Dispose()
    {
        long[] own;
        lock (_own)
            own = [.. _own.Keys];
        foreach (long runner in own)
            Release(runner);
    }

    public static FileStreamOptions OwnerOnly(FileMode mode)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    private bool IsLocked(long runner)
    {
        try
        {
            using FileStream file = new(PathOf(runner), OwnerOnly(FileMode.Open));
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException e) when (IsSharingViolation(e))
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalStorageException($"Nobody can tell whether runner {runner} lives, since {PathOf(runner)} cannot be opened: {e.Message} All processes on one journal must run as one user.", e);
        }
    }

    // EAGAIN of Linux and of macOS, and the two of Windows: what the runtime gives for FileShare.None.
    private static bool IsSharingViolation(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);

    private string PathOf(long runner) => Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{runner}.lock"));
}
