namespace Millstream;

/// <summary>What a resource is doing, as its fleet sees it at this moment.</summary>
public enum ResourceStatus
{
    /// <summary>Some of it can be leased now.</summary>
    Available,

    /// <summary>All of it is leased, or it is cooling down.</summary>
    Busy,

    /// <summary>It cannot be leased: its worker is gone, it failed a check, or nobody owns it.</summary>
    Offline,
}

/// <summary>
/// Something limited that work needs, as a browser or a sandbox. A worker owns it, or it is pool-wide and any worker may take a share.
/// Derive from it to bring a kind of your own; <see cref="OpenAsync"/> makes what a task works with.
/// </summary>
public abstract class Resource
{
    private IResourceOwner? _owner;

    /// <summary>Makes a resource.</summary>
    /// <param name="id">Unique in the fleet.</param>
    /// <param name="type">What requirements name, as in <c>browser</c>.</param>
    /// <param name="capacity">1 for what one task uses alone, else the units that tasks share at the same time.</param>
    /// <param name="labels">What selectors look at.</param>
    /// <exception cref="ArgumentException">The id or type is empty, or the capacity is below 1.</exception>
    protected Resource(string id, string type, long capacity = 1, IReadOnlyDictionary<string, string>? labels = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentException.ThrowIfNullOrWhiteSpace(type);
        if (capacity < 1)
            throw new ArgumentException($"The capacity of {type} {id} is {capacity}; give 1 or more.", nameof(capacity));
        Id = id;
        Type = type;
        Capacity = capacity;
        Labels = labels ?? LabelSelector.NoLabels;
    }

    /// <summary>The id, unique in the fleet.</summary>
    public string Id { get; }

    /// <summary>The type that requirements name.</summary>
    public string Type { get; }

    /// <summary>1 for what one task uses alone, else the units that tasks share.</summary>
    public long Capacity { get; }

    /// <summary>What selectors look at.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>What it is doing now: derived from the leases, not stored.</summary>
    public ResourceStatus Status => _owner?.StatusOf(this) ?? ResourceStatus.Offline;

    /// <summary>
    /// Makes what a task works with for the length of one lease, as a fresh sandbox; it is disposed when the lease ends, however it
    /// ends, and must then stop all that was started through it. Null where the task works with the resource itself.
    /// </summary>
    /// <param name="epoch">The fencing token of the lease, fit for names of folders and groups.</param>
    /// <param name="token">Fires when the lease ends before this is done.</param>
    protected internal virtual ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token) => default;

    internal void Attach(IResourceOwner owner)
    {
        if (Interlocked.CompareExchange(ref _owner, owner, null) is { } other && other != owner)
            throw new InvalidOperationException($"{Type} {Id} belongs to another fleet already; a resource has one owner. Make a new one.");
    }

    internal void Detach(IResourceOwner owner) => Interlocked.CompareExchange(ref _owner, null, owner);
}

/// <summary>Who knows what a resource is doing.</summary>
internal interface IResourceOwner
{
    ResourceStatus StatusOf(Resource resource);
}
