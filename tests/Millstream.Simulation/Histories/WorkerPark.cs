namespace Millstream.Simulation;

/// <summary>The workers of a history with their resources: they go, come back, fail and cool down.</summary>
internal sealed class WorkerPark
{
    private readonly History _history;
    private readonly List<(string Id, int Slots, List<SimulatedResource> Resources)> _workers = [];
    private readonly SimulatedResource _tokens;
    private readonly HashSet<string> _gone = [];
    private readonly Dictionary<string, LeaseEpoch> _epochs;

    /// <param name="history">The history.</param>
    /// <param name="epochs">The highest epoch that each resource was leased under; outlives the process that leased it.</param>
    public WorkerPark(History history, Dictionary<string, LeaseEpoch> epochs)
    {
        (_history, _epochs) = (history, epochs);
        Random random = history.Random;
        for (int w = 1 + random.Next(3); w > 0; w--)
        {
            List<SimulatedResource> resources = [];
            for (int i = random.Next(4); i > 0; i--)
                resources.Add(Make($"b{w}{i}", "browser", 1, random.Next(2) == 0 ? "intel" : "amd"));
            for (int i = random.Next(2); i > 0; i--)
                resources.Add(Make($"g{w}{i}", "gpu", 1, null));
            _workers.Add(($"w{w}", 1 + random.Next(random.Next(2) == 0 ? 3 : 20), resources));
        }
        if (history.Workflows.Length > 0)
            _workers.Add(("shop", 2 + history.Chance.Next(3), [.. Enumerable.Range(1, 4).Select(i => Make($"l{i}", "lathe", 1, null))]));
        _tokens = Make("tokens", "tokens", 8, null, new RateLimit("words", 24, TimeSpan.FromMilliseconds(20 + history.Chance.Next(200))));
    }

    /// <param name="orchestrator">Whose fleet it is.</param>
    /// <param name="isOver">Whether faults have stopped.</param>
    public async Task BefallAsync(AgentOrchestrator orchestrator, Func<bool> isOver)
    {
        Random random = _history.Random;
        orchestrator.Engine.Fleet.AddToPool(_tokens);
        if (random.Next(4) > 0)
            Restore(orchestrator);
        else
            _gone.UnionWith(_workers.Select(w => w.Id));
        for (int i = random.Next(2) * random.Next(12); i > 0; i--)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), _history.Time);
            if (isOver())
                return;
            if (_history.Chance.Next(4) == 0)
                _tokens.ThrottleTo(_history.Chance.Next(2) == 0 ? null : _history.Chance.Next(9));
            Befall(orchestrator, random);
        }
    }

    /// <summary>Adds a worker that can do everything, for tasks that came when nobody could say what the fleet would offer.</summary>
    public void AddSpare() => _workers.Add(("spare", 4, [Make("b1", "browser", 1, "intel"), Make("b2", "browser", 1, "intel"), Make("g", "gpu", 1, null)]));

    /// <summary>Brings all workers back and all resources into use.</summary>
    public void Restore(AgentOrchestrator orchestrator)
    {
        foreach ((string id, int slots, List<SimulatedResource> resources) in _workers)
        {
            if (orchestrator.Workers.All(w => w.Id != id))
                orchestrator.AddWorker(new Worker(id, resources, slots));
            foreach (SimulatedResource resource in resources.Where(r => r.Status == ResourceStatus.Offline))
                orchestrator.SetOnline(resource.Id);
        }
        _gone.Clear();
        if (_tokens.IsThrottled)
            _tokens.ThrottleTo(null);
        if (_tokens.Status == ResourceStatus.Offline)
            orchestrator.SetOnline(_tokens.Id);
    }

    private void Befall(AgentOrchestrator orchestrator, Random random)
    {
        (string id, int slots, List<SimulatedResource> resources) = _workers[random.Next(_workers.Count)];
        if (_gone.Contains(id))
        {
            orchestrator.AddWorker(new Worker(id, resources, slots));
            _gone.Remove(id);
            return;
        }
        SimulatedResource? resource = resources.Count == 0 || random.Next(5) == 0 ? _tokens : resources[random.Next(resources.Count)];
        switch (random.Next(6))
        {
            case 0:
                orchestrator.RemoveWorker(id);
                resources.ForEach(r => r.Left());
                _gone.Add(id);
                break;
            case 1 or 2:
                orchestrator.SetOffline(resource.Id, "it was unplugged");
                if (random.Next(2) == 0)
                    orchestrator.SetOnline(resource.Id);
                break;
            case 3:
                orchestrator.SetOnline(resource.Id);
                break;
            default:
                resource.Cool(random.Next(80));
                break;
        }
    }

    private SimulatedResource Make(string id, string type, long capacity, string? vendor, params RateLimit[] rates) =>
        new(_history, _epochs, id, type, capacity, vendor is null ? null : new Dictionary<string, string> { ["vendor"] = vendor }, rates);
}
