using System.Diagnostics.CodeAnalysis;

namespace Millstream.Simulation;

/// <summary>
/// Everything of one history on one thread, in an order that the seed chooses: what the engine schedules, what the code of tasks and of the
/// world awaits, and timers that are due. Time moves when nothing is ready, and sometimes a little early, as on a slow machine.
/// </summary>
internal sealed class SimulationExecutor : SynchronizationContext, IExecutor
{
    private readonly Lock _gate = new();
    private readonly List<Work> _ready = [];
    private readonly Random _random;
    private ProcessExecutor? _current;
    private readonly SimulationTime _time;
    private readonly ExecutionContext _clean = ExecutionContext.Capture()!;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly Pick _pick;
    private readonly int _hurry;
    private readonly int _inline;
    private int _offExecutor;

    public SimulationExecutor(Random random, SimulationTime time)
    {
        _random = random;
        _time = time;
        _pick = (Pick)random.Next(3);
        _hurry = random.Next(5) switch { 0 => 0, 1 => 200, 2 => 50, 3 => 15, _ => 3 };
        _inline = random.Next(3);
    }

    private enum Pick { Any, MostlyOldest, MostlyNewest }

    /// <summary>How many continuations came from another thread; any is a fault of the engine.</summary>
    public int OffExecutor => Volatile.Read(ref _offExecutor);

    public bool IsHere => Environment.CurrentManagedThreadId == _thread;

    /// <summary>How many pieces of work were run.</summary>
    public int Steps { get; private set; }

    /// <summary>The process whose work runs; null for the world's.</summary>
    public ProcessExecutor? Process => _current;

    // Running a successor at once is one more order that production has.
    public bool RunsInline => _inline > 0 && _random.Next(2 * _inline) == 0;

    public bool IsThreadTaken => TaskTail.HasNext;

    public void Schedule(IThreadPoolWorkItem work) => Add(work, null, null);

    public void Schedule(Action work) => Add(work, null, null);

    public override void Post(SendOrPostCallback d, object? state) => Add(d, state, null);

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs until nothing is left to do.</summary>
    /// <param name="idle">Called before time moves because nothing is ready.</param>
    /// <param name="isOver">Asked after each step.</param>
    [SuppressMessage("Design", "CA1031", Justification = "whatever escapes is reported with the seed")]
    public void Run(Action idle, Func<bool> isOver, Action<Exception> escaped)
    {
        SynchronizationContext? outer = Current;
        try
        {
            while (!isOver())
            {
                if (_ready.Count == 0)
                {
                    idle();
                    if (!_time.Advance(this))
                        return;
                    continue;
                }
                if (_hurry > 0 && _random.Next(_hurry) == 0)
                    _time.Advance(this);
                Work work = Take();
                if (work.Owner is { IsDead: true } || work.Owner?.Hold(work.Item, work.State) == true)
                    continue;
                Steps++;
                _current = work.Owner;
                SetSynchronizationContext((SynchronizationContext?)work.Owner ?? this);
                ExecutionContext.Restore(_clean);
                try
                {
                    work.Run();
                }
                catch (Exception e)
                {
                    escaped(e);
                }
                _current = null;
            }
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>Adds work of a process, or of the world.</summary>
    public void Add(object item, object? state, ProcessExecutor? owner)
    {
        if (!IsHere)
            Interlocked.Increment(ref _offExecutor);
        lock (_gate)
            _ready.Add(new Work(item, state, owner));
    }

    /// <summary>Runs work as a part of a process that the world calls.</summary>
    public T Enter<T>(ProcessExecutor process, Func<T> work)
    {
        (ProcessExecutor? outer, SynchronizationContext? context) = (_current, Current);
        _current = process;
        SetSynchronizationContext(process);
        try
        {
            return work();
        }
        finally
        {
            _current = outer;
            SetSynchronizationContext(context);
        }
    }

    private Work Take()
    {
        lock (_gate)
        {
            int last = _ready.Count - 1;
            int index = _pick switch
            {
                Pick.MostlyOldest when _random.Next(4) > 0 => 0,
                Pick.MostlyNewest when _random.Next(4) > 0 => last,
                _ => _random.Next(last + 1),
            };
            Work taken = _ready[index];
            if (_pick == Pick.MostlyOldest)
            {
                _ready.RemoveAt(index);
                return taken;
            }
            _ready[index] = _ready[last];
            _ready.RemoveAt(last);
            return taken;
        }
    }

    private readonly record struct Work(object Item, object? State, ProcessExecutor? Owner)
    {
        public void Run()
        {
            switch (Item)
            {
                case IThreadPoolWorkItem work:
                    work.Execute();
                    break;
                case SendOrPostCallback callback:
                    callback(State);
                    break;
                default:
                    ((Action)Item)();
                    break;
            }
        }
    }
}
