namespace Millstream.Simulation;

/// <summary>A resource that notes who uses it, and refuses whoever comes with an older lease.</summary>
internal sealed class SimulatedResource(History history, Dictionary<string, LeaseEpoch> epochs, string id, string type, long capacity, IReadOnlyDictionary<string, string>? labels) : Resource(id, type, capacity, labels)
{
    private readonly List<Attempt> _users = [];

    public void Enter(Attempt attempt)
    {
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
