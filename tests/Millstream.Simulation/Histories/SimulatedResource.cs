namespace Millstream.Simulation;

/// <summary>A resource that notes who uses it, and refuses whoever comes with an older lease.</summary>
internal sealed class SimulatedResource(History history, string id, string type, long capacity, IReadOnlyDictionary<string, string>? labels) : Resource(id, type, capacity, labels)
{
    private readonly List<Attempt> _users = [];
    private LeaseEpoch _highest;

    public void Enter(Attempt attempt)
    {
        if (Capacity == 1)
        {
            foreach (Attempt other in _users)
            {
                if (!other.GivesBack)
                    history.Fail($"{Id} was given to {attempt} while {other} was at work on it");
            }
            if (attempt.Lease!.IsValid && attempt.Lease.Epoch <= _highest)
                history.Fail($"{Id} was leased under {_highest}, and then {attempt} under {attempt.Lease.Epoch}");
            if (attempt.Lease.IsValid)
                _highest = attempt.Lease.Epoch;
        }
        _users.Add(attempt);
    }

    public void Leave(Attempt attempt) => _users.Remove(attempt);

    protected internal override async ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
    {
        if (history.Random.Next(3) == 0)
            return null;
        if (history.Random.Next(3) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(history.Random.Next(20)), history.Time, token);
        if (history.Random.Next(30) == 0)
            throw new InvalidOperationException($"{Id} does not open");
        history.Sessions++;
        return new Session(history);
    }

    private sealed class Session(History history) : IAsyncDisposable
    {
        private bool _isClosed;

        public async ValueTask DisposeAsync()
        {
            if (_isClosed)
                history.Fail("a session was closed twice");
            _isClosed = true;
            history.Sessions--;
            if (history.Random.Next(3) == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(history.Random.Next(20)), history.Time);
            if (history.Random.Next(40) == 0)
                throw new InvalidOperationException("does not close");
        }
    }
}
