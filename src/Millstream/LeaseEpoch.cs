namespace Millstream;

/// <summary>
/// The fencing token of a lease: the runner's own epoch, which rises with each start, and a counter that rises with each
/// grant of that runner. Of two leases on one resource the greater is the valid one.
/// </summary>
/// <param name="Runner">The runner's epoch.</param>
/// <param name="Counter">The number of the grant within the runner, from 1.</param>
public readonly record struct LeaseEpoch(long Runner, long Counter) : IComparable<LeaseEpoch>
{
    /// <summary>Orders by runner, then by counter.</summary>
    public int CompareTo(LeaseEpoch other) => Runner != other.Runner ? Runner.CompareTo(other.Runner) : Counter.CompareTo(other.Counter);

    /// <summary>The epoch as <c>runner.counter</c>, fit for names of folders and groups.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Runner}.{Counter}");

    /// <summary>Whether the left one was given earlier.</summary>
    public static bool operator <(LeaseEpoch left, LeaseEpoch right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left one was given later.</summary>
    public static bool operator >(LeaseEpoch left, LeaseEpoch right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left one was given earlier or is the same.</summary>
    public static bool operator <=(LeaseEpoch left, LeaseEpoch right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left one was given later or is the same.</summary>
    public static bool operator >=(LeaseEpoch left, LeaseEpoch right) => left.CompareTo(right) >= 0;
}
