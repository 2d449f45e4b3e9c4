using System.Security.Cryptography;
using System.Text;

namespace Millstream;

/// <summary>
/// A folder whose files are read, written and listed for somebody who must get nothing outside of it: no symlink, mount, device, pipe or race on the way leads out.
/// What fails throws a <see cref="NativeException"/> or a <see cref="NotInsideException"/>. Linux only.
/// </summary>
internal sealed unsafe class InnerFolder : IDisposable
{
    private const int MostLevels = 32;
    private const uint DoNotReplace = 1;

    private readonly Fd _folder;

    private InnerFolder(Fd folder) => _folder = folder;

    /// <summary>Opens a folder that is trusted, links on the way and all.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="inner">Names of a folder in it, which is opened as everything inside is.</param>
    /// <param name="make">Whether inner folders are made where there are none.</param>
    public static InnerFolder Open(string path, IReadOnlyList<string> inner, bool make = false)
    {
        using Fd outer = Fd.Take(Libc.Open(path, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC), $"open {path}");
        return new InnerFolder(Descend(outer, inner, make));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The bytes of a file; null where there are more than so many.</summary>
    public byte[]? Read(IReadOnlyList<string> names, long most)
    {
        // First without opening it: to open a device can be to use it.
        using (Fd looked = Open(_folder, string.Join('/', names), Libc.O_PATH))
            CheckRegular(looked);
        using Fd file = Open(_folder, string.Join('/', names), Libc.O_RDONLY | Libc.O_NONBLOCK);
        CheckRegular(file);
        using MemoryStream all = new();
        byte[] buffer = new byte[64 * 1024];
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint read = Libc.Read(file.Value, start, buffer.Length);
                if (read < 0 && Libc.Errno == Libc.EINTR)
                    continue;
                if (read < 0)
                    throw new NativeException("read", Libc.Errno);
                if (read == 0)
                    return all.ToArray();
                if (all.Length + read > most)
                    return null;
                all.Write(buffer, 0, (int)read);
            }
        }
    }

    /// <summary>Writes a file whole: beside its place and then renamed, so that a link there is replaced and never followed. Folders on the way are made.</summary>
    /// <param name="names">Its path.</param>
    /// <param name="content">What it holds from then on.</param>
    /// <param name="replace">Whether a file that is there is replaced.</param>
    /// <param name="others">Files that are not to be replaced, by absolute path.</param>
    public void Write(IReadOnlyList<string> names, ReadOnlySpan<byte> content, bool replace, IReadOnlyList<string> others)
    {
        using Fd folder = Descend(_folder, [.. names.Take(names.Count - 1)], make: true);
        uint mode = FileWriter.PlainMode;
        using (Fd? there = OpenBeneath.Try(folder, names[^1], Libc.O_PATH))
        {
            if (there is null && Libc.Errno != Libc.ENOENT)
                throw new NativeException("open", Libc.Errno);
            if (there is not null)
                mode = ModeOf(there, replace, others);
        }
        if (PathOf(folder) is { } path && others.Contains($"{path}/{names[^1]}"))
            throw new NotInsideException("is one of the agent's own files");
        byte[] temporary = Name($".millstream-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}"), target = Name(names[^1]);
        fixed (byte* from = temporary, to = target)
        {
            try
            {
                using (Fd file = OpenBeneath.Try(folder, temporary.AsSpan(0, temporary.Length - 1), Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL, FileWriter.PlainMode) ?? throw new NativeException("open", Libc.Errno))
                {
                    file.WriteAll(content);
                    if (mode != FileWriter.PlainMode)
                        _ = Libc.ChangeMode(file.Value, mode);
                    if (Libc.Flush(file.Value) != 0)
                        throw new NativeException("fsync", Libc.Errno);
                }
                if (Libc.RenameAt(folder.Value, from, folder.Value, to, replace ? 0 : DoNotReplace) != 0)
                    throw new NativeException("rename", Libc.Errno);
            }
            catch
            {
                _ = Libc.RemoveAt(folder.Value, from, 0);
                throw;
            }
        }
    }

    /// <summary>What stands in a folder, with the folders in it so many levels down, by name; nothing behind links.</summary>
    /// <param name="names">Its path; none for this one.</param>
    /// <param name="levels">1 for the folder alone.</param>
    /// <param name="most">How many entries at most.</param>
    /// <param name="isTruncated">Whether there are more.</param>
    public IReadOnlyList<InnerEntry> List(IReadOnlyList<string> names, int levels, int most, out bool isTruncated)
    {
        using Fd folder = Descend(_folder, names, make: false);
        List<InnerEntry> entries = [];
        isTruncated = Walk(folder, "", levels, most, entries);
        entries.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return entries;
    }

    private static bool Walk(Fd folder, string path, int levels, int most, List<InnerEntry> entries)
    {
        bool isTruncated = false;
        foreach (byte[] name in FolderNames.Of(folder, most - entries.Count + 1))
        {
            if (entries.Count >= most)
                return true;
            byte[] terminated = [.. name, 0];
            Libc.FileStatus status;
            fixed (byte* start = terminated)
            {
                // Gone in the meantime.
                if (Libc.Status(folder.Value, start, Libc.AtNoFollow, 0x7ff, &status) != 0)
                    continue;
            }
            string full = path + Encoding.UTF8.GetString(name);
            entries.Add(new InnerEntry(full, status.IsFolder ? "folder" : status.IsRegular ? "file" : (status.Mode & 0xF000) == 0xA000 ? "link" : "other", (long)status.Size));
            if (!status.IsFolder || levels <= 1)
                continue;
            using Fd? inner = OpenBeneath.Try(folder, name, Libc.O_RDONLY | Libc.O_DIRECTORY);
            isTruncated |= inner is not null && Walk(inner, full + "/", levels - 1, most, entries);
        }
        return isTruncated;
    }

    private static Fd Descend(Fd folder, IReadOnlyList<string> names, bool make)
    {
        if (names.Count > MostLevels)
            throw new NotInsideException($"is deeper than {MostLevels} folders");
        if (!make || names.Count == 0)
            return Open(folder, names.Count == 0 ? "." : string.Join('/', names), Libc.O_RDONLY | Libc.O_DIRECTORY);
        Fd at = FileWriter.Enter(folder, Encoding.UTF8.GetBytes(names[0]));
        foreach (string name in names.Skip(1))
        {
            using Fd before = at;
            at = FileWriter.Enter(before, Encoding.UTF8.GetBytes(name));
        }
        return at;
    }

    // Names are checked by who takes them from outside; a longer one would be cut off and mean another file.
    private static Fd Open(Fd folder, string path, int flags) => Encoding.UTF8.GetByteCount(path) < 4096 && !path.Contains('\0', StringComparison.Ordinal)
        ? OpenBeneath.Try(folder, path, flags) ?? throw new NativeException("open", Libc.Errno)
        : throw new NotInsideException("is no path");

    private static uint ModeOf(Fd there, bool replace, IReadOnlyList<string> others)
    {
        CheckRegular(there);
        if (!replace)
            throw new NativeException("open", Libc.EEXIST);
        Libc.FileStatus status = there.Status();
        foreach (string other in others)
        {
            using Fd? own = Fd.TryTake(Libc.Open(other, Libc.O_PATH | Libc.O_CLOEXEC));
            if (own?.Status() is { } same && (same.Inode, same.DevMajor, same.DevMinor) == (status.Inode, status.DevMajor, status.DevMinor))
                throw new NotInsideException("is one of the agent's own files");
        }
        return (uint)status.Mode & 0x1FF;
    }

    private static void CheckRegular(Fd file)
    {
        Libc.FileStatus status = file.Status();
        if (status.IsFolder)
            throw new NativeException("open", Libc.EISDIR);
        if (!status.IsRegular)
            throw new NotInsideException("is no plain file but a device, a pipe or a socket");
    }

    private static string? PathOf(Fd folder) => KernelFile.TryReadLink($"/proc/self/fd/{folder.Value}");

    private static byte[] Name(string name) => [.. Encoding.UTF8.GetBytes(name), 0];
}

/// <summary>An entry of a folder.</summary>
/// <param name="Path">Its path in the folder that was listed; what is no UTF-8 has U+FFFD in it.</param>
/// <param name="Type">file, folder, link or other.</param>
/// <param name="Bytes">The size of a file.</param>
internal sealed record InnerEntry(string Path, string Type, long Bytes);

/// <summary>Something is refused that no call to the system would have refused.</summary>
/// <param name="reason">To be put behind the path.</param>
internal sealed class NotInsideException(string reason) : Exception(reason);
