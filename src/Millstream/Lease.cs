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

    /// <summary>
    /// Says that by now the other side has counted what was taken of its rates, as when the headers of a response are there: it counts until a window after
    /// this. Without it that is so when the lease ends. Doing it again, or after the end, changes nothing.
    /// </summary>
    /// <param name="name">The requirement's name; null for all.</param>
    /// <exception cref="InvalidOperationException">Nothing in the lease is shared under that name.</exception>
    public abstract void Arrived(string? name = null);

    /// <summary>
    /// Replaces the estimate of what is taken of a rate by what was really used, also after <see cref="Arrived"/>. More than the limit makes the window
    /// overfull until it has passed. Of a rate that the resource does not have, and after the lease's end, it changes nothing.
    /// </summary>
    /// <param name="rate">The rate's name.</param>
    /// <param name="amount">The true use, 0 or more.</param>
    /// <param name="name">The requirement's name; null for the first that has this rate.</param>
    /// <exception cref="InvalidOperationException">Nothing in the lease has such a rate.</exception>
    public abstract void SettleRate(string rate, long amount, string? name = null);

    /// <summary>Gives everything back early: sessions are closed first. Doing it again changes nothing.</summary>
    public abstract ValueTask DisposeAsync();
}
