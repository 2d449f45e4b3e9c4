namespace Millstream;

/// <summary>
/// In which order the tasks of one job go, by how long they take: at first by the ranks of the graph (<see cref="TaskRanking"/>), then by
/// what a look-ahead found. The scheduler keeps it up to date and asks it at each moment at which something of the job changed.
/// </summary>
internal sealed class JobPlan
{
    private readonly PlanModel model;
    private readonly ScheduleDecoder decoder;
    private readonly PlanState state;
    private readonly bool[]? isMany;
    private readonly int[] running;
    private readonly long[] since;
    private readonly long[] starts;
    private long[] ranks;
    private long[]? keys;

    /// <summary>The standard deviation of the logarithm of true over thought durations beyond which they order tasks no better than the structure of the graph (docs/performance.md).</summary>
    public const double MostSpread = 0.4;

    // Beyond it what a look-ahead finds is worse than the ranks that it begins with, and a task waits in vain too often.
    private const double MostSpreadToWait = 0.1;

    /// <summary>Makes a plan where durations are good enough for one; else null.</summary>
    /// <param name="model">The job.</param>
    /// <param name="spread">How far off the durations are.</param>
    /// <param name="isMany">By task whether it is many, of which the model knows one; null where none is.</param>
    public static JobPlan? Make(PlanModel model, double spread, bool[]? isMany = null) => spread > MostSpread ? null : new JobPlan(model, spread <= MostSpreadToWait && isMany is null, isMany);

    private JobPlan(PlanModel model, bool mayWait, bool[]? isMany)
    {
        (this.model, MayWait, this.isMany) = (model, mayWait, isMany);
        int count = model.Network.Count;
        ranks = model.Ranks;
        running = new int[count];
        (decoder, state, since, starts) = (new ScheduleDecoder(model), new PlanState(count), new long[count], new long[count]);
    }

    public PlanModel Model => model;

    /// <summary>Whether a look-ahead is worth it, by which a task may wait for a better moment although it would fit: that asks for durations that are right.</summary>
    public bool MayWait { get; }

    /// <summary>Whether a look-ahead has found an order.</summary>
    public bool HasOrder => keys is not null;

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
        request.PlanIndex = Waiting.Count;
        Waiting.Add(request);
    }

    public void Started(TaskRequest request, long now)
    {
        Leave(request);
        Running++;
        running[request.PlanTask]++;
        Began(request.PlanTask, now);
    }

    /// <summary>It begins; known to the fleet or not.</summary>
    public void Began(int task, long now)
    {
        IsStale = true;
        since[task] = now;
        state.RunsUntil[task] = Math.Max(now + model.Durations[task], 1);
    }

    /// <summary>It has given back what it had.</summary>
    public void Ended(TaskRequest request)
    {
        Running--;
        if (--running[request.PlanTask] == 0)
            (state.IsDone[request.PlanTask], state.RunsUntil[request.PlanTask]) = (isMany?[request.PlanTask] != true, 0);
        IsStale = true;
    }

    /// <summary>It does not want anything any more.</summary>
    public void Withdrawn(TaskRequest request)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.PlanKeepsWithdrawn) && request.State == RequestState.Later) return;
#endif
        Leave(request);
        (state.IsDone[request.PlanTask], IsStale) = (isMany?[request.PlanTask] != true, true);
    }

    /// <summary>A node that is no task, or was skipped, is behind the job.</summary>
    public void Passed(int task) => (state.IsDone[task], state.RunsUntil[task], IsStale) = (true, 0, true);

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
        if (keys is null || Waiting.Count == 0)
            return false;
        decoder.Serial(StateAt(now), keys, starts);
        return true;
    }

    private void Leave(TaskRequest request)
    {
        TaskRequest last = Waiting[^1];
        Waiting[request.PlanIndex] = last;
        last.PlanIndex = request.PlanIndex;
        Waiting.RemoveAt(Waiting.Count - 1);
    }

    /// <summary>After <see cref="Decide"/> whether a task had better wait.</summary>
    public bool IsLater(int task) => starts[task] > state.Now;
}
