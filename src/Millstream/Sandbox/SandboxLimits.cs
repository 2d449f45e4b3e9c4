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
        foreach ((string name, object value, string rule) in Faults())
            throw new ArgumentException($"SandboxLimits.{name} is {value}; give {rule}.");
    }

    /// <summary>What cannot be held, by the names of the properties.</summary>
    internal IEnumerable<(string Name, object Value, string Rule)> Faults()
    {
        if (Time <= TimeSpan.Zero || Time > TimeSpan.FromDays(40))
            yield return (nameof(Time), Time, "more than 0 and at most 40 days");
        if (Memory < 4 << 20)
            yield return (nameof(Memory), Memory, "at least 4 MiB (4194304); less cannot start a program");
        if (Processes is < 2 or > 1 << 20)
            yield return (nameof(Processes), Processes, "2 to 1048576; one is the sandbox's own");
        if (Output < 0)
            yield return (nameof(Output), Output, "0 or more");
        if (Disk < 4096)
            yield return (nameof(Disk), Disk, "at least 4096");
    }
}
