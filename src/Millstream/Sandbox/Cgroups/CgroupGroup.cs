using System.Globalization;

namespace Millstream;

/// <summary>The control groups of one sandbox: one folder per hierarchy that holds a limit.</summary>
internal sealed class CgroupGroup
{
    private readonly List<string> _folders = [];
    private readonly List<string> _notEnforced = [];
    private string? _events;

    private CgroupGroup()
    {
    }

    /// <summary>The limits that the groups do not hold, each with its reason and remedy.</summary>
    public IReadOnlyList<string> NotEnforced => _notEnforced;

    public bool HoldsProcesses { get; private set; }

    public static CgroupGroup Make(CgroupLayout layout, string name, SandboxLimits limits)
    {
        CgroupGroup group = new();
        try
        {
            group.Set(layout, name, limits);
            return group;
        }
        catch
        {
            // Nobody is in them yet.
            foreach (string folder in group._folders)
                _ = Libc.RemoveFolder(folder);
            throw;
        }
    }

    /// <summary>Puts a process in; its children are born there.</summary>
    public void Add(int process)
    {
        string number = process.ToString(CultureInfo.InvariantCulture);
        foreach (string folder in _folders)
        {
            if (KernelFile.TryWrite($"{folder}/cgroup.procs", number) is not 0 and int error)
                throw new NativeException($"{folder}/cgroup.procs", error);
        }
    }

    /// <summary>How many of its processes the kernel killed for memory.</summary>
    public int MemoryKills()
    {
        string? line = _events is null ? null : KernelFile.TryRead(_events)?.Split('\n').FirstOrDefault(l => l.StartsWith("oom_kill ", StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line[9..], CultureInfo.InvariantCulture);
    }

    /// <summary>Takes the groups away; the kernel refuses while a process is in them, which proves that none is.</summary>
    public async Task RemoveAsync()
    {
        foreach (string folder in _folders)
        {
            // Beyond 5 s something is stuck in the kernel: the next start of a runner finds it by its name.
            for (int tries = 0; tries < 500 && Libc.RemoveFolder(folder) != 0 && Libc.Errno == Libc.EBUSY; tries++)
            {
                KernelFile.TryWrite($"{folder}/cgroup.kill", "1");
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }
        }
    }

    private void Set(CgroupLayout layout, string name, SandboxLimits limits)
    {
        if (TryJoin(layout.Memory, name) is { } memory && SetMemory(layout.Memory, memory, limits.Memory) is { } reason)
            _notEnforced.Add(NotHeld("memory", $"{limits.Memory} bytes", reason, layout.Memory));
        else if (layout.Memory.Folder is null)
            _notEnforced.Add(NotHeld("memory", $"{limits.Memory} bytes", layout.Memory.Detail, layout.Memory));
        // One more for the sandbox's own first process.
        string processes = (limits.Processes + 1).ToString(CultureInfo.InvariantCulture);
        HoldsProcesses = TryJoin(layout.Processes, name) is { } pids && KernelFile.TryWrite($"{pids}/pids.max", processes) == 0;
    }

    private string? TryJoin(CgroupController controller, string name)
    {
        if (controller.Folder is null)
            return null;
        string folder = $"{controller.Folder}/{name}";
        if (_folders.Contains(folder))
            return folder;
        if (Libc.MakeFolder(folder, 0x1ED) != 0)
            throw new NativeException($"mkdir {folder}", Libc.Errno);
        _folders.Add(folder);
        return folder;
    }

    private string? SetMemory(CgroupController controller, string folder, long bytes)
    {
        string text = bytes.ToString(CultureInfo.InvariantCulture);
        _events = controller.Version == 1 ? $"{folder}/memory.oom_control" : $"{folder}/memory.events";
        int error = KernelFile.TryWrite(controller.Version == 1 ? $"{folder}/memory.limit_in_bytes" : $"{folder}/memory.max", text);
        if (controller.Version == 1)
        {
            // Absent where the kernel does not count swap.
            KernelFile.TryWrite($"{folder}/memory.memsw.limit_in_bytes", text);
            return error == 0 ? null : $"memory.limit_in_bytes cannot be set ({Libc.Message(error)})";
        }
        KernelFile.TryWrite($"{folder}/memory.swap.max", "0");
        KernelFile.TryWrite($"{folder}/memory.oom.group", "1");
        return error == 0 ? null : $"memory.max cannot be set ({Libc.Message(error)})";
    }

    private static string NotHeld(string limit, string value, string reason, CgroupController controller) =>
        $"{limit} ({value}): {reason}. To get it, {(controller.Remedy == "" ? "ask who runs the host" : controller.Remedy)}.";
}
