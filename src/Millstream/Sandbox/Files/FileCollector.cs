using System.Security.Cryptography;
using System.Text;

namespace Millstream;

/// <summary>Reads the files that a command left in /work, after all of its processes are gone. Everything it meets is hostile.</summary>
internal sealed class FileCollector(Glob glob, long bytes)
{
    // Empty files cost no disk: their number is bounded too, as is how deep folders are walked.
    private const int MostFiles = 10_000, MostEntries = 200_000, Deepest = 64;

    private readonly List<SandboxFile> _files = [];
    private long _left = bytes;
    private int _entries;

    /// <summary>Whether something that matched was left out.</summary>
    public bool Truncated { get; private set; }

    public IReadOnlyList<SandboxFile> Collect(Fd work)
    {
        Walk(work, [], 0);
        _files.Sort((a, b) => a.RawPath.Span.SequenceCompareTo(b.RawPath.Span));
        return _files;
    }

    private void Walk(Fd folder, byte[] path, int depth)
    {
        foreach (byte[] name in FolderNames.Of(folder, MostEntries + 1))
        {
            if (++_entries > MostEntries || _files.Count >= MostFiles || depth > Deepest)
            {
                Truncated = true;
                return;
            }
            // Not blocking: opening a pipe would wait for a writer that never comes.
            using Fd? entry = OpenBeneath.Try(folder, name, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK);
            if (entry is null)
                continue;
            byte[] full = path.Length == 0 ? name : [.. path, (byte)'/', .. name];
            Libc.FileStatus status = entry.Status();
            if (status.IsFolder)
                Walk(entry, full, depth + 1);
            else if (status.IsRegular && glob.Matches(Encoding.UTF8.GetString(full)))
                Take(entry, full, status);
        }
    }

    private void Take(Fd file, byte[] path, Libc.FileStatus status)
    {
        if (status.Size > (ulong)_left || status.Size > (ulong)Array.MaxLength)
        {
            Truncated = true;
            return;
        }
        byte[] content = Read(file, (int)status.Size);
        _left -= content.Length;
        _files.Add(new SandboxFile(Encoding.UTF8.GetString(path), path, content, Convert.ToHexStringLower(SHA256.HashData(content)), status.Mode & 0x1FF));
    }

    private static unsafe byte[] Read(Fd file, int size)
    {
        byte[] content = new byte[size];
        fixed (byte* start = content)
        {
            for (int done = 0; done < size;)
            {
                nint read = Libc.Read(file.Value, start + done, size - done);
                if (read < 0 && Libc.Errno == Libc.EINTR)
                    continue;
                if (read <= 0)
                    return content[..done];
                done += (int)read;
            }
        }
        return content;
    }
}
