namespace Millstream;

/// <summary>Limits that the kernel keeps per process, set on a sandbox's first process and inherited by all others.</summary>
internal static unsafe class ProcessLimits
{
    private const int Core = 4, Processes = 6, OpenFiles = 7;
    private const ulong MostOpenFiles = 4096;

    /// <summary>Sets them; gives why the number of processes is not bounded, or null.</summary>
    public static string? Set(int process, int? processes)
    {
        // One byte, not none: a core handler of the host, which runs outside of the sandbox, is started for 0 and not for 1.
        TrySet(process, Core, 1);
        TrySet(process, OpenFiles, MostOpenFiles);
        if (processes is not { } most)
            return null;
        // Counted per user namespace since Linux 5.14, so one sandbox does not use up another's.
        int error = TrySet(process, Processes, (ulong)most + 1);
        return error == 0 ? null : $"prlimit failed ({Libc.Message(error)})";
    }

    private static int TrySet(int process, int resource, ulong value)
    {
        ulong* limits = stackalloc ulong[2];
        ulong* before = stackalloc ulong[2];
        if (Libc.ProcessLimit(process, resource, null, before) != 0)
            return Libc.Errno;
        limits[0] = limits[1] = Math.Min(value, before[1]);
        return Libc.ProcessLimit(process, resource, limits, null) == 0 ? 0 : Libc.Errno;
    }
}
