namespace Millstream;

/// <summary>
/// The right to use what a task required, until it is disposed (at the latest when the attempt ends) or lost (a worker or resource is
/// gone, the task was cancelled or is out of time). All members are granted and end together.
/// </summary>
public abstract class Lease : IAsyncDisposable
{
    private protected Lease()
    {
    }

    /// <summary>The fencing token: of two leases on one resource the greater is the valid one.</summary>
    public abstract LeaseEpoch Epoch { get; }

    /// <summary>The worker that the task runs on.</summary>
    public abstract string WorkerId { get; }

    /// <summary>What is leased, in the order of the requirements.</summary>
    public abstract IReadOnlyList<Resource> Resources { get; }

    /// <summary>Whether it still holds; to be asked where a resource is used and the answer matters.</summary>
    public abstract bool IsValid { get; }

    /// <summary>The session that a leased resource opened, or the resource itself.</summary>
    /// <param name="name">The requirement's name; null where only one fits.</param>
    /// <exception cref="InvalidOperationException">The lease has ended, or nothing in it fits.</exception>
    public abstract T Get<T>(string? name = null) where T : class;

    /// <summary>Replaces a shared member's estimate by what was really used.</summary>
    /// <param name="amount">The true use, 0 or more.</param>
    /// <param name="name">The requirement's name; null where only one is shared.</param>
    public abstract void Settle(long amount, string? name = null);

    /// <summary>Gives everything back early: sessions are closed first. Doing it again changes nothing.</summary>
    public abstract ValueTask DisposeAsync();
}
