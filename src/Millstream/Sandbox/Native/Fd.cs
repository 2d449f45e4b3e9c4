using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Millstream;

/// <summary>File descriptors as values that close themselves. All are close-on-exec, so that nobody else's child inherits them.</summary>
internal sealed unsafe class Fd : SafeHandleMinusOneIsInvalid
{
    // Spawning gives numbers 0 to a dozen their meaning in the child; from here on a source can never be one of them.
    private const int LowestNumber = 64;
    private const int DuplicateCloseOnExec = 1030, AddSeals = 1033, AllSeals = 0xF;
    private const uint MemoryCloseOnExec = 1, MemorySealable = 2;

    public Fd() : base(true)
    {
    }

    private Fd(int fd) : base(true) => SetHandle(fd);

    public int Value => (int)handle;

    /// <summary>Takes the number over, or throws for the failed call.</summary>
    public static Fd Take(long result, string what) => result >= 0 ? new Fd((int)result) : throw new NativeException(what, Libc.Errno);

    public static Fd? TryTake(long result) => result >= 0 ? new Fd((int)result) : null;

    public static (Fd Read, Fd Write) Pipe()
    {
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.O_CLOEXEC) != 0)
            throw new NativeException("pipe", Libc.Errno);
        return (Raise(ends[0]), Raise(ends[1]));
    }

    /// <summary>A sealed file in memory: whoever gets it reads it and can never change it.</summary>
    public static Fd Memory(string name, ReadOnlySpan<byte> content)
    {
        using Fd made = Take(Libc.MemoryFile(name, MemoryCloseOnExec | MemorySealable), "memfd_create");
        made.WriteAll(content);
        Libc.Seek(made.Value, 0, 0);
        Libc.Control(made.Value, AddSeals, AllSeals);
        return Take(Libc.Control(made.Value, DuplicateCloseOnExec, LowestNumber), "fcntl");
    }

    public static Fd Null() => Raise(Take(Libc.Open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC), "open /dev/null").Release());

    public void WriteAll(ReadOnlySpan<byte> content)
    {
        fixed (byte* start = content)
        {
            for (nint done = 0; done < content.Length;)
            {
                nint written = Libc.Write(Value, start + done, content.Length - done);
                if (written < 0 && Libc.Errno != Libc.EINTR)
                    throw new NativeException("write", Libc.Errno);
                done += Math.Max(written, 0);
            }
        }
    }

    public Libc.FileStatus Status()
    {
        Libc.FileStatus status;
        byte empty = 0;
        if (Libc.Status(Value, &empty, Libc.AtEmptyPath, 0x7ff, &status) != 0)
            throw new NativeException("statx", Libc.Errno);
        return status;
    }

    /// <summary>Gives the number away; the caller closes it.</summary>
    public int Release()
    {
        int fd = Value;
        SetHandleAsInvalid();
        return fd;
    }

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;

    private static Fd Raise(int fd)
    {
        using Fd low = new(fd);
        return Take(Libc.Control(fd, DuplicateCloseOnExec, LowestNumber), "fcntl");
    }
}

/// <summary>A system call that failed; turned into a <see cref="SandboxException"/> where its meaning is known.</summary>
internal sealed class NativeException(string call, int errno) : Exception($"{call}: {Libc.Message(errno)}")
{
    public int Errno { get; } = errno;
}

/// <summary>Small files of the kernel: read and written whole, in one call, with the error number at hand.</summary>
internal static class KernelFile
{
    public static unsafe int TryWrite(string path, string text)
    {
        using Fd? file = Fd.TryTake(Libc.Open(path, Libc.O_WRONLY | Libc.O_CLOEXEC));
        if (file is null)
            return Libc.Errno;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes)
            return Libc.Write(file.Value, start, bytes.Length) == bytes.Length ? 0 : Libc.Errno;
    }

    public static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static unsafe string? TryReadLink(string path)
    {
        byte* buffer = stackalloc byte[4096];
        nint length = Libc.ReadLink(path, buffer, 4096);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer, (int)length);
    }
}
