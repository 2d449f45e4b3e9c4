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
    private readonly double _weight = 1;
    private IResourceOwner? _owner;

    /// <summary>Makes a resource.</summary>
    /// <param name="id">Unique in the fleet.</param>
    /// <param name="type">What requirements name, as in <c>browser</c>.</param>
    /// <param name="capacity">1 for what one task uses alone, else the units that tasks share at the same time.</param>
    /// <param name="labels">What selectors look at.</param>
    /// <param name="rates">What it takes in a window of time, beside its capacity.</param>
    /// <exception cref="ArgumentException">The id or type is empty, the capacity is below 1, or two rates have the same name.</exception>
    protected Resource(string id, string type, long capacity = 1, IReadOnlyDictionary<string, string>? labels = null, IReadOnlyList<RateLimit>? rates = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentException.ThrowIfNullOrWhiteSpace(type);
        if (capacity < 1)
            throw new ArgumentException($"The capacity of {type} {id} is {capacity}; give 1 or more.", nameof(capacity));
        Id = id;
        Type = type;
        Capacity = capacity;
        Labels = labels ?? LabelSelector.NoLabels;
        Rates = rates is null ? [] : [.. rates];
        if (Rates.GroupBy(r => r.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"{type} {id} has {twice.Count()} rates named {twice.Key}; give each a name of its own.", nameof(rates));
    }

    /// <summary>The id, unique in the fleet.</summary>
    public string Id { get; }

    /// <summary>The type that requirements name.</summary>
    public string Type { get; }

    /// <summary>1 for what one task uses alone, else the units that tasks share.</summary>
    public long Capacity { get; }

    /// <summary>What selectors look at.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>What it takes in a window of time, as it was made; what <see cref="SetRate"/> says is not shown here.</summary>
    public IReadOnlyList<RateLimit> Rates { get; }

    /// <summary>Shared needs take from a lower tier first, and from the next where that has no room; 0 by default.</summary>
    public int Tier { get; init; }

    /// <summary>Shared needs take from that of a tier of which least is leased, divided by this; 1 by default.</summary>
    /// <exception cref="ArgumentException">It is not a number above zero.</exception>
    public double Weight
    {
        get => _weight;
        init => _weight = value > 0 && double.IsFinite(value) ? value : throw new ArgumentException($"{nameof(Weight)} of {Type} {Id} is {value}; give a number above zero.", nameof(value));
    }

    /// <summary>What it is doing now: derived from the leases, not stored.</summary>
    public ResourceStatus Status => _owner?.StatusOf(this) ?? ResourceStatus.Offline;

    /// <summary>
    /// Makes what a task works with for the length of one lease, as a fresh sandbox; it is disposed when the lease ends, however it
    /// ends, and must then stop all that was started through it. Null where the task works with the resource itself.
    /// </summary>
    /// <param name="epoch">The fencing token of the lease, fit for names of folders and groups.</param>
    /// <param name="token">Fires when the lease ends before this is done.</param>
    protected internal virtual ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token) => default;

    /// <summary>
    /// Gives it to nobody new until then; who has it keeps it. An earlier time than one that was said before changes nothing, nor does it where the
    /// resource belongs to no fleet. From any thread.
    /// </summary>
    /// <param name="until">When it may be given again.</param>
    /// <param name="reason">Why, for who waits.</param>
    public void CoolDown(DateTimeOffset until, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        Volatile.Read(ref _owner)?.CoolDown(this, until, reason);
    }

    /// <summary>
    /// Sets a limit that was learned, as from the headers of a response; it may be lower than what is in use, and then nothing is given until enough
    /// has passed. It holds until the resource leaves its fleet; where it belongs to none nothing changes. From any thread.
    /// </summary>
    /// <param name="rate">The name of one of <see cref="Rates"/>.</param>
    /// <param name="limit">The most in a window, 1 or more.</param>
    /// <exception cref="ArgumentException">It has no such rate, or the limit is below 1.</exception>
    public void SetRate(string rate, long limit)
    {
        if (!Rates.Any(r => r.Name == rate))
            throw new ArgumentException($"{Type} {Id} has no rate named {rate}; it has {string.Join(", ", Rates.Select(r => r.Name).DefaultIfEmpty("none"))}.", nameof(rate));
        RateLimit.Checked(rate, limit);
        Volatile.Read(ref _owner)?.SetRate(this, rate, limit);
    }

    /// <summary>
    /// Leases at most so much of its capacity at once from now on, as one call to try whether it works again; who has more keeps it. Where it
    /// belongs to no fleet nothing changes. From any thread.
    /// </summary>
    /// <param name="most">The most, 0 or more; null for all of it again.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is below 0.</exception>
    public void Throttle(long? most)
    {
        if (most < 0)
            throw new ArgumentOutOfRangeException(nameof(most), most, $"{Type} {Id} cannot lease fewer than 0 units; give 0 or more, or null for all of it.");
        Volatile.Read(ref _owner)?.Throttle(this, most);
    }

    internal void Attach(IResourceOwner owner)
    {
        if (Interlocked.CompareExchange(ref _owner, owner, null) is { } other && other != owner)
            throw new InvalidOperationException($"{Type} {Id} belongs to another fleet already; a resource has one owner. Make a new one.");
    }

    internal void Detach(IResourceOwner owner) => Interlocked.CompareExchange(ref _owner, null, owner);
}

/// <summary>Who knows what a resource is doing, and gives it away.</summary>
internal interface IResourceOwner
{
    ResourceStatus StatusOf(Resource resource);

    void CoolDown(Resource resource, DateTimeOffset until, string reason);

    void SetRate(Resource resource, string rate, long limit);

    void Throttle(Resource resource, long? most);
}
