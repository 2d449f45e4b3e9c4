using System.Globalization;
using System.Text;

namespace Millstream;

/// <summary>A sandbox from its start to the proof that nothing of it is left.</summary>
internal sealed class SandboxProcess : IAsyncDisposable
{
    private const int StartMilliseconds = 30_000;

    private readonly SandboxLaunch _launch;
    private readonly CgroupGroup _group;
    private readonly List<string> _notEnforced = [];
    private readonly StatusReader _status;
    private int _bubblewrap;
    private int _init;
    private Fd? _initProcess;
    private bool _reaped;

    private SandboxProcess(SandboxLaunch launch, CgroupGroup group, SandboxCommand command, SandboxOutputHandler? output)
    {
        _launch = launch;
        _group = group;
        Lock handler = new();
        Output = new OutputPump("stdout", launch.Output, command.Limits.Output, output, handler);
        Error = new OutputPump("stderr", launch.Error, command.Limits.Output, output, handler);
        _status = new StatusReader(launch.Status);
    }

    public OutputPump Output { get; }

    public OutputPump Error { get; }

    /// <summary>The sandbox's /work; its files stay readable through it after the end.</summary>
    public Fd? Work { get; private set; }

    /// <summary>The limits that are not held.</summary>
    public IReadOnlyList<string> NotEnforced => _notEnforced;

    /// <summary>Bubblewrap's exit code, once it has ended.</summary>
    public int BubblewrapCode { get; private set; }

    public int MemoryKills => _group.MemoryKills();

    /// <summary>Done when the command has ended; null where bubblewrap gave no exit code.</summary>
    public Task<int?> Ended { get; private set; } = Task.FromResult<int?>(null);

