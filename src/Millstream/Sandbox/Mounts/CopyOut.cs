namespace Millstream;

/// <summary>
/// A write mount of a folder that belongs to root: the command writes to an empty folder of its own, and its regular files are copied to
/// the host when all of its processes are gone. So nothing that runs inside ever holds a right of root's.
/// </summary>
internal sealed class CopyOut(SandboxMount mount, Fd host) : IDisposable
{
    private Fd? _inside;

    /// <summary>Opens the folder inside, while the sandbox waits to start; it stays readable after the end.</summary>
    public void Open(string root) => _inside = Fd.TryTake(Libc.Open(root + mount.Path, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC))
        ?? throw new SandboxException($"The folder {mount.Path} of the sandbox cannot be opened ({Libc.Message(Libc.Errno)}).");

    /// <summary>Copies, without set-uid bits, symlinks or devices; false where there was more than the limit lets through.</summary>
    public bool Copy(long most)
    {
        FileCollector collector = new(new Glob(["**"]), most);
        foreach (SandboxFile file in collector.Collect(_inside!))
        {
            try
            {
                FileWriter.Write(host, file.RawPath.Span, file.Bytes.Span, (file.Mode & 0x40) != 0 ? FileWriter.ProgramMode : FileWriter.PlainMode, replace: true);
            }
            catch (NativeException e)
            {
                throw new SandboxException($"The file {file.Path} cannot be copied to {mount.HostPath} ({e.Message}). Look for a symlink or a folder of that name there, and for free space.", e);
            }
        }
        return !collector.Truncated;
    }

    public void Dispose()
    {
        _inside?.Dispose();
        host.Dispose();
    }
}
