namespace Millstream;

/// <summary>Processes: known by descriptor and not by number, so that a number used anew is never hit; and gone only when proven.</summary>
internal static class Reaper
{
    private const long PidfdSendSignal = 424, PidfdOpen = 434;
    private const short Readable = 1;

    public static Fd? TryOpen(int process) => Fd.TryTake(Libc.Call(PidfdOpen, process));

    public static void Signal(Fd process, int signal) => _ = Libc.Call(PidfdSendSignal, process.Value, signal);

    /// <summary>Whether it has ended; waits at most that long.</summary>
    public static unsafe bool HasEnded(Fd process, int milliseconds = 0)
    {
        Libc.PollEntry entry = new() { Fd = process.Value, Events = Readable };
        return Libc.Poll(&entry, 1, milliseconds) > 0;
    }

    /// <summary>Waits for the end of a process; the kernel tells it some time after the last process has died.</summary>
    public static async Task EndAsync(Fd process)
    {
        // A few milliseconds cover nearly all; what takes longer (freeing much memory) must not hold a thread.
        while (!HasEnded(process, 2))
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
    }

    /// <summary>Reaps our own child and gives its exit code, 128 + n for signal n.</summary>
    public static unsafe int WaitFor(int process)
    {
        int status = 0;
        while (Libc.Wait(process, &status, 0) < 0)
        {
            if (Libc.Errno != Libc.EINTR)
                return -1;
        }
        return (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
    }

    /// <summary>Sends a signal to every process of a pid namespace but its first, found below that one.</summary>
    public static void SignalNamespace(int init, int signal)
    {
        string? space = KernelFile.TryReadLink($"/proc/{init}/ns/pid");
        if (space is null)
            return;
        foreach (int process in Below(init, []))
        {
            using Fd? opened = TryOpen(process);
            // Asked after it was opened: the descriptor is then this process or one that is dead.
            if (opened is not null && KernelFile.TryReadLink($"/proc/{process}/ns/pid") == space)
                Signal(opened, signal);
        }
    }

    private static HashSet<int> Below(int process, HashSet<int> found)
    {
        string[] threads;
        try
        {
            threads = Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (IOException)
        {
            return found;
        }
        foreach (string thread in threads)
        {
            foreach (string child in (KernelFile.TryRead($"{thread}/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (found.Count < 10_000 && int.TryParse(child, out int number) && found.Add(number))
                    Below(number, found);
            }
        }
        return found;
    }
}
