namespace Millstream;

internal enum GrantState : byte { Held, Released, Revoked }

/// <summary>One unit of a grant and how much of it was taken.</summary>
internal readonly record struct GrantMember(ResourceUnit Unit, long Amount, ResourceRequirement Requirement);

/// <summary>What one task was given: a slot of a worker and all that it asked for.</summary>
internal sealed class Grant
{
    private readonly GrantMember[] members;

    public Grant(TaskRequest request, WorkerState worker, GrantMember[] members, int borrowed, LeaseEpoch epoch, long grantedAt)
    {
        Borrowed = borrowed;
        Request = request;
        Worker = worker;
        this.members = members;
        Epoch = epoch;
        GrantedAt = grantedAt;
    }

    public TaskRequest Request { get; }

    public string WorkerId => Worker.Id;

    /// <summary>The units, in the order of the requirements; a session's own units come first.</summary>
    public IReadOnlyList<GrantMember> Members => members;

    public LeaseEpoch Epoch { get; }

    public GrantState State { get; internal set; }

    /// <summary>The session that this grant opened or runs in, or null.</summary>
    public Session? Session => Request.Opens ?? Request.Session;

    /// <summary>What it has taken of rates; null for nothing.</summary>
    internal List<RateTake>? Takes { get; set; }

    /// <summary>Whether the code that had it is known to have ended: all that it took of rates has arrived.</summary>
    internal bool HasEnded { get; set; }

    internal WorkerState Worker { get; }

    internal long GrantedAt { get; }

    /// <summary>How many of the first members belong to the session and are not given back by this grant.</summary>
    internal int Borrowed { get; }

    internal bool TakesSlot => Request.Session is null;

    internal Span<GrantMember> Own => members.AsSpan(Borrowed);

    internal Grant? NextOnWorker { get; set; }

    internal Grant? PreviousOnWorker { get; set; }
}
