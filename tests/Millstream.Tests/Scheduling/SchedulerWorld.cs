using System.Globalization;

namespace Millstream.Tests;

/// <summary>A scheduler, its clock and what it has decided, with short words for tests.</summary>
internal sealed class SchedulerWorld
{
    public const long Second = TimeSpan.TicksPerSecond;

    private readonly Dictionary<string, SchedulingJob> jobs = [];
    private long number;

    public SchedulerWorld(SchedulerOptions? options = null) => Scheduler = new Scheduler(options ?? new SchedulerOptions(), runnerEpoch: 7);

    public Scheduler Scheduler { get; }

    public long Now { get; set; } = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    public List<string> Log { get; } = [];

    public List<Decision> Decisions { get; } = [];

    public static ResourceUnit Unit(string id, string type, long capacity = 1, string? labels = null) =>
        new(id, type, capacity, labels?.Split(',').Select(p => p.Split('=')).ToDictionary(p => p[0].Trim(), p => p[1].Trim()));

    public SchedulerWorld Worker(string id, int slots = 64, params ResourceUnit[] units)
    {
        Scheduler.AddWorker(id, id, units, Now, slots);
        return Drain();
    }

    public SchedulingJob Job(string id, string tenant = "t", double weight = 1, int priority = 0) =>
        jobs.TryGetValue(id, out SchedulingJob? job) ? job : jobs[id] = new SchedulingJob(id, tenant, weight, priority);

    public TaskRequest Request(string task, SchedulingJob? job = null, int rank = 0, int? priority = null, Session? session = null, params ResourceRequirement[] needs) =>
        new(job ?? Job("j"), ++number, Scheduler.Intern(needs), task, rank, priority) { Session = session };

    public TaskRequest Submit(string task, SchedulingJob? job = null, int rank = 0, int? priority = null, Session? session = null, params ResourceRequirement[] needs)
    {
        TaskRequest request = Request(task, job, rank, priority, session, needs);
        Scheduler.Submit(request, Now);
        Drain();
        return request;
    }

    public TaskRequest Submit(string task, params ResourceRequirement[] needs) => Submit(task, Job("j"), 0, null, null, needs);

    public TaskRequest Submit(string task, SchedulingJob job, params ResourceRequirement[] needs) => Submit(task, job, 0, null, null, needs);

    public void Release(TaskRequest request)
    {
        Scheduler.Release(request.Grant!, Now);
        Drain();
    }

    public void After(double seconds)
    {
        Now += (long)(seconds * Second);
        Scheduler.Tick(Now);
        Drain();
    }

    /// <summary>Turns the clock to each wake-up in turn until this time has passed.</summary>
    public void RunFor(double seconds)
    {
        long end = Now + (long)(seconds * Second);
        while (Scheduler.NextWake(Now) is { } next && next <= end)
        {
            Now = Math.Max(Now + 1, next);
            Scheduler.Tick(Now);
            Drain();
        }

        Now = Math.Max(Now, end);
    }

    public string Took()
    {
        string log = string.Join(" ", Log);
        Log.Clear();
        return log;
    }

    public string Members(TaskRequest request) => string.Join(" ", request.Grant!.Members.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Unit.Id}:{m.Amount}")).Order());

    public SchedulerWorld Drain()
    {
        while (Scheduler.TryTake(out Decision decision))
        {
            Decisions.Add(decision);
            Log.Add(decision.Kind switch { DecisionKind.Granted => "+", DecisionKind.Revoked => "-", _ => "!" } + decision.Request.TaskId);
        }

        return this;
    }
}
