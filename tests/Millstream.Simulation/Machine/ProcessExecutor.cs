namespace Millstream.Simulation;

/// <summary>
/// What one simulated process runs on: its part of the simulation's work. When it dies, what it had scheduled is thrown away and nothing more is taken.
/// A process that hangs keeps what comes until it goes on.
/// </summary>
internal sealed class ProcessExecutor : SynchronizationContext, IExecutor
{
    private readonly SimulationExecutor _executor;
    private readonly List<(object Item, object? State)> _held = [];
    private bool _hangs;

    public ProcessExecutor(SimulationExecutor executor, SimulationTime time)
    {
        _executor = executor;
        Clock = new ProcessTime(time, this);
    }

    /// <summary>Time as the process has it: its timers end with it.</summary>
    public TimeProvider Clock { get; }

    /// <summary>What runs here.</summary>
    public required SimulatedProcess Process { get; init; }

    public bool IsDead { get; private set; }

    public bool Hangs => _hangs;

    public bool RunsInline => _executor.RunsInline;

    public bool IsThreadTaken => TaskTail.HasNext;

    public void Schedule(IThreadPoolWorkItem work) => Add(work, null);

    public void Schedule(Action work) => Add(work, null);

    public override void Post(SendOrPostCallback d, object? state) => Add(d, state);

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs something as a part of the process.</summary>
    public T Run<T>(Func<T> work) => _executor.Enter(this, work);

    public void Die() => IsDead = true;

    public void Hang() => _hangs = true;

    public void GoOn()
    {
        _hangs = false;
        foreach ((object item, object? state) in _held)
            Add(item, state);
        _held.Clear();
    }

    /// <summary>Keeps work for later; false when the process does not hang.</summary>
    public bool Hold(object item, object? state)
    {
        if (_hangs)
            _held.Add((item, state));
        return _hangs;
    }

    private void Add(object item, object? state)
    {
        if (!IsDead)
            _executor.Add(item, state, this);
    }
}

/// <summary>The simulation's time as one process has it: its timers end with it.</summary>
internal sealed class ProcessTime(SimulationTime time, ProcessExecutor owner) : TimeProvider
{
    // It may run on another machine than the last one, with a clock of its own.
    private readonly TimeSpan _skew = new(time.NewSkew());

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + _skew;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period, owner);
}
