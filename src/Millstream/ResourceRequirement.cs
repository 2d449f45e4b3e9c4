namespace Millstream;

/// <summary>
/// What a task needs of one type of resource. Exclusive: <see cref="Amount"/> whole resources, each for this task alone.
/// Shared: <see cref="Amount"/> units out of one resource that others use at the same time. Equal by value.
/// </summary>
public sealed record ResourceRequirement
{
    /// <summary>The most resources that one task may take together.</summary>
    public const int MaxGang = 16;

    internal const string SlotType = "slot";

    private readonly int hash;

    private ResourceRequirement(string type, LabelSelector? labels, long amount, string? name, bool shared, RateAmount[]? rates = null)
    {
        if (string.IsNullOrWhiteSpace(type))
        {
            throw new ArgumentException("A requirement's type is empty; name the type of resource, as in \"browser\".", nameof(type));
        }

        if (type == SlotType)
        {
            throw new ArgumentException($"A requirement's type is \"{type}\", which every task takes by itself; leave the requirement out.", nameof(type));
        }

        if (amount < 1)
        {
            throw new ArgumentException($"The amount of {type} is {amount}; ask for 1 or more, or leave the requirement out.", nameof(amount));
        }

        if (!shared && amount > MaxGang)
        {
            throw new ArgumentException($"The amount of {type} is {amount}, but a task takes at most {MaxGang} exclusive resources; ask for less, or use {nameof(Units)} for shares of one resource.", nameof(amount));
        }

        if (name is not null && string.IsNullOrWhiteSpace(name))
        {
            throw new ArgumentException($"The name of a requirement of {type} is empty; leave it out to use the type's name.", nameof(name));
        }

        Type = type;
        Name = name ?? type;
        Labels = labels ?? LabelSelector.All;
        Amount = amount;
        Shared = shared;
        RateAmounts = rates ?? [];
        hash = ((StableHash.Of(Type) * 31 + StableHash.Of(Name)) * 31 + Labels.GetHashCode()) * 31 + (int)amount * 2 + (shared ? 1 : 0);
        foreach (RateAmount rate in RateAmounts)
        {
            hash = (hash * 31 + StableHash.Of(rate.Name)) * 31 + rate.Amount.GetHashCode();
        }
    }

    /// <summary>The type of resource, as in <c>browser</c>.</summary>
    public string Type { get; }

    /// <summary>The name by which the task finds what it was given; the type unless said otherwise.</summary>
    public string Name { get; }

    /// <summary>Which resources of the type will do.</summary>
    public LabelSelector Labels { get; }

    /// <summary>How many whole resources (exclusive), or how many units of one resource (shared); 1 or more.</summary>
    public long Amount { get; }

    /// <summary>Whether others may use the same resource at the same time.</summary>
    public bool Shared { get; }

    /// <summary>What it takes of the rates of its resource, by their names.</summary>
    public IReadOnlyDictionary<string, long> Rates => RateAmounts.ToDictionary(r => r.Name, r => r.Amount, StringComparer.Ordinal);

    /// <summary>The same, ordered by name.</summary>
    internal RateAmount[] RateAmounts { get; }

    /// <summary>Whole resources for this task alone; those that a worker owns all come from one worker.</summary>
    /// <exception cref="ArgumentException">The type is empty or reserved, or the amount is not within 1 to <see cref="MaxGang"/>.</exception>
    public static ResourceRequirement Exclusive(string type, LabelSelector? labels = null, long amount = 1, string? name = null) => new(type, labels, amount, name, shared: false);

    /// <summary>Units of one resource that others use too, as tokens of a model's rate limit.</summary>
    /// <exception cref="ArgumentException">The type is empty or reserved, or the amount is below 1.</exception>
    public static ResourceRequirement Units(string type, long amount, LabelSelector? labels = null, string? name = null) => new(type, labels, amount, name, shared: true);

    /// <summary>
    /// The requirement with an amount of one of the <see cref="Resource.Rates"/> of its resource, in place of what it took of that before. A resource that has
    /// no such rate is not limited in it. Amounts are best chosen coarsely: tasks with the same amounts wait together.
    /// </summary>
    /// <param name="name">The rate's name.</param>
    /// <param name="amount">How much, 1 or more; an estimate that <see cref="Lease.SettleRate"/> replaces.</param>
    /// <exception cref="ArgumentException">The name is empty, or the amount is below 1.</exception>
    /// <exception cref="InvalidOperationException">The requirement is exclusive.</exception>
    public ResourceRequirement WithRate(string name, long amount)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw new ArgumentException($"The name of a rate of {Type} is empty; name one of its rates, as in \"tokens\".", nameof(name));
        }

        if (amount < 1)
        {
            throw new ArgumentException($"The amount of {name} of {Type} is {amount}; ask for 1 or more, or leave the rate out.", nameof(amount));
        }

        if (!Shared)
        {
            throw new InvalidOperationException($"The requirement of {this} is exclusive, and only shared ones take of a rate; use {nameof(Units)}.");
        }

        RateAmount[] rates = [.. RateAmounts.Where(r => r.Name != name).Append(new RateAmount(name, amount)).OrderBy(r => r.Name, StringComparer.Ordinal)];
        return new ResourceRequirement(Type, Labels, Amount, Name, Shared, rates);
    }

    /// <summary>Whether a task's requirements are within what one task may take together; null, or what is wrong.</summary>
    internal static string? GangFault(string task, IReadOnlyList<ResourceRequirement> own, IReadOnlyList<ResourceRequirement>? more)
    {
        long members = 0;
        for (int i = 0; i < own.Count; i++)
        {
            members += own[i].Shared ? 1 : own[i].Amount;
        }

        for (int i = 0; i < more?.Count; i++)
        {
            members += more[i].Shared ? 1 : more[i].Amount;
        }

        return members <= MaxGang ? null
            : $"Task {task} asks for {members} resources together ({string.Join(", ", own.Concat(more ?? []))}), but {MaxGang} is the most; split the task or ask for less.";
    }

    /// <summary>Throws where <see cref="GangFault"/> finds something.</summary>
    internal static void CheckGang(string task, IReadOnlyList<ResourceRequirement> own, IReadOnlyList<ResourceRequirement>? more)
    {
        if (GangFault(task, own, more) is { } fault)
        {
            throw new ArgumentException(fault);
        }
    }

    /// <inheritdoc/>
    public bool Equals(ResourceRequirement? other) => ReferenceEquals(this, other)
        || (other is not null && hash == other.hash && Type == other.Type && Name == other.Name && Labels == other.Labels && Amount == other.Amount && Shared == other.Shared
            && RateAmounts.AsSpan().SequenceEqual(other.RateAmounts));

    /// <inheritdoc/>
    public override int GetHashCode() => hash;

    /// <summary>The requirement in words, as in <c>2 browser with vendor = intel</c>.</summary>
    public override string ToString() => $"{Amount} {(Shared ? "units of " : "")}{Type}{(Labels == LabelSelector.All ? "" : $" with {Labels}")}{string.Concat(RateAmounts.Select(r => $" and {r.Amount} {r.Name}"))}";
}

/// <summary>What a requirement takes of one rate.</summary>
internal readonly record struct RateAmount(string Name, long Amount);
