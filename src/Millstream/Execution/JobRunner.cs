namespace Millstream;

/// <summary>
/// One job: its mailbox, its turns and what its body waits for. Everything but the mailbox belongs to the pump, which one thread
/// at a time runs.
/// </summary>
internal sealed partial class JobRunner : IThreadPoolWorkItem, IJobRuntime, IJobSource
{
    // So that one busy job does not keep a thread from others.
    private const int MaxDeliveries = 64;
    private const long MaxUndurable = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Engine _engine;
    private Delivery? _firstDelivery;
    private Delivery? _lastDelivery;
    private Turn? _firstDurable;
    private bool _scheduled;
    private bool _isPumping;
    private TaskCompletionSource? _quiet;
    private volatile bool _stopped;
    private long _undurable;

    public JobRunner(Engine engine, JobId id, Agent agent, JobOptions options, JobRunner? parent = null, StoredJobState? stored = null, bool isShadow = false)
    {
        _engine = engine;
        Id = id;
        Agent = agent;
        Options = options;
        Parent = parent;
        // Nothing runs its pump.
        IsShadow = _scheduled = isShadow;
        _verification = options.Verify ? new Verification() : null;
        (_restarts, _checkpoint) = (stored?.Head.Restarts ?? 0, stored?.Head.Checkpoint ?? 0);
        Journal = engine.MakeJournal(this, stored);
        Created = Now = stored?.Head.Created.UtcTicks ?? Journal.Time;
        Scheduling = new SchedulingJob(id.Value, options.Tenant, options.Weight, options.Priority);
        _turnContext = new TurnContext(this);
        Span = isShadow ? null : JobSpan.Of(this, isTakenUp: stored is not null);
    }

    public JobId Id { get; }

    /// <summary>What its ids and random numbers are made of: its id, or of a fork that of the job it was made of.</summary>
    public string Seed => ForkSeed ?? Id.Value;

    /// <summary>The seed where it is not the id.</summary>
    public string? ForkSeed { get; set; }

    public Agent Agent { get; }

    public JobOptions Options { get; }

    public JobRunner? Parent { get; }

    public long Created { get; }

    public JobJournal Journal { get; }

    public SchedulingJob Scheduling { get; }

    /// <summary>What its tasks go by, where it executes a graph.</summary>
    public JobPlanner? Planner { get; set; }

    /// <summary>What its run is in traces; null where nobody listens.</summary>
    public JobSpan? Span { get; }

    public Engine Engine => _engine;

    /// <summary>Whether the process is going.</summary>
    public bool IsStopped => _stopped;

    /// <summary>Puts something into the mailbox; the pump takes it.</summary>
    public void Enqueue(Delivery delivery)
    {
        if (TryEnqueueInline(delivery))
            _engine.Executor.Schedule(this);
    }

    /// <summary>Puts something into the mailbox; true when the pump was idle, and then the caller must run or schedule it.</summary>
    public bool TryEnqueueInline(Delivery delivery)
    {
        lock (_gate)
        {
            if (!_stopped)
                return Put(delivery);
        }
        delivery.Dropped(this);
        return false;
    }

    /// <summary>Appends a note of a task that runs.</summary>
    /// <param name="note">The note.</param>
    /// <param name="whenDurable">Who waits until it is durable, or null.</param>
    /// <returns>Whether it is already.</returns>
    public bool Note(JournalEntry note, IDurable? whenDurable = null)
    {
        bool isDurable = Journal.Append(note, whenDurable);
        if (isDurable && Parent is not null)
            Show([note]);
        return isDurable;
    }

    /// <summary>The pump. Whoever comes to it first runs it, be it scheduled or not yet there; who comes later finds it at work or with nothing to do.</summary>
    public void Execute()
    {
        for (int count = 0; count < MaxDeliveries; count++)
        {
            Turn? durable = null;
            Delivery? delivery = null;
            lock (_gate)
            {
                if (count == 0)
                {
                    if (!_scheduled || _isPumping)
                        return;
                    _isPumping = true;
                }
                durable = _firstDurable;
                if (durable is not null)
                    _firstDurable = durable.NextDurable;
                else if (_undurable <= MaxUndurable && !_stopped)
                    delivery = Take();
                if (durable is null && delivery is null)
                {
                    _scheduled = _isPumping = false;
                    _quiet?.TrySetResult();
                }
            }
            if (durable is null && delivery is null)
            {
                TouchWhenIdle();
                return;
            }
            if (durable is not null)
                Apply(durable);
            else if (delivery is RecoverDelivery)
                delivery.Deliver(this);
            else if (Ended is null)
                RunTurn(delivery!);
            else
                delivery!.Dropped(this);
        }
        lock (_gate)
            _isPumping = false;
        _engine.Executor.Schedule(this);
    }

    /// <summary>Makes no delivery any more: the process is going. Done when no turn runs.</summary>
    public Task DetachAsync(Exception? reason = null)
    {
        List<Delivery> left = [];
        Task quiet = Task.CompletedTask;
        lock (_gate)
        {
            _stopped = true;
            while (Take() is { } delivery)
                left.Add(delivery);
            if (_scheduled)
                quiet = (_quiet ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        foreach (Delivery delivery in left)
            delivery.Dropped(this);
        foreach (TaskCommand task in Pending<TaskCommand>())
            task.Detach();
        // Whoever takes the job up takes up its children.
        foreach (ChildCommand child in Pending<ChildCommand>())
            child.Detach(reason);
        DisposeTimers();
        Journal.Close();
        if (!IsShadow)
            EndSpan(isEnded: false);
        Ties.Ending.TrySetException(reason ?? new JobDetachedException(Id));
        _created.TrySetResult(AppendResult.Fenced);
        return quiet;
    }

    private bool Put(Delivery delivery)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.MailboxOrderSwapped) && _firstDelivery is not null) { delivery.Next = _firstDelivery; _firstDelivery = delivery; return Claim(); }
#endif
        if (_lastDelivery is null)
            _firstDelivery = delivery;
        else
            _lastDelivery.Next = delivery;
        _lastDelivery = delivery;
        return Claim();
    }

    private Delivery? Take()
    {
        Delivery? delivery = _firstDelivery;
        if (delivery is null)
            return null;
        _firstDelivery = delivery.Next;
        if (_firstDelivery is null)
            _lastDelivery = null;
        delivery.Next = null;
        return delivery;
    }

    private bool Claim()
    {
        if (_scheduled)
            return false;
        _scheduled = true;
        return true;
    }

    private void TurnIsDurable(Turn turn)
    {
        bool claimed;
        lock (_gate)
        {
            _undurable -= turn.Size;
            Turn? last = _firstDurable;
            while (last?.NextDurable is not null)
                last = last.NextDurable;
            if (last is null)
                _firstDurable = turn;
            else
                last.NextDurable = turn;
            claimed = Claim();
        }
        if (claimed)
            _engine.Executor.Schedule(this);
    }
}
