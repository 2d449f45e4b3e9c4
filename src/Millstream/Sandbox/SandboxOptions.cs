namespace Millstream;

/// <summary>How sandboxes are made on this host.</summary>
public sealed record SandboxOptions
{
    /// <summary>The bubblewrap program. Default <c>bwrap</c>, looked for in PATH.</summary>
    public string Bubblewrap { get; init; } = "bwrap";

    /// <summary>Between SIGTERM and SIGKILL, when a command is cancelled or its time is up. Default 2 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The user and group id that commands have when the runner is root; nothing on the host should belong to it. Default 60000.</summary>
    public int UserId { get; init; } = 60000;

    /// <summary>The clock of time limits and graces.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        SandboxCommand.CheckText(Bubblewrap, "SandboxOptions.Bubblewrap");
        if (Grace < TimeSpan.Zero || Grace > TimeSpan.FromHours(1))
            throw new ArgumentException($"SandboxOptions.Grace is {Grace}; give 0 to 1 hour.");
        if (UserId is < 1 or > int.MaxValue - 1)
            throw new ArgumentException($"SandboxOptions.UserId is {UserId}; give the id of a user that owns nothing, above 0.");
    }
}
