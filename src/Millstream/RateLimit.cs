namespace Millstream;

/// <summary>How much of something a resource takes in any window of time, as requests or tokens a minute.</summary>
/// <param name="Name">What is counted; unique in its resource, and what <see cref="ResourceRequirement.WithRate"/> names.</param>
/// <param name="Limit">The most that is taken in any window of that length; 1 or more.</param>
/// <param name="Window">The length of the window that slides, above zero and at most 366 days.</param>
public sealed record RateLimit(string Name, long Limit, TimeSpan Window)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>What is counted.</summary>
    public string Name { get; } = !string.IsNullOrWhiteSpace(Name) ? Name : throw new ArgumentException($"{nameof(RateLimit)}.{nameof(Name)} is empty; say what is counted, as in \"tokens\".", nameof(Name));

    /// <summary>The most that is taken in any window of that length.</summary>
    public long Limit { get; } = Checked(Name, Limit);

    /// <summary>The length of the window that slides.</summary>
    public TimeSpan Window { get; } = Window > TimeSpan.Zero && Window <= Longest ? Window
        : throw new ArgumentException($"{nameof(RateLimit)}.{nameof(Window)} of {Name} is {Window}; give more than zero and at most {Longest.Days} days.", nameof(Window));

    /// <summary>The limit in words, as in <c>5000 tokens in 60 s</c>.</summary>
    public override string ToString() => $"{Limit} {Name} in {Words.Duration(Window)}";

    internal static long Checked(string name, long limit) => limit >= 1 ? limit
        : throw new ArgumentException($"{nameof(RateLimit)}.{nameof(Limit)} of {name} is {limit}; give 1 or more, or cool the resource down.", nameof(limit));
}
