namespace Millstream;

/// <summary>How a command in a sandbox ended.</summary>
public enum SandboxEnding
{
    /// <summary>By itself, with the exit code; a signal n gives 128 + n.</summary>
    Exited,

    /// <summary>Its time was up.</summary>
    TimedOut,

    /// <summary>The kernel killed it, or one of its processes, for going beyond its memory.</summary>
    MemoryExceeded,

    /// <summary>The sandbox was disposed while it ran, as when its lease ends.</summary>
    Killed,
}

/// <summary>What a command in a sandbox gave.</summary>
public sealed record SandboxResult
{
    /// <summary>The exit code; 128 + n where signal n ended it, 127 where the program was not found, 126 where it could not be run.</summary>
    public required int ExitCode { get; init; }

    /// <summary>How it ended.</summary>
    public required SandboxEnding Ending { get; init; }

    /// <summary>The bytes of stdout, at most <see cref="SandboxLimits.Output"/>.</summary>
    public ReadOnlyMemory<byte> StandardOutput { get; init; }

    /// <summary>The bytes of stderr, at most <see cref="SandboxLimits.Output"/>.</summary>
    public ReadOnlyMemory<byte> StandardError { get; init; }

    /// <summary>Whether there was more stdout than was kept.</summary>
    public bool OutputTruncated { get; init; }

    /// <summary>Whether there was more stderr than was kept.</summary>
    public bool ErrorTruncated { get; init; }

    /// <summary>The collected files, ordered by path.</summary>
    public IReadOnlyList<SandboxFile> Files { get; init; } = [];

    /// <summary>Whether there were more files, or more bytes of files, than are handed back.</summary>
    public bool FilesTruncated { get; init; }

    /// <summary>The limits that this host did not hold, each with the reason and how to get it.</summary>
    public IReadOnlyList<string> NotEnforced { get; init; } = [];
}

/// <summary>A file collected from /work. Symlinks, sockets and devices are never followed or collected.</summary>
/// <param name="Path">The path relative to /work; bytes that are no UTF-8 are replaced, see <paramref name="RawPath"/>.</param>
/// <param name="RawPath">The path as the bytes it has.</param>
/// <param name="Bytes">The content.</param>
/// <param name="Sha256">The SHA-256 of the content in lower-case hexadecimal.</param>
/// <param name="Mode">The permission bits, without set-uid and set-gid.</param>
public sealed record SandboxFile(string Path, ReadOnlyMemory<byte> RawPath, ReadOnlyMemory<byte> Bytes, string Sha256, int Mode);

/// <summary>Is called while a command runs with what it wrote, in order per stream and never twice at once.</summary>
/// <param name="stream"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="chunk">The bytes; valid during the call only.</param>
public delegate void SandboxOutputHandler(string stream, ReadOnlySpan<byte> chunk);
