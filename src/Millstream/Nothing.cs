namespace Millstream;

/// <summary>The type of events or signals of an agent that has none.</summary>
public sealed record Nothing
{
    /// <summary>The only value.</summary>
    public static Nothing Value { get; } = new();
}
