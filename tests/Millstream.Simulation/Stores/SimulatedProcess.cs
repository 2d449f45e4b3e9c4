using Microsoft.Extensions.Logging;

namespace Millstream.Simulation;

/// <summary>Where a process may end.</summary>
internal enum CrashPoint { Never, Call, Sync, Done, Dispatch, TaskEnd, Step }

/// <summary>What becomes of a call of the store.</summary>
internal enum Fate { IsDone, Fails, FailsWhenDone }

/// <summary>The process has ended while it was asked for something.</summary>
internal sealed class ProcessGoneException() : Exception("the process is gone");

/// <summary>One life of a simulated process: an orchestrator on a store, until it crashes.</summary>
internal sealed class SimulatedProcess : ILoggerFactory, ILogger
{
    private readonly DurableHistory _history;
    private readonly List<Action> _calls = [];
    private readonly TaskCompletionSource _death = new();
    private readonly Dictionary<JobId, (object Context, BodyRecord Record)> _bodies = [];
    private readonly CrashPoint _crashAt;
    private readonly int _immediate;
    private readonly int _slow;
    private readonly int _failures;
    private int _crashIn;

    public SimulatedProcess(DurableHistory history, Disk disk, int number)
    {
        (_history, Number) = (history, number);
        Executor = new ProcessExecutor(history.Executor, history.Time) { Process = this };
        Random random = history.Random;
        _immediate = random.Next(4) switch { 0 => 100, 1 => 0, _ => random.Next(100) };
        _slow = random.Next(4) == 0 ? 60 : 4;
        _failures = random.Next(3) == 0 ? 2 + random.Next(30) : 0;
        PageSize = random.Next(2) == 0 ? 256 : 1 + random.Next(4);
        if (!history.IsSettling && random.Next(4) > 0)
        {
            _crashAt = (CrashPoint)(1 + random.Next(6));
            _crashIn = 1 + random.Next(_crashAt == CrashPoint.Step ? 1500 : _crashAt is CrashPoint.Dispatch or CrashPoint.TaskEnd ? 30 : random.Next(2) == 0 ? 12 : 150);
        }
        Store = new SimulatedStore(disk, this);
        Orchestrator = Executor.Run(() => new AgentOrchestrator(new OrchestratorOptions
        {
            Workers = [], Executor = Executor, Time = Executor.Clock, Seed = random.Next(), Logging = this, GracePeriod = TimeSpan.FromMilliseconds(50 + random.Next(400)), Journal = Store,
            Agents = history.Workflows.Aggregate(new AgentRegistry().Add(PlanAgent.Instance).Add(PlanLoopAgent.Instance), (all, w) => all.Add(w.Workflow.Agent)), LookAheadPatience = Millstream.Simulation.History.Patience,
            Limits = new OrchestratorLimits { EndedJobs = random.Next(2) * 1000, WaitingJobs = random.Next(3) switch { 0 => 0, 1 => 2, _ => 1000 } },
            MinCheckpoint = random.Next(3) * random.Next(400), MaxInline = number % 2 == 0 ? 64 : EntryWriter.MaxInline,
            Restarts = new RetryPolicy { Attempts = 1000, Delay = TimeSpan.FromMilliseconds(random.Next(2) * random.Next(300)), MaxDelay = TimeSpan.FromMilliseconds(500) },
        }));
        foreach (SimulatedWorkflow workflow in history.Workflows)
            workflow.Teach(Orchestrator);
    }

    public int Number { get; }

    public DurableHistory History => _history;

    public ProcessExecutor Executor { get; }

    public SimulatedStore Store { get; }

    public AgentOrchestrator Orchestrator { get; }

    /// <summary>How many records its store gives at a time.</summary>
    public int PageSize { get; }

    public bool IsDead => Executor.IsDead;

    /// <summary>Whether it has taken up what it found.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Since when.</summary>
    public long ReadySince { get; private set; }

    /// <summary>Whether its journal has failed, so that it can do nothing any more.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether others may take its jobs although it lives.</summary>
    public bool IsTakenForDead { get; private set; }

    /// <summary>Done when it has ended.</summary>
    public Task Death => _death.Task;

    public int Sessions { get; set; }

    /// <summary>Its workers.</summary>
    public WorkerPark? Park { get; set; }

    /// <summary>Whether it has a worker that can do everything.</summary>
    public bool HasSpare { get; set; }

