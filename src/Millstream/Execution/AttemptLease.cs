namespace Millstream;

/// <summary>The lease of one attempt: the grant, and the sessions that its resources opened.</summary>
internal sealed class AttemptLease(Fleet fleet, Grant grant) : Lease
{
    private readonly Lock _gate = new();
    private readonly IAsyncDisposable?[] _sessions = new IAsyncDisposable?[grant.Members.Count];
    private Task? _closing;

    public override LeaseEpoch Epoch => grant.Epoch;

    public override string WorkerId => grant.WorkerId;

    public override IReadOnlyList<Resource> Resources => [.. grant.Members.Select(m => (Resource)m.Unit.Tag!)];

    public override bool IsValid => grant.State == GrantState.Held;

    public override T Get<T>(string? name = null)
    {
        if (!IsValid)
            throw new InvalidOperationException($"The lease {Epoch} has ended; what it gave must not be used any more.");
        List<T> found = [];
        for (int i = 0; i < _sessions.Length; i++)
        {
            GrantMember member = grant.Members[i];
            if ((name is null || member.Requirement.Name == name) && (_sessions[i] ?? member.Unit.Tag) is T fitting)
                found.Add(fitting);
        }
        string wanted = name is null ? typeof(T).Name : $"{typeof(T).Name} named {name}";
        return found.Count switch
        {
            1 => found[0],
            0 => throw new InvalidOperationException($"The lease has no {wanted}; it has {Names}."),
            _ => throw new InvalidOperationException($"The lease has {found.Count} of {wanted} ({Names}); give their requirements names and say which."),
        };
    }

    public override void Settle(long amount, string? name = null)
    {
        for (int i = 0; i < grant.Members.Count; i++)
        {
            ResourceRequirement requirement = grant.Members[i].Requirement;
            if (requirement.Shared && (name is null || requirement.Name == name))
            {
                fleet.Settle(grant, i, amount);
                return;
            }
        }
        throw new InvalidOperationException($"The lease has nothing shared{(name is null ? "" : $" named {name}")} to settle; it has {Names}.");
    }

    public override void Arrived(string? name = null)
    {
        if (name is not null && !grant.Members.Any(m => m.Requirement.Shared && m.Requirement.Name == name))
            throw new InvalidOperationException($"The lease has nothing shared named {name} that could have arrived; it has {Names}.");
        if (grant.Takes is not null)
            fleet.Arrived(grant, name);
    }

    public override void SettleRate(string rate, long amount, string? name = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(rate);
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        int found = -1;
        for (int i = grant.Members.Count - 1; i >= 0; i--)
        {
            GrantMember member = grant.Members[i];
            if (!member.Requirement.Shared || (name is not null && member.Requirement.Name != name))
                continue;
            if (member.Unit.RateNamed(rate) is not null)
                found = i;
            else if (found < 0 && Array.Exists(member.Requirement.RateAmounts, r => r.Name == rate))
                found = i;
        }
        if (found < 0)
            throw new InvalidOperationException($"The lease has no rate {rate}{(name is null ? "" : $" of {name}")} to settle; it has {Names}.");
        fleet.SettleRate(grant, found, rate, amount);
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync();
        fleet.Release(grant);
    }

    /// <summary>Opens the sessions of the resources that have some.</summary>
    public async Task OpenAsync(CancellationToken token)
    {
        for (int i = 0; i < _sessions.Length; i++)
        {
            IAsyncDisposable? session = await ((Resource)grant.Members[i].Unit.Tag!).OpenAsync(grant.Epoch, token);
            bool isLate;
            lock (_gate)
            {
                isLate = _closing is not null;
                if (!isLate)
                    _sessions[i] = session;
            }
            if (isLate && session is not null)
                await session.DisposeAsync();
        }
    }

    /// <summary>Closes the sessions, which stops all that was started through them.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
            return _closing ??= CloseAllAsync();
    }

    private string Names => grant.Members.Count == 0 ? "a slot only; declare what the task needs in its Requirements"
        : string.Join(", ", grant.Members.Select(m => $"{m.Requirement.Name} ({m.Unit.Id})"));

    private async Task CloseAllAsync()
    {
        List<Exception> faults = [];
        foreach (IAsyncDisposable? session in _sessions)
        {
            try
            {
                if (session is not null)
                    await session.DisposeAsync();
            }
            catch (Exception e)
            {
                faults.Add(e);
            }
        }
        if (faults.Count > 0)
            throw new AggregateException(faults);
    }
}