    /// <summary>Makes the sandbox, with its limits and files; the command waits for <see cref="Begin"/>.</summary>
    public static async Task<SandboxProcess> StartAsync(LeaseEpoch epoch, SandboxOptions options, SandboxCommand command, SandboxOutputHandler? output)
    {
        string name = CgroupLayout.NameRun(epoch);
        SandboxLaunch launch = new(options, command, name);
        CgroupGroup group;
        try
        {
            group = CgroupGroup.Make(CgroupLayout.Host, name, command.Limits);
        }
        catch (NativeException e)
        {
            launch.Dispose();
            throw new SandboxException($"The control group of the sandbox cannot be made: {e.Message}. Look at the group's own limits (cgroup.max.descendants), or end what left groups behind.", e);
        }
        SandboxProcess process = new(launch, group, command, output);
        try
        {
            await process.StartAsync(name, options, command);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the command begin.</summary>
    public void Begin()
    {
        try
        {
            _launch.Release.WriteAll([1]);
        }
        catch (NativeException)
        {
            // It was killed meanwhile, and its end tells that.
        }
    }

    /// <summary>Copies what was written for folders of root's; false where there was too much.</summary>
    public bool CopyOut(long most)
    {
        bool whole = true;
        foreach (CopyOut copy in _launch.Copies)
            whole &= copy.Copy(most);
        return whole;
    }

    /// <summary>Asks every process of the command to end.</summary>
    public void Terminate() => Reaper.SignalNamespace(_init, Libc.SIGTERM);

    /// <summary>Kills every process: the kernel ends a pid namespace with its first process.</summary>
    public void Kill()
    {
        if (_initProcess is not null)
            Reaper.Signal(_initProcess, Libc.SIGKILL);
        else if (_bubblewrap > 0 && !_reaped)
            _ = Libc.Kill(_bubblewrap, Libc.SIGKILL);
    }

    /// <summary>Kills what is left and waits until the kernel says that all of it is gone.</summary>
    public async Task GoneAsync()
    {
        Kill();
        if (_initProcess is not null)
            await Reaper.EndAsync(_initProcess);
        if (_bubblewrap > 0 && !_reaped)
        {
            _reaped = true;
            BubblewrapCode = Reaper.WaitFor(_bubblewrap);
        }
        // A pipe that was handed out through a socket in a mounted folder could be held open by a process of the host.
        await Task.WhenAny(Task.WhenAll(Output.Ended, Error.Ended), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
    }

    public async ValueTask DisposeAsync()
    {
        await GoneAsync();
        await _launch.UnstageAsync();
        await _group.RemoveAsync();
        Output.Dispose();
        Error.Dispose();
        _status.Dispose();
        Work?.Dispose();
        _initProcess?.Dispose();
        _launch.Dispose();
    }

    private async Task StartAsync(string name, SandboxOptions options, SandboxCommand command)
    {
        _notEnforced.AddRange(_group.NotEnforced);
        if (SeccompFilter.Program is null && command.Mounts.Any(mount => mount.Access == SandboxAccess.Write))
            _notEnforced.Add("set-uid bits on write mounts: this machine's system calls are not known here. Use an x86-64 or arm64 host, or mount for reading.");
        RefuseWhereRequired(command);
        _bubblewrap = await _launch.StartAsync();
        Task<int?> told = _status.FirstProcessAsync();
        if (await Task.WhenAny(told, Task.Delay(TimeSpan.FromMilliseconds(StartMilliseconds), TimeProvider.System)) != told)
            throw NotReady();
        int? first = await told;
        if (first is not { } init || Reaper.TryOpen(init) is not { } opened)
            throw await NotStartedAsync(options);
        _init = init;
        _initProcess = opened;
        Ended = _status.ExitCodeAsync();
        try
        {
            _group.Add(init);
        }
        catch (NativeException e)
        {
            if (Reaper.HasEnded(opened))
                throw await NotStartedAsync(options);
            throw new SandboxException($"The sandbox cannot be put into its control group, so it was not run: {e.Message}. Check who owns that group.", e);
        }
        if (ProcessLimits.Set(init, _group.HoldsProcesses ? null : command.Limits.Processes) is { } reason)
            _notEnforced.Add($"processes ({command.Limits.Processes}): {reason}. To get it, {CgroupLayout.Host.Processes.Remedy}.");
        RefuseWhereRequired(command);
        await WaitForMountsAsync(name, options);
        Work = Fd.TryTake(Libc.Open($"/proc/{_init.ToString(CultureInfo.InvariantCulture)}/root/work", Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC))
            ?? throw new SandboxException($"The work folder of the sandbox cannot be opened ({Libc.Message(Libc.Errno)}); /proc may be mounted with hidepid. Mount it without.");
        foreach (CopyOut copy in _launch.Copies)
            copy.Open($"/proc/{_init.ToString(CultureInfo.InvariantCulture)}/root");
        WorkFolder.Write(Work, command.Files, _launch.IsRoot ? (uint)options.UserId : null);
    }

    private static SandboxException NotReady() =>
        new($"The sandbox was not ready after {StartMilliseconds / 1000} s and was not run. A mounted folder may hang (a network file system), or the host is overloaded.");

    private void RefuseWhereRequired(SandboxCommand command)
    {
        if (command.Limits.Required && _notEnforced.Count > 0)
            throw new SandboxException($"SandboxLimits.Required is true and this host does not hold: {string.Join(" ", _notEnforced)}");
    }

    // The last thing that bubblewrap makes is the marker, and it shows at the root only when the sandbox has its own root for good.
    private async Task WaitForMountsAsync(string name, SandboxOptions options)
    {
        string marker = $"/proc/{_init.ToString(CultureInfo.InvariantCulture)}/root{BubblewrapArguments.Marker}";
        long start = TimeProvider.System.GetTimestamp();
        for (int tries = 0; KernelFile.TryReadLink(marker) != name; tries++)
        {
            if (Reaper.HasEnded(_initProcess!))
                throw await NotStartedAsync(options);
            if (TimeProvider.System.GetElapsedTime(start).TotalMilliseconds > StartMilliseconds)
                throw NotReady();
            // Mounts take a few milliseconds; only a busy host needs more, and then no thread is held.
            if (tries < 50)
                _ = Libc.SleepMicroseconds(200);
            else
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
    }

    private async Task<SandboxException> NotStartedAsync(SandboxOptions options)
    {
        await GoneAsync();
        string said = Encoding.UTF8.GetString(Error.Kept.Span).Trim();
        return new SandboxException(SandboxRemedies.NotStarted(said, BubblewrapCode, options));
    }
}
