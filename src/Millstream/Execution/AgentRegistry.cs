namespace Millstream;

/// <summary>Finds an agent's code by id and version: by hand or through services.</summary>
public sealed class AgentRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Id, string Version), Func<IServiceProvider?, Agent>> _agents = [];

    /// <summary>Registers an agent.</summary>
    /// <exception cref="AgentContractException">Some type of it does not survive as JSON; lists all faults.</exception>
    /// <exception cref="ArgumentException">That id and version is registered already.</exception>
    public AgentRegistry Add(Agent agent)
    {
        ArgumentNullException.ThrowIfNull(agent);
        _ = agent.Contract;
        return Add(agent.Id, agent.Version, _ => agent);
    }

    /// <summary>Registers an agent that is made when it is needed first.</summary>
    /// <exception cref="ArgumentException">That id and version is registered already.</exception>
    public AgentRegistry Add(string id, string version, Func<IServiceProvider, Agent> make)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentException.ThrowIfNullOrWhiteSpace(version);
        ArgumentNullException.ThrowIfNull(make);
        Agent? made = null;
        lock (_gate)
        {
            if (!_agents.TryAdd((id, version), services => made ??= make(services!)))
                throw new ArgumentException($"Agent {id} version {version} is registered already; give the new one another version.", nameof(id));
        }
        return this;
    }

    /// <summary>The agent of that id and exactly that version, else one of that id that says <see cref="Agent.CanRun"/>; null where there is none.</summary>
    /// <param name="id">The id.</param>
    /// <param name="version">The version; null for the newest that was registered.</param>
    /// <param name="services">For agents that are made when needed.</param>
    public Agent? Find(string id, string? version = null, IServiceProvider? services = null)
    {
        lock (_gate)
        {
            if (version is not null && _agents.TryGetValue((id, version), out Func<IServiceProvider?, Agent>? exact))
                return exact(services);
            IEnumerable<Agent> others = _agents.Where(a => a.Key.Id == id).Reverse().Select(a => a.Value(services));
            return others.FirstOrDefault(a => version is null || a.CanRun(version));
        }
    }

    /// <summary>The ids and versions there are, in the order of registration.</summary>
    public IReadOnlyList<(string Id, string Version)> List()
    {
        lock (_gate)
            return [.. _agents.Keys];
    }
}
