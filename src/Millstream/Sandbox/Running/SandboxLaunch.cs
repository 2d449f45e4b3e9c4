using System.Text;

namespace Millstream;

/// <summary>Starts bubblewrap with the descriptors, mounts and options of one command.</summary>
internal sealed class SandboxLaunch : IDisposable
{
    private const int ArgumentsNumber = 3, StatusNumber = 4, BlockNumber = 5, SeccompNumber = 6;

    private readonly SandboxOptions _options;
    private readonly SandboxCommand _command;
    private readonly string _name;
    private readonly MountPlan _mounts;
    private readonly List<Fd> _given = [];
    private readonly Fd _input;
    private readonly Fd _blockEnd;
    private readonly Fd _outputEnd;
    private readonly Fd _errorEnd;
    private readonly Fd _statusEnd;

    public SandboxLaunch(SandboxOptions options, SandboxCommand command, string name)
    {
        _options = options;
        _command = command;
        _name = name;
        IsRoot = Libc.UserId() == 0;
        Bubblewrap = Tools.Find(options.Bubblewrap) ?? throw new SandboxException(SandboxRemedies.NoBubblewrap(options.Bubblewrap));
        SetPriv = !IsRoot || DropPrivileges.IsKnown ? null : Tools.Find("setpriv") ?? throw new SandboxException(SandboxRemedies.NoSetPriv);
        _mounts = MountPlan.Make(command.Mounts, IsRoot, (uint)options.UserId);
        _input = command.StandardInput.IsEmpty ? Fd.Null() : Fd.Memory("stdin", command.StandardInput.Span);
        (Output, _outputEnd) = Fd.Pipe();
        (Error, _errorEnd) = Fd.Pipe();
        (Status, _statusEnd) = Fd.Pipe();
        // Both ends in one: the sandbox waits for our byte, and its waiting never ends by our death, which would start the command.
        (_blockEnd, Release) = Fd.Pipe();
        Fd both = Fd.Take(Libc.Open($"/proc/self/fd/{_blockEnd.Value}", Libc.O_RDWR | Libc.O_CLOEXEC), "open pipe");
        _given.AddRange([_input, _outputEnd, _errorEnd, _statusEnd, _blockEnd, both]);
        Both = both;
        if (IsRoot)
        {
            // So that the command may open /dev/stdout and /dev/stderr, which are these pipes.
            _ = Libc.ChangeOwner(_outputEnd.Value, (uint)options.UserId, (uint)options.UserId);
            _ = Libc.ChangeOwner(_errorEnd.Value, (uint)options.UserId, (uint)options.UserId);
        }
    }

    public bool IsRoot { get; }

    public Fd Output { get; }

    public Fd Error { get; }

    public Fd Status { get; }

    /// <summary>Takes the byte that lets the command begin.</summary>
    public Fd Release { get; }

    /// <summary>Folders of root's that are copied to at the end.</summary>
    public IEnumerable<CopyOut> Copies => _mounts.Copies;

    private string Bubblewrap { get; }

    private string? SetPriv { get; }

    private Fd Both { get; }

    /// <summary>Starts it and gives bubblewrap's process; from here on the sandbox waits for its release.</summary>
    public async Task<int> StartAsync()
    {
        try
        {
            return await Spawner.Instance.InvokeAsync(Start);
        }
        catch (NativeException e)
        {
            throw new SandboxException($"The sandbox cannot be started: {e.Message}. If the list of arguments is too long, give it as a file; if processes or memory are short, run fewer at once.", e);
        }
        finally
        {
            // What the sandbox has must be open nowhere else, or its end would not be seen.
            foreach (Fd fd in _given)
                fd.Dispose();
        }
    }

    /// <summary>Takes the staged folders away, once the sandbox has them or has failed.</summary>
    public Task UnstageAsync() => !_mounts.IsStaged ? Task.CompletedTask : Spawner.Instance.InvokeAsync(_ =>
    {
        _mounts.Detach();
        return 0;
    });

    public void Dispose()
    {
        foreach (Fd fd in _given)
            fd.Dispose();
        Release.Dispose();
        Output.Dispose();
        Error.Dispose();
        Status.Dispose();
        _mounts.Dispose();
    }

    private int Start(Stage? stage)
    {
        byte[]? filter = SeccompFilter.Program;
        IEnumerable<string> options = BubblewrapArguments.Make(_command, _name, _mounts.Attach(stage, _command.Limits.Disk), StatusNumber, BlockNumber, filter is null ? null : SeccompNumber);
        using Fd arguments = Fd.Memory("arguments", Encoding.UTF8.GetBytes(string.Concat(options.Select(option => option + "\0"))));
        using Fd? seccomp = filter is null ? null : Fd.Memory("seccomp", filter);
        List<int> descriptors = [_input.Value, _outputEnd.Value, _errorEnd.Value, arguments.Value, _statusEnd.Value, Both.Value];
        if (seccomp is not null)
            descriptors.Add(seccomp.Value);
        List<string> line = [Bubblewrap, "--args", $"{ArgumentsNumber}", "--", .. _command.Arguments];
        if (SetPriv is not null)
            line.InsertRange(0, [SetPriv, "--reuid", $"{_options.UserId}", "--regid", $"{_options.UserId}", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--pdeathsig", "KILL"]);
        return PosixSpawn.Start(line[0], line, ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], descriptors, IsRoot && SetPriv is null ? _options.UserId : null);
    }
}
