using System.Globalization;

namespace Millstream;

/// <summary>By what tasks go: as the engine has it, or by a plain rule.</summary>
internal enum OrderRule { Engine, BlockingFifo, Fifo, MostSuccessors, LatestFinish }

/// <summary>What is known of durations.</summary>
/// <param name="Text">As it was said: known, unknown, noisy:0.6.</param>
/// <param name="AreKnown">Whether anything is.</param>
/// <param name="Spread">The standard deviation of the logarithm of what is thought over what is.</param>
internal readonly record struct KnownDurations(string Text, bool AreKnown, double Spread)
{
    public static KnownDurations? Parse(string text) => text switch
    {
        "known" => new(text, true, 0),
        "unknown" => new(text, false, 0),
        _ when text.StartsWith("noisy:", StringComparison.Ordinal) && double.TryParse(text["noisy:".Length..], NumberStyles.Float, CultureInfo.InvariantCulture, out double spread)
            && spread is >= 0 and <= 10 => new(text, true, spread),
        _ => null,
    };
}

/// <summary>What `./bench psplib` was asked for.</summary>
internal sealed record PsplibSettings
{
    public string Instances { get; init; } = "";

    public string Best { get; init; } = "";

    public KnownDurations Known { get; init; } = new("known", true, 0);

    public OrderRule Rule { get; init; }

    /// <summary>How long the look-ahead may think at each moment at which something is decided.</summary>
    public TimeSpan LookAhead { get; init; }

    /// <summary>Of the noise and of the look-ahead.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Only sets whose names have it.</summary>
    public string? Only { get; init; }

    public bool IsJson { get; init; }

    /// <summary>How many jobs share the fleet; 0 for each instance alone.</summary>
    public int Jobs { get; init; }

    /// <summary>By activity how long it is thought to take, in ticks; null where nothing is known.</summary>
    public long[]? Estimates(ProjectInstance instance)
    {
        if (!Known.AreKnown)
            return null;
        Random random = new(Seed * 7919 ^ StableHash.Of(instance.Name));
        return [.. instance.Durations.Select(d => (long)(d * Math.Exp(Known.Spread * Normal(random)) * TimeSpan.TicksPerSecond))];
    }

    // Box and Muller.
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
