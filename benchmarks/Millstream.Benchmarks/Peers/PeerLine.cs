namespace Millstream;

/// <summary>Something that is run in turn with others.</summary>
/// <param name="Name">Tells it apart from what else its group runs.</param>
/// <param name="Run">Does the work once, looks at its outcome, and gives the time of a piece in the unit of its lines.</param>
internal sealed record PeerRun(string Name, Func<Task<double>> Run);

/// <summary>One line of the output: the same work here and there.</summary>
/// <param name="AtLeast">What theirs must be over ours; null where the line has no target.</param>
internal sealed record PeerLine(string Case, string Peer, PeerRun Ours, PeerRun Theirs, string Unit, double? AtLeast = null)
{
    /// <summary>Whether <c>--only</c> picks it.</summary>
    public bool Matches(string? only) => only is null || Case.Contains(only, StringComparison.OrdinalIgnoreCase) || Peer.Contains(only, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Lines whose runs are taken in turn.</summary>
internal sealed record PeerGroup(params PeerLine[] Lines)
{
    /// <summary>Why it cannot be run here; null where it can.</summary>
    public string? Missing { get; init; }

    /// <summary>How long each run is warmed up: until the compiler's second tier is there.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long each run is repeated in a round.</summary>
    public TimeSpan Least { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Ends what the runs have started.</summary>
    public Func<ValueTask> EndAsync { get; init; } = () => ValueTask.CompletedTask;
}

/// <summary>A peer cannot be had here, which is no fault of anybody.</summary>
internal sealed class PeerMissingException(string message) : Exception(message);
