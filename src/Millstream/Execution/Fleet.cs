namespace Millstream;

/// <summary>
/// The shell around the scheduler: one lock, the clock, the workers and their resources. Decisions are made under the lock and acted on
/// outside of it.
/// </summary>
internal sealed partial class Fleet : IResourceOwner
{
    private const int KeptDecisions = 256;

    [ThreadStatic]
    private static List<Decision>? s_decisions;

    private readonly Lock _gate = new();
    private readonly Scheduler _scheduler;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly long _stamp;
    private readonly Dictionary<string, Worker> _workers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Resource> _resources = new(StringComparer.Ordinal);
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;

    public Fleet(SchedulerOptions options, TimeProvider time, long runnerEpoch)
    {
        _scheduler = new Scheduler(options, runnerEpoch);
        (_time, _began, _stamp) = (time, time.GetUtcNow().UtcTicks, time.GetTimestamp());
        _timer = time.CreateTimer(static state => ((Fleet)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        FleetGauges.Add(this);
    }

    /// <summary>The store has given the process its number: leases are told from those of earlier ones by it.</summary>
    public void SetRunner(long epoch)
    {
        lock (_gate)
            _scheduler.SetRunner(epoch);
    }

    /// <summary>Time as the scheduler has it.</summary>
    public long Passed => Now;

    /// <summary>What the wall clock showed, in UTC ticks, when it was this time here.</summary>
    public long WallTimeOf(long passed) => _time.GetUtcNow().UtcTicks - (Now - passed);

    // Time as it passes: what others count in a window does not pass sooner because somebody has set the wall clock.
    private long Now => _began + _time.GetElapsedTime(_stamp).Ticks;

    /// <summary>Gives back what ended tasks held and asks for what their successors need, as one moment.</summary>
    public void Exchange(JobRunner.Turn turn)
    {
        int tasks = 0;
        TaskCommand? only = null;
        foreach (JobRunner.Effect effect in turn.Effects)
        {
            if (effect is { IsStop: false, Command: TaskCommand task } && task.TryPrepare())
            {
                tasks++;
                only = task;
            }
        }
        List<Grant>? releases = turn.Releases;
        if (tasks == 0 && releases is null or { Count: 0 })
            return;
        List<Decision>? decisions;
        lock (_gate)
        {
            long now = Now;
            _scheduler.BeginBatch();
            try
            {
                foreach (Grant grant in releases ?? [])
                    _scheduler.Release(grant, now);
                if (tasks == 1)
                {
                    _scheduler.Submit(only!.MakeRequest(_scheduler), now);
                }
                else if (tasks > 0)
                {
                    foreach (JobRunner.Effect effect in turn.Effects)
                    {
                        if (effect is { IsStop: false, Command: TaskCommand { IsPrepared: true } task })
                            _scheduler.Submit(task.MakeRequest(_scheduler), now);
                    }
                }
            }
            finally
            {
                _scheduler.EndBatch();
            }
            decisions = Drain(now);
        }
        Act(decisions);
    }

    public void Submit(TaskCommand task)
    {
        if (task.TryPrepare())
            Do((scheduler, now) => scheduler.Submit(task.MakeRequest(scheduler), now));
    }

    /// <summary>Gives a lease back. Doing it twice changes nothing.</summary>
    public void Release(Grant grant)
    {
        List<Decision>? decisions;
        lock (_gate)
        {
            long now = Now;
            _scheduler.Release(grant, now);
            decisions = Drain(now);
        }
        Act(decisions);
    }

    public void Settle(Grant grant, int member, long amount) => Do((scheduler, now) => scheduler.Settle(grant, member, amount, now));

    public void Arrived(Grant grant, string? name) => Do((scheduler, now) => scheduler.Arrived(grant, name, now));

    public void SettleRate(Grant grant, int member, string rate, long amount) => Do((scheduler, now) => scheduler.SettleRate(grant, member, rate, amount, now));

    /// <summary>Takes back a request that waits; false where it does not.</summary>
    public bool Withdraw(TaskRequest request)
    {
        bool withdrawn = false;
        Do((scheduler, now) => withdrawn = scheduler.Withdraw(request, now));
        return withdrawn;
    }

    public string Explain(TaskRequest request)
    {
        lock (_gate)
        {
            _scheduler.WallAhead = _time.GetUtcNow().UtcTicks - Now;
            return _scheduler.Explain(request);
        }
    }

    public SchedulerSnapshot Snapshot()
    {
        lock (_gate)
        {
            _scheduler.WallAhead = _time.GetUtcNow().UtcTicks - Now;
            return _scheduler.Snapshot();
        }
    }

    /// <summary>What is leased and free of each type.</summary>
    public IReadOnlyList<ResourceUse> Use()
    {
        lock (_gate)
            return _scheduler.Use();
    }

    public void Dispose()
    {
        FleetGauges.Remove(this);
        _timer.Dispose();
    }

    private void Do(Action<Scheduler, long> what)
    {
        List<Decision>? decisions;
        lock (_gate)
        {
            long now = Now;
            what(_scheduler, now);
            decisions = Drain(now);
        }
        Act(decisions);
    }

    private void Tick()
    {
        lock (_gate)
            _armedFor = long.MaxValue;
        Do(static (scheduler, now) => scheduler.Tick(now));
    }

    private List<Decision>? Drain(long now, List<Decision>? decisions = null)
    {
        while (_scheduler.TryTake(out Decision decision))
        {
            if (decisions is null)
            {
                decisions = s_decisions ?? new List<Decision>(4);
                s_decisions = null;
            }
            decisions.Add(decision);
        }
        // Only ever moved nearer: firing once too often is cheaper than arming at each call.
        if (_scheduler.NextWake(now) is { } wake && wake < _armedFor)
        {
            _armedFor = wake;
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(TimeSpan.FromTicks(Math.Max(0, wake - now)).TotalMilliseconds, LongTimer.Longest.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
        return decisions;
    }

    private static void Act(List<Decision>? decisions)
    {
        if (decisions is null)
            return;
        foreach (Decision decision in decisions)
        {
            var task = (TaskCommand)decision.Request.Tag!;
            switch (decision.Kind)
            {
                case DecisionKind.Granted:
                    task.Granted(decision.Grant!);
                    break;
                case DecisionKind.Revoked:
                    task.Revoked(decision.Grant!, decision.Reason!);
                    break;
                default:
                    task.NeverFeasible(decision.Reason!);
                    break;
            }
        }
        // Kept for the next call on this thread; a call from inside found none and made its own.
        if (decisions.Capacity <= KeptDecisions)
        {
            decisions.Clear();
            s_decisions = decisions;
        }
    }
}
