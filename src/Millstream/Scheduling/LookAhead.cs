namespace Millstream;

/// <summary>
/// Looks for a better order of what is left of a job: a population of schedules that are crossed in time, shaken and justified (each task as late, then as early as
/// it can be; Valls, Ballestin and Quintanilla, 2005 and 2008). It goes on from moment to moment with what it has. Not for two threads at once.
/// </summary>
internal sealed class LookAhead
{
    // Chosen by trial on PSPLIB (docs/performance.md).
    private const int Population = 40, PatienceOfOne = 3_000;

    /// <summary>After so many schedules in a row that are no better it rests until something does not go as planned.</summary>
    public const int Patience = 12_000;

    private readonly PlanModel model;
    private readonly ScheduleDecoder decoder;
    private readonly Random random;
    private readonly int patience;
    private readonly List<Schedule> schedules = [];
    private readonly long[] keys;
    private readonly long[] starts;
    private long sinceBetter;
    private long sinceFresh;

    public LookAhead(PlanModel model, int seed, int patience = Patience)
    {
        (this.model, this.patience) = (model, patience);
        decoder = new ScheduleDecoder(model);
        random = new Random(seed);
        (keys, starts) = (new long[model.Network.Count], new long[model.Network.Count]);
    }

    /// <summary>The best that was found: by task its place in line.</summary>
    public long[] Keys => schedules[0].Starts;

    /// <summary>When the job ends by it.</summary>
    public long End => schedules[0].End;

    /// <summary>How many schedules were made.</summary>
    public long Made => decoder.Made;

    /// <summary>Looks on from where the job is.</summary>
    /// <param name="state">Where the job is.</param>
    /// <param name="mayGoOn">Asked again and again; false ends it.</param>
    public void Improve(PlanState state, Func<bool> mayGoOn)
    {
        Follow(state);
        long bound = model.LowerBound(state);
        while (End > bound && sinceBetter < patience && mayGoOn())
        {
            if (sinceBetter - sinceFresh > PatienceOfOne)
            {
                // They have become alike: the best goes on among new ones.
                schedules.RemoveRange(1, schedules.Count - 1);
                sinceFresh = sinceBetter;
            }
            if (schedules.Count < Population)
                Sample();
            else
                Cross(state.Now);
            Add(state);
        }
    }

    /// <summary>Makes what it has fit where the job is now; where all went as it was planned, that changes nothing.</summary>
    private void Follow(PlanState state)
    {
        if (schedules.Count == 0)
        {
            for (int task = 0; task < keys.Length; task++)
                keys[task] = -model.Ranks[task];
            // What is done without a look-ahead; in series in the order of its starts it ends no later.
            decoder.Parallel(state, keys, starts);
            starts.CopyTo(keys, 0);
            Add(state);
            return;
        }
        long end = End;
        if (Decode(state, Keys) == end)
            return;
        sinceBetter = 0;
        foreach (Schedule schedule in schedules)
        {
            schedule.End = Decode(state, schedule.Starts);
            starts.CopyTo(schedule.Starts, 0);
        }
        schedules.Sort(static (a, b) => a.End.CompareTo(b.End));
    }

    private void Sample()
    {
        double width = 0.3 * model.Tails.Max();
        for (int task = 0; task < keys.Length; task++)
            keys[task] = -model.Tails[task] - (long)(random.NextDouble() * width);
    }

    /// <summary>What starts in one stretch of time comes from one schedule, the rest from another; then some of it is shaken.</summary>
    private void Cross(long now)
    {
        Schedule one = Pick(), other = Pick();
        double length = Math.Max(1, one.End - now), scale = length / Math.Max(1, other.End - now);
        double from = now + random.NextDouble() * length, to = from + length * (0.25 + 0.5 * random.NextDouble());
        for (int task = 0; task < keys.Length; task++)
            keys[task] = one.Starts[task] >= from && one.Starts[task] < to ? one.Starts[task] : now + (long)((other.Starts[task] - now) * scale);
        if (random.NextDouble() >= 0.6)
            return;
        double width = length * (random.NextDouble() < 0.5 ? 0.05 : 0.15);
        for (int task = 0; task < keys.Length; task++)
        {
            if (random.NextDouble() < 0.15)
                keys[task] += (long)((random.NextDouble() * 2 - 1) * width);
        }
    }

    private Schedule Pick() => schedules[Math.Min(random.Next(schedules.Count), random.Next(schedules.Count))];

    /// <summary>Makes the schedule of <see cref="keys"/>, justifies it, and keeps it where it is better than the worst that is kept.</summary>
    private void Add(PlanState state)
    {
        long before = decoder.Made, best = schedules.Count == 0 ? long.MaxValue : End;
        long end = Decode(state, keys);
        long[] first = [.. starts];
        for (int task = 0; task < keys.Length; task++)
            keys[task] = -(starts[task] + model.Durations[task]);
        decoder.Serial(state, keys, starts, isBackward: true, end);
        for (int task = 0; task < keys.Length; task++)
            keys[task] = -(starts[task] + model.Durations[task]);
        long justified = Decode(state, keys);
        Schedule made = justified <= end ? new Schedule([.. starts], justified) : new Schedule(first, end);
        sinceBetter = made.End < best ? 0 : sinceBetter + decoder.Made - before;
        sinceFresh = Math.Min(sinceFresh, sinceBetter);
        int at = schedules.Count;
        while (at > 0 && schedules[at - 1].End >= made.End)
            at--;
        for (int i = at; i < schedules.Count && schedules[i].End == made.End; i++)
        {
            if (schedules[i].Starts.AsSpan().SequenceEqual(made.Starts))
                return;
        }
        schedules.Insert(at, made);
        if (schedules.Count > Population)
            schedules.RemoveAt(Population);
    }

    private long Decode(PlanState state, long[] order) => decoder.Serial(state, order, starts);

    private sealed class Schedule(long[] starts, long end)
    {
        public long[] Starts => starts;

        public long End { get; set; } = end;
    }
}
