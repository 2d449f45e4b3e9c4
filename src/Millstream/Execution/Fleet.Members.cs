namespace Millstream;

/// <content>Workers and resources come and go.</content>
internal sealed partial class Fleet
{
    public void Add(Worker worker)
    {
        ResourceUnit[] units = [.. worker.Resources.Select(UnitOf)];
        DoAsOne((scheduler, now) =>
        {
            scheduler.AddWorker(worker.Id, worker.Name, units, now, worker.Slots);
            _workers.Add(worker.Id, worker);
            foreach (Resource resource in worker.Resources)
                Own(resource, now);
        });
    }

    /// <summary>Takes a worker out: its tasks are told to stop and wait again for another.</summary>
    public bool Remove(string workerId)
    {
        bool isRemoved = false;
        DoAsOne((scheduler, now) =>
        {
            isRemoved = scheduler.RemoveWorker(workerId, now);
            if (!_workers.Remove(workerId, out Worker? worker))
                return;
            foreach (Resource resource in worker.Resources)
            {
                _resources.Remove(resource.Id);
                resource.Detach(this);
            }
        });
        return isRemoved;
    }

    /// <summary>Adds a resource of which any worker may take a share.</summary>
    public void AddToPool(Resource resource) => DoAsOne((scheduler, now) =>
    {
        scheduler.AddPoolUnit(UnitOf(resource), now);
        Own(resource, now);
    });

    public void CoolDown(string resourceId, DateTimeOffset until, string? reason) => Do((scheduler, now) => scheduler.CoolDown(resourceId, LongTimer.After(now, until - _time.GetUtcNow()), now, reason));

    public void CoolDown(Resource resource, DateTimeOffset until, string reason) => DoFor(resource, (scheduler, now) => scheduler.CoolDown(resource.Id, LongTimer.After(now, until - _time.GetUtcNow()), now, reason));

    public void SetRate(Resource resource, string rate, long limit) => DoFor(resource, (scheduler, now) => scheduler.SetRate(resource.Id, rate, limit, now));

    public void Throttle(Resource resource, long? most) => DoFor(resource, (scheduler, now) => scheduler.Throttle(resource.Id, most, now));

    public ResourceStatus StatusOf(Resource resource)
    {
        UnitStatus? status;
        lock (_gate)
            status = _scheduler.StatusOf(resource.Id);
        return status switch
        {
            UnitStatus.Available => ResourceStatus.Available,
            UnitStatus.Busy => ResourceStatus.Busy,
            _ => ResourceStatus.Offline,
        };
    }

    public IReadOnlyList<Resource> Resources()
    {
        lock (_gate)
            return [.. _resources.Values];
    }

    public IReadOnlyList<Worker> Workers()
    {
        lock (_gate)
            return [.. _workers.Values];
    }

    private static ResourceUnit UnitOf(Resource resource) =>
        new(resource.Id, resource.Type, resource.Capacity, resource.Labels, resource.Rates) { Tag = resource, Tier = resource.Tier, Weight = resource.Weight };

    // It may leave while somebody tells something of it.
    private void DoFor(Resource resource, Action<Scheduler, long> what) => Do((scheduler, now) =>
    {
        if (_resources.GetValueOrDefault(resource.Id) == resource)
            what(scheduler, now);
    });

    private void Own(Resource resource, long now)
    {
        resource.Attach(this);
        _resources.Add(resource.Id, resource);
        StayOut(resource.Id, now);
    }
}
