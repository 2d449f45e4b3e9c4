namespace Millstream;

/// <summary>
/// Executes tasks on the resources it owns. Units are leased one by one; the implicit slots bound how many tasks run on it at
/// once. One resource per worker is the smallest blast radius; see docs/resources.md.
/// </summary>
public sealed class Worker
{
    /// <summary>The slots of a worker that names no number.</summary>
    public const int DefaultSlots = 64;

    /// <summary>Makes a worker.</summary>
    /// <param name="id">Unique in the fleet.</param>
    /// <param name="resources">What it owns.</param>
    /// <param name="slots">How many tasks it runs at once at most.</param>
    /// <param name="name">The name for people; the id when null.</param>
    /// <exception cref="ArgumentException">The id is empty or the slots are below 1.</exception>
    public Worker(string id, IReadOnlyList<Resource>? resources = null, int slots = DefaultSlots, string? name = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        if (slots < 1)
            throw new ArgumentException($"Worker {id} has {slots} slots; give it 1 or more.", nameof(slots));
        Id = id;
        Name = name ?? id;
        Resources = resources ?? [];
        Slots = slots;
    }

    /// <summary>The id, unique in the fleet.</summary>
    public string Id { get; }

    /// <summary>The name for people.</summary>
    public string Name { get; }

    /// <summary>What it owns.</summary>
    public IReadOnlyList<Resource> Resources { get; }

    /// <summary>How many tasks it runs at once at most.</summary>
    public int Slots { get; }

    /// <summary>Whether its own resources could ever meet each requirement of the task. What only a pool-wide resource offers is not counted.</summary>
    public bool CanExecute(AgentTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Requirements.All(Offers);
    }

    /// <summary>Runs one attempt of a task here. The caller holds the lease that the context names.</summary>
    public Task<TOutput> ExecuteAsync<TInput, TOutput>(AgentTask<TInput, TOutput> task, TInput input, TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(context);
        return task.RunAsync(input, context);
    }

    private bool Offers(ResourceRequirement need)
    {
        IEnumerable<Resource> fitting = Resources.Where(r => r.Type == need.Type && need.Labels.Matches(r.Labels));
        return need.Shared ? fitting.Any(r => r.Capacity >= need.Amount) : fitting.Count() >= need.Amount;
    }
}
