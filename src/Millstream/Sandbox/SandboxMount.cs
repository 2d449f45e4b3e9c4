namespace Millstream;

/// <summary>What a command may do in a mounted folder of the host.</summary>
public enum SandboxAccess
{
    /// <summary>Read only.</summary>
    Read,

    /// <summary>Read and write.</summary>
    Write,
}

/// <summary>A folder or file of the host that is seen inside a sandbox.</summary>
/// <param name="Host">The path on the host; a relative one is relative to the current directory.</param>
/// <param name="Path">Where it is seen: absolute, without <c>..</c>, outside of the system's own folders and of /work itself.</param>
/// <param name="Access">Whether it may be written.</param>
public sealed record SandboxMount(string Host, string Path, SandboxAccess Access = SandboxAccess.Read)
{
    private static readonly string[] s_reserved = ["/tmp", "/proc", "/dev", "/sys", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives"];

    internal string HostPath => System.IO.Path.GetFullPath(Host);

    internal void Validate()
    {
        SandboxCommand.CheckText(Host, "the host path of a mount");
        SandboxCommand.CheckText(Path, $"the path of the mount of {Host}");
        if (!Path.StartsWith('/') || Path.Length > 1 && Path.EndsWith('/') || Path.Split('/').Skip(1).Any(part => part is ".." or "." or ""))
            throw new ArgumentException($"The mount of {Host} has the path '{Path}'; give an absolute path without '.', '..', '//' or a '/' at its end.");
        if (Path is "/" or "/work" or "/etc" || s_reserved.Any(r => Path == r || Path.StartsWith(r + "/", StringComparison.Ordinal)))
            throw new ArgumentException($"The mount of {Host} has the path '{Path}', which belongs to the sandbox itself; give another, as /in.");
        if (Access is not (SandboxAccess.Read or SandboxAccess.Write))
            throw new ArgumentException($"The mount of {Host} has the access {Access}; give Read or Write.");
    }
}
