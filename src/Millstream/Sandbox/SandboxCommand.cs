using System.Text;

namespace Millstream;

/// <summary>One command to run in a fresh sandbox, with all that it is given.</summary>
public sealed record SandboxCommand
{
    /// <summary>The program and its arguments; a program without a slash is looked for in /usr/bin and /bin.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>What the command reads from its stdin; by default nothing.</summary>
    public ReadOnlyMemory<byte> StandardInput { get; init; }

    /// <summary>The environment beside PATH, HOME and LANG, which it may replace. Nothing else of the host's environment is there.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Files put into /work before the command starts, by path relative to it. What begins with <c>#!</c> or is an ELF program is executable.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>Which files of /work are handed back: globs relative to it, with <c>*</c>, <c>?</c> and <c>**</c>.</summary>
    public IReadOnlyList<string> Collect { get; init; } = [];

    /// <summary>Folders and files of the host that are seen inside.</summary>
    public IReadOnlyList<SandboxMount> Mounts { get; init; } = [];

    /// <summary>The bounds.</summary>
    public SandboxLimits Limits { get; init; } = new();

    /// <summary>Throws for the first thing that is wrong, before anything is started.</summary>
    /// <exception cref="ArgumentException">The message names the value and what to give.</exception>
    public void Validate()
    {
        if (Arguments is not { Count: > 0 } || string.IsNullOrEmpty(Arguments[0]))
            throw new ArgumentException("SandboxCommand.Arguments is empty; its first item is the program.");
        foreach (string argument in Arguments)
            CheckNul(argument, "an argument of the command");
        foreach ((string name, string value) in Environment)
        {
            CheckText(name, "the name of an environment variable");
            CheckNul(value, $"the environment variable {name}");
            if (name.Contains('='))
                throw new ArgumentException($"The environment variable '{name}' has '=' in its name; take it out.");
        }
        foreach ((string path, ReadOnlyMemory<byte> content) in Files)
            CheckRelative(path, "SandboxCommand.Files");
        if (Files.Values.Sum(content => (long)content.Length) is long total && total > Limits.Disk)
            throw new ArgumentException($"SandboxCommand.Files has {total} bytes and SandboxLimits.Disk is {Limits.Disk}; give fewer files, raise the limit, or mount a folder.");
        foreach (string glob in Collect)
            CheckRelative(glob, "SandboxCommand.Collect");
        foreach (SandboxMount mount in Mounts)
            mount.Validate();
        if (Mounts.GroupBy(m => m.Path).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"Two mounts have the path {twice.Key}; give each its own.");
        Limits.Validate();
    }

    internal static void CheckText(string text, string what)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw new ArgumentException($"{what} is empty; give one.");
        CheckNul(text, what);
    }

    private static void CheckNul(string text, string what)
    {
        if (text is null || text.Contains('\0'))
            throw new ArgumentException($"{what} is null or has a NUL character in it, which no program can be given; take it out.");
    }

    private static void CheckRelative(string path, string where)
    {
        CheckText(path, $"a path in {where}");
        if (path.StartsWith('/') || path.Split('/').Any(part => part is ".." or "." or "") || Encoding.UTF8.GetByteCount(path) > 4000)
            throw new ArgumentException($"{where} has the path '{path}'; give one relative to /work, without '.', '..' or '//', of at most 4000 bytes.");
    }
}
