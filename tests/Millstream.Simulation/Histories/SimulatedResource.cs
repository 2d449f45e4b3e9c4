namespace Millstream.Simulation;

/// <summary>A resource that notes who uses it, and refuses whoever comes with an older lease.</summary>
internal sealed class SimulatedResource(History history, Dictionary<string, LeaseEpoch> epochs, string id, string type, long capacity, IReadOnlyDictionary<string, string>? labels, params RateLimit[] rates) : Resource(id, type, capacity, labels, rates)
{
    private readonly Queue<(long At, long Amount)> _counted = new();
    private long _most;
    private long _throttledSince = -1;
    private (long Since, long Until) _cool;
    private long _leasable = capacity;
    private readonly List<Attempt> _users = [];

    /// <summary>What the other side sees: an amount arrives, and no window of its may have more than the limit.</summary>
    public void Counts(Attempt attempt, long amount)
    {
        long now = history.Time.Now;
        _counted.Enqueue((now, amount));
        while (_counted.Peek().At + Rates[0].Window.Ticks <= now)
            _counted.Dequeue();
        _most = _counted.Sum(c => c.Amount);
        if (_most > Rates[0].Limit)
            history.Fail($"{attempt} sends {amount}, and {Id} has {_most} of {Rates[0]} then");
    }

    public void Cool(int milliseconds)
    {
        CoolDown(history.Clock.GetUtcNow().AddMilliseconds(milliseconds), "it had no room");
        if (history.Time.Now + TimeSpan.FromMilliseconds(milliseconds).Ticks > _cool.Until)
            _cool = (_cool.Until > history.Time.Now ? _cool.Since : history.Time.Now, history.Time.Now + TimeSpan.FromMilliseconds(milliseconds).Ticks);
    }

    public bool IsThrottled => _leasable < Capacity;

    public void ThrottleTo(long? most)
    {
        (_leasable, _throttledSince) = (most ?? Capacity, history.Time.Now);
        Throttle(most);
    }

    /// <summary>Its fleet forgets what it was told of it when it leaves.</summary>
    public void Left() => _cool = default;

    /// <summary>It was leased at that time; what it had been told before then holds.</summary>
    private void CheckGiven(Attempt attempt)
    {
        long granted = attempt.GrantedAt;
        if (granted > _cool.Since && granted < _cool.Until)
            history.Fail($"{Id} was given to {attempt} while it cooled down");
        if (granted > _throttledSince && _leasable == 0 && _throttledSince >= 0)
            history.Fail($"{Id} was given to {attempt} and is throttled to nothing");
    }

    public void Enter(Attempt attempt)
    {
        CheckGiven(attempt);
        if (Capacity == 1)
        {
            foreach (Attempt other in _users)
            {
                if (!other.GivesBack)
                    history.Fail($"{Id} was given to {attempt} while {other} was at work on it");
            }
            LeaseEpoch highest = epochs.GetValueOrDefault(Id);
            if (attempt.Lease!.IsValid && attempt.Lease.Epoch <= highest)
                history.Fail($"{Id} was leased under {highest}, and then {attempt} under {attempt.Lease.Epoch}");
            if (attempt.Lease.IsValid)
                epochs[Id] = attempt.Lease.Epoch;
        }
        _users.Add(attempt);
    }

    public void Leave(Attempt attempt) => _users.Remove(attempt);

    protected internal override async ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
    {
        if (history.Random.Next(3) == 0)
            return null;
        if (history.Random.Next(3) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(history.Random.Next(20)), history.Clock, token);
        if (history.Random.Next(30) == 0)
            throw new InvalidOperationException($"{Id} does not open");
        return new Session(history, history.Executor.Process);
    }

    private sealed class Session : IAsyncDisposable
    {
        private readonly History _history;
        private readonly ProcessExecutor? _process;
        private bool _isClosed;

        public Session(History history, ProcessExecutor? process)
        {
            (_history, _process) = (history, process);
            history.CountSession(process, 1);
        }

        public async ValueTask DisposeAsync()
        {
            if (_isClosed)
                _history.Fail("a session was closed twice");
            _isClosed = true;
            _history.CountSession(_process, -1);
            if (_history.Random.Next(3) == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(_history.Random.Next(20)), _history.Clock);
            if (_history.Random.Next(40) == 0)
                throw new InvalidOperationException("does not close");
        }
    }
}
