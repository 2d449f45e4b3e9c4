namespace Millstream;

/// <summary>A job, with its children, that has left memory until something comes for it.</summary>
/// <param name="root">The job.</param>
/// <param name="due">When the first of its timers is due, by the clock of who brings it back, in UTC ticks; <see cref="long.MaxValue"/> for never.</param>
/// <param name="ahead">How far the job's clock is ahead of that one.</param>
internal sealed class DormantJob(JobId root, long due, long ahead)
{
    private Dictionary<JobId, JobTies>? _ties;

    public JobId Root => root;

    /// <summary>When the first of its timers is due, in UTC ticks; <see cref="long.MaxValue"/> for never.</summary>
    public long Due => due;

    /// <summary>How far its own clock is ahead, in ticks.</summary>
    public long Ahead => ahead;

    /// <summary>Not to be brought back earlier, in UTC ticks.</summary>
    public long NotBefore { get; init; }

    /// <summary>Done when it is back; null as long as nothing came.</summary>
    public TaskCompletionSource? Waking { get; set; }

    /// <summary>Whether it is being brought back.</summary>
    public bool IsOnItsWay { get; set; }

    /// <summary>The same job where it could not be brought back: at another time, with what outsiders hold of it.</summary>
    public DormantJob Again(long time)
    {
        lock (this)
            return new DormantJob(root, time, ahead) { _ties = _ties };
    }

    /// <summary>What outsiders hold of it or one of its children.</summary>
    public JobTies TiesOf(JobId id)
    {
        lock (this)
        {
            _ties ??= [];
            return _ties.TryGetValue(id, out JobTies? ties) ? ties : _ties[id] = new JobTies();
        }
    }

    /// <summary>Keeps what outsiders hold of a job that leaves.</summary>
    public void Keep(JobId id, JobTies ties)
    {
        lock (this)
            (_ties ??= [])[id] = ties;
    }

    /// <summary>Tells who waits for its end that it goes on elsewhere.</summary>
    public void Detach(Func<JobId, Exception> reason)
    {
        lock (this)
        {
            foreach ((JobId id, JobTies ties) in _ties ?? [])
                ties.Ending.TrySetException(reason(id));
        }
    }
}

/// <summary>What of a job in memory must be the same when it has left and come back.</summary>
internal sealed class JobTies
{
    private HashSet<long>? _fromInbox;

    /// <summary>How it ended, for outsiders.</summary>
    public TaskCompletionSource<JobEnding> Ending { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether somebody has asked for its end.</summary>
    public bool IsAwaited { get; set; }

    /// <summary>The questions that were open when it left.</summary>
    public IReadOnlyList<OpenQuestion> Questions { get; set; } = [];

    /// <summary>What it waited for when it left.</summary>
    public IReadOnlyList<string>? WaitsFor { get; set; }

    /// <summary>Its end, for somebody who holds on to it.</summary>
    public Task<JobEnding> WhenEnded()
    {
        IsAwaited = true;
        return Ending.Task;
    }

    public bool IsWorthKeeping => IsAwaited || _fromInbox is not null || Questions.Count > 0;

    /// <summary>Whether an item of the inbox is new here; it leaves the inbox with the turn that it is delivered in.</summary>
    public bool IsNewInInbox(long number)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.InboxItemTwice)) return true;
#endif
        lock (this)
            return (_fromInbox ??= []).Add(number);
    }
}
