namespace Millstream;

/// <summary>Puts files into /work while the sandbox waits to start.</summary>
internal static class WorkFolder
{
    private const uint FolderMode = 0x1ED, PlainMode = 0x1A4, ProgramMode = 0x1ED;

    /// <summary>Writes them as the sandboxed user: its folder takes no other's files, root's least of all.</summary>
    public static void Write(Fd work, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, uint? user)
    {
        // These two belong to the thread; nothing is awaited until they are set back.
        int group = user is { } id ? Libc.SetFileGroup(id) : 0;
        int before = user is { } same ? Libc.SetFileUser(same) : 0;
        try
        {
            foreach ((string path, ReadOnlyMemory<byte> content) in files)
                WriteOne(work, path, content.Span);
        }
        finally
        {
            if (user is not null)
            {
                _ = Libc.SetFileUser((uint)before);
                _ = Libc.SetFileGroup((uint)group);
            }
        }
    }

    private static void WriteOne(Fd work, string path, ReadOnlySpan<byte> content)
    {
        string[] parts = path.Split('/');
        Fd folder = work;
        try
        {
            foreach (string part in parts[..^1])
            {
                if (Libc.MakeFolderAt(folder.Value, part, FolderMode) != 0 && Libc.Errno != Libc.EEXIST)
                    throw Failed(path);
                Fd next = OpenBeneath.Try(folder, part, Libc.O_RDONLY | Libc.O_DIRECTORY) ?? throw Failed(path);
                if (folder != work)
                    folder.Dispose();
                folder = next;
            }
            bool isProgram = content.StartsWith("#!"u8) || content.StartsWith("\u007fELF"u8);
            using Fd file = OpenBeneath.Try(folder, parts[^1], Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL, PlainMode) ?? throw Failed(path);
            file.WriteAll(content);
            _ = Libc.ChangeMode(file.Value, isProgram ? ProgramMode : PlainMode);
        }
        catch (NativeException e)
        {
            throw new SandboxException($"The file {path} cannot be put into /work ({e.Message}). If the folder is full, raise SandboxLimits.Disk.", e);
        }
        finally
        {
            if (folder != work)
                folder.Dispose();
        }
    }

    private static NativeException Failed(string path) => new($"open {path}", Libc.Errno);
}
