namespace Millstream;

/// <summary>The bounds of one command in a sandbox. What a host cannot hold is listed in <see cref="SandboxResult.NotEnforced"/>.</summary>
public sealed record SandboxLimits
{
    /// <summary>How long the command may run, from its start; then it gets SIGTERM and, after the grace, SIGKILL. Default 60 s.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of memory of all processes together, files in the sandbox's own folders included. Default 512 MiB.</summary>
    public long Memory { get; init; } = 512L << 20;

    /// <summary>Processes and threads at a time. Default 64.</summary>
    public int Processes { get; init; } = 64;

    /// <summary>Bytes kept of each of stdout and stderr; the rest is read and dropped, and the stream marked truncated. Default 1 MiB.</summary>
    public int Output { get; init; } = 1 << 20;

    /// <summary>Bytes in each writable folder of the sandbox (/work, and /tmp with /dev/shm), and of the files collected. Default 64 MiB.</summary>
    public long Disk { get; init; } = 64L << 20;

    /// <summary>Whether a limit that this host cannot hold fails the run, instead of being listed. Default false.</summary>
    public bool Required { get; init; }

    internal void Validate()
    {
        Check(nameof(Time), Time > TimeSpan.Zero && Time <= TimeSpan.FromDays(40), Time, "more than 0 and at most 40 days");
        Check(nameof(Memory), Memory >= 4 << 20, Memory, "at least 4 MiB (4194304); less cannot start a program");
        Check(nameof(Processes), Processes is >= 2 and <= 1 << 20, Processes, "2 to 1048576; one is the sandbox's own");
        Check(nameof(Output), Output >= 0, Output, "0 or more");
        Check(nameof(Disk), Disk >= 4096, Disk, "at least 4096");
    }

    private static void Check(string name, bool holds, object value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"SandboxLimits.{name} is {value}; give {rule}.");
    }
}
