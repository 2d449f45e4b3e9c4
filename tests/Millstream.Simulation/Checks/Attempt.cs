namespace Millstream.Simulation;

/// <summary>One attempt as its own code sees it.</summary>
internal sealed class Attempt(History history, JobRecord job, TaskAttempt context, string key)
{
    private readonly List<SimulatedResource> _resources = [];
    private readonly ProcessExecutor? _process = history.Executor.Process;
    private bool _isWatching;
    private bool _isSent;

    public string Key => key;

    public JobRecord Job => job;

    /// <summary>When its lease was given, as time passes for the simulation.</summary>
    public long GrantedAt { get; } = history.Time.Now - (context.Engine.Fleet.Passed - context.Grant.GrantedAt);

    public Lease? Lease { get; private set; }

    /// <summary>Whether the runtime gave it up because it does not stop.</summary>
    public bool IsLeftBehind { get; set; }

    /// <summary>Whether its code said that it is done with what it leased.</summary>
    public bool GivesBack { get; set; }

    public int Number => context.Attempt;

    public int Command => int.Parse(key.AsSpan(key.LastIndexOf('/') + 1), provider: null);

    public string TaskId => context.TaskId;

    public override string ToString() => $"attempt {Number} of {TaskId} ({key})";

    /// <summary>The process in which it runs; null where there are none.</summary>
    public ProcessExecutor? Process => _process;

    /// <summary>How many pieces of output it has given while its code ran.</summary>
    public int Pieces { get; private set; }

    /// <summary>Output that says whose it is.</summary>
    public static string Piece(string key, int attempt) => $"[{key} {attempt}]";

    /// <summary>A piece of output, while its code runs.</summary>
    public byte[] Output()
    {
        Pieces += job.Running.Contains(this) ? 1 : 0;
        return System.Text.Encoding.UTF8.GetBytes(Piece(key, Number));
    }

    /// <summary>Does something a little later, as long as its process lives.</summary>
    public void Schedule(Action work) => history.Executor.Add(work, null, _process);

    public void Use()
    {
        if (context.Grant.Members.Count == 0)
            return;
        Lease = context.Lease;
        foreach (SimulatedResource resource in Lease.Resources.Cast<SimulatedResource>().Distinct())
        {
            resource.Enter(this);
            _resources.Add(resource);
        }
    }

    /// <summary>Sends what it has taken of a rate to the other side, once and at some time of its work; sometimes it tells that it has arrived, or is refused.</summary>
    /// <exception cref="ResourceBusyException">The other side has refused it.</exception>
    public void Send()
    {
        if (_isSent || Lease is null || history.Chance.Next(3) == 0)
            return;
        foreach (GrantMember member in context.Grant.Members.Where(m => m.Requirement.Rates.Count > 0))
        {
            _isSent = true;
            var resource = (SimulatedResource)member.Unit.Tag!;
            resource.Counts(this, member.Requirement.Rates["words"]);
            switch (history.Chance.Next(6))
            {
                case 0 or 1:
                    Lease.Arrived();
                    break;
                case 2:
                    resource.Cool(history.Chance.Next(60));
                    throw new ResourceBusyException("busy", history.Chance.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(history.Chance.Next(30)));
            }
        }
    }

    /// <summary>The attempt's token; notes when it fires.</summary>
    public CancellationToken Token()
    {
        CancellationToken token = context.CancellationToken;
        if (!_isWatching)
            token.UnsafeRegister(static state => ((Attempt)state!).Fired(), this);
        _isWatching = true;
        return token;
    }

    public void GoesOn()
    {
        if (!history.Executor.IsHere)
            history.Fail($"{this} goes on off its thread");
    }

    public int Result()
    {
        int result = history.NewValue();
        history.Ledger.Returned.Add(result, this);
        return result;
    }

    public void Ended()
    {
        foreach (SimulatedResource resource in _resources)
            resource.Leave(this);
        // Not of a process that ended in this very step.
        if (job.Running.Remove(this))
            history.Ledger.Running--;
    }

    private void Fired()
    {
        if (context.Ending == AttemptEnd.None)
            history.Fail($"{this} was told to stop for no reason");
        if (context.Ending == AttemptEnd.Stopped && !(job.Stops.TryGetValue(Command, out long stop) && job.IsDurable(stop)))
            history.Fail($"{this} was stopped before its stop was durable");
    }
}
