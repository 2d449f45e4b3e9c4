namespace Millstream;

/// <summary>
/// In which order the tasks of one job go, by how long they take: at first what has the longest chain behind it (the smallest latest finish time), then
/// what a look-ahead found. The scheduler keeps it up to date and asks it at each moment at which something of the job changed.
/// </summary>
internal sealed class JobPlan
{
    private readonly PlanModel model;
    private readonly ScheduleDecoder decoder;
    private readonly PlanState state;
    private readonly long[] since;
    private readonly long[] starts;
    private long[] ranks;
    private long[]? keys;

    /// <summary>The standard deviation of the logarithm of true over thought durations beyond which they order tasks no better than the structure of the graph (docs/performance.md).</summary>
    public const double MostSpread = 0.5;

    // Beyond it a task waits in vain too often.
    private const double MostSpreadToWait = 0.1;

    /// <summary>Makes a plan where durations are good enough for one; else null.</summary>
    /// <param name="model">The job.</param>
    /// <param name="spread">How far off the durations are.</param>
    public static JobPlan? Make(PlanModel model, double spread) => spread > MostSpread ? null : new JobPlan(model, spread <= MostSpreadToWait);

    /// <summary>Makes a plan.</summary>
    /// <param name="model">The job.</param>
    /// <param name="mayWait">Whether a task may wait for a better moment although it would fit, which asks for durations that are right.</param>
    public JobPlan(PlanModel model, bool mayWait)
    {
        (this.model, MayWait) = (model, mayWait);
        int count = model.Network.Count;
        ranks = TaskNetwork.Ranks(model.Tails);
        (decoder, state, since, starts) = (new ScheduleDecoder(model), new PlanState(count), new long[count], new long[count]);
    }

    public PlanModel Model => model;

    public bool MayWait { get; }

    /// <summary>The fleet that its model was made from.</summary>
    public long Generation { get; set; }

    /// <summary>Whether something has changed since the last decision.</summary>
    public bool IsStale { get; set; }

    /// <summary>How many of its tasks run.</summary>
    public int Running { get; private set; }

    /// <summary>The requests that are not granted.</summary>
    public List<TaskRequest> Waiting { get; } = [];

    /// <summary>Higher goes first.</summary>
    public long RankOf(int task) => ranks[task];

    public void Ready(TaskRequest request)
    {
        (state.IsDone[request.PlanTask], IsStale) = (false, true);
        Waiting.Add(request);
    }

    public void Started(TaskRequest request, long now)
    {
        Waiting.Remove(request);
        Running++;
        IsStale = true;
        since[request.PlanTask] = now;
        state.RunsUntil[request.PlanTask] = Math.Max(now + model.Durations[request.PlanTask], 1);
    }

    /// <summary>It has given back what it had.</summary>
    public void Ended(TaskRequest request)
    {
        Running--;
        (state.IsDone[request.PlanTask], state.RunsUntil[request.PlanTask], IsStale) = (true, 0, true);
    }

    /// <summary>It does not want anything any more.</summary>
    public void Withdrawn(TaskRequest request)
    {
        Waiting.Remove(request);
        (state.IsDone[request.PlanTask], IsStale) = (true, true);
    }

    /// <summary>A node that is no task, or was skipped, is behind the job.</summary>
    public void Passed(int task) => (state.IsDone[task], IsStale) = (true, true);

    /// <summary>Where the job is.</summary>
    public PlanState StateAt(long now)
    {
        state.Now = now;
        for (int task = 0; task < since.Length; task++)
        {
            // Who takes longer than was thought takes a tenth longer than until now.
            if (state.RunsUntil[task] != 0 && state.RunsUntil[task] <= now)
                state.RunsUntil[task] = now + Math.Max(1, (now - since[task]) / 10);
        }
        return state;
    }

    /// <summary>Goes by what a look-ahead found.</summary>
    public void Follow(long[] order)
    {
        (keys, IsStale) = ([.. order], true);
        ranks = TaskNetwork.Ranks([.. order.Select(place => -place)]);
    }

    /// <summary>Works out the ranks of who waits, and who of them had better wait on.</summary>
    /// <returns>Whether who waits is told apart; else only <see cref="RankOf"/> counts.</returns>
    public bool Decide(long now)
    {
        IsStale = false;
        if (keys is null || !MayWait || Running == 0 || Waiting.Count == 0)
            return false;
        decoder.Serial(StateAt(now), keys, starts);
        return true;
    }

    /// <summary>After <see cref="Decide"/> whether a task had better wait.</summary>
    public bool IsLater(int task) => starts[task] > state.Now;
}
