using System.Text;

namespace Millstream;

/// <summary>Puts files into /work while the sandbox waits to start.</summary>
internal static class WorkFolder
{
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
        bool isProgram = content.StartsWith("#!"u8) || content.StartsWith("\u007fELF"u8);
        try
        {
            FileWriter.Write(work, Encoding.UTF8.GetBytes(path), content, isProgram ? FileWriter.ProgramMode : FileWriter.PlainMode, replace: false);
        }
        catch (NativeException e)
        {
            throw new SandboxException($"The file {path} cannot be put into /work ({e.Message}). If the folder is full, raise SandboxLimits.Disk.", e);
        }
    }
}
