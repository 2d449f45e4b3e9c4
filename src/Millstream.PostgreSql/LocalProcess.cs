using System.Globalization;

namespace Millstream;

/// <summary>
/// Tells of a process on the same machine whether it is gone: then nobody need wait for its row to expire. Linux only; elsewhere nothing is known.
/// </summary>
/// <param name="Machine">The boot and the space of process numbers, so that a container is a machine of its own; null where nothing is known.</param>
/// <param name="Id">The process.</param>
/// <param name="Started">When it began, in ticks since the boot: a number may be given again.</param>
internal sealed record LocalProcess(string? Machine, int Id, long Started)
{
    private static readonly string? Here = FindMachine();

    public static LocalProcess Current { get; } = new(Here, Environment.ProcessId, Here is null ? 0 : StartOf(Environment.ProcessId) ?? 0);

    /// <summary>Whether it certainly runs no more.</summary>
    public bool IsGone => Machine is not null && Machine == Here && StartOf(Id) != Started;

    private static string? FindMachine()
    {
        try
        {
            // Where /proc hides the processes of others (hidepid), one that is not seen may well run.
            return OperatingSystem.IsLinux() && new FileInfo("/proc/self/ns/pid").LinkTarget is { } space && File.ReadAllText("/proc/1/stat").Length > 0
                ? $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()} {space}" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null for a process that is not there, or is dead and not yet buried by its parent.</summary>
    private static long? StartOf(int id)
    {
        try
        {
            // The name may hold anything, a ')' too; the state and 18 numbers follow the last one.
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // Also for one that ends while it is read.
            return null;
        }
    }
}