    public override string ToString() => $"process {Number}";

    /// <summary>Starts it.</summary>
    public async Task StartAsync()
    {
        await CallAsync(async () =>
        {
            await Orchestrator.StartAsync();
            return true;
        });
        (IsReady, ReadySince) = (true, _history.Time.Now);
    }

    /// <summary>Does something in the process for the world outside.</summary>
    /// <exception cref="ProcessGoneException">It ended before it had an answer.</exception>
    public Task<T> CallAsync<T>(Func<Task<T>> work)
    {
        TaskCompletionSource<T> answer = new();
        Action gone = () => answer.TrySetException(new ProcessGoneException());
        if (IsDead)
            gone();
        else
        {
            _calls.Add(gone);
            _ = Executor.Run(DoAsync);
        }
        return answer.Task;

        async Task DoAsync()
        {
            try
            {
                T result = await work();
                if (!IsDead)
                    answer.TrySetResult(result);
            }
            catch (Exception e)
            {
                if (!IsDead)
                    answer.TrySetException(e);
            }
            _calls.Remove(gone);
        }
    }

    /// <summary>The record of a body that runs here. Each run of a body has a context of its own.</summary>
    public BodyRecord Body(AgentContext<int, int> context)
    {
        if (!_bodies.TryGetValue(context.JobId, out (object Context, BodyRecord Record) body) || body.Context != context)
            _bodies[context.JobId] = body = (context, new BodyRecord());
        return body.Record;
    }

    /// <summary>What the last run of a job's body got.</summary>
    public BodyRecord LastBody(JobId id) => _bodies.GetValueOrDefault(id).Record ?? new BodyRecord();

    /// <summary>Comes to a point at which it may end.</summary>
    public void Cross(CrashPoint point)
    {
        if (point == _crashAt && !IsDead && !_history.IsSettling && --_crashIn == 0)
            Crash();
    }

    /// <summary>Ends it: nothing of it is left but what is stored.</summary>
    public void Crash()
    {
        if (IsDead)
            return;
        Executor.Die();
        Store.Crash(() => _history.Random.Next(2) == 0);
        _history.Crashed(this);
        foreach (Action gone in _calls)
            gone();
        _calls.Clear();
        _death.TrySetResult();
    }

    /// <summary>It hangs, and others take it for dead or not.</summary>
    public void Hang(bool isTakenForDead)
    {
        Executor.Hang();
        IsTakenForDead |= isTakenForDead;
        if (isTakenForDead)
            Store.DeclareDead();
    }

    public Fate FateOf(StoreCall call) => _history.IsSettling || _failures == 0 || _history.Random.Next(1000) >= _failures ? Fate.IsDone
        : call != StoreCall.Read && _history.Random.Next(2) == 0 ? Fate.FailsWhenDone : Fate.Fails;

    /// <summary>What a store takes of its time; for ever where the process is gone.</summary>
    public Task PauseAsync()
    {
        if (IsDead)
            return LiveAsync();
        if (_history.Random.Next(100) < _immediate)
            return Task.CompletedTask;
        TaskCompletionSource over = new();
        if (_history.Random.Next(2) == 0)
            Executor.Schedule(over.SetResult);
        else
            Executor.Clock.CreateTimer(static state => ((TaskCompletionSource)state!).SetResult(), over, TimeSpan.FromMilliseconds(_history.Random.Next(_slow)), Timeout.InfiniteTimeSpan);
        return over.Task;
    }

    /// <summary>Done at once as long as it lives, and never when it is gone.</summary>
    public Task LiveAsync() => IsDead ? new TaskCompletionSource().Task : Task.CompletedTask;

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    void IDisposable.Dispose()
    {
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsDead || state is not IReadOnlyList<KeyValuePair<string, object?>> fields)
            return;
        switch (eventId.Id)
        {
            case 1:
                _history.Ledger.LeftBehind((JobId)fields[1].Value!, (string)fields[0].Value!, Executor);
                break;
            case 7 when _history.Ledger.Find((JobId)fields[0].Value!) is { } job:
                _history.Fail($"{this}: {formatter(state, exception)}", job);
                break;
            case 8:
                // Who looks after the process ends it soon.
                IsBroken = true;
                _history.Later(_history.Random.Next(60), Crash);
                break;
            case 10:
                _history.Fail($"{this}: {formatter(state, exception)}");
                break;
        }
    }
}
