using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>
/// A fleet and a long line before it. A worker owns browsers, sandboxes, now and then a GPU, and memory that its tasks share; endpoints of models belong to all workers. Tasks want
/// them by labels, in amounts, alone or two kinds together, as real ones do.
/// </summary>
internal sealed class DispatchWorld
{
    private const int PerWorker = 10, Seed = 17;
    private static readonly string[] Engines = ["chromium", "firefox", "webkit"], Zones = ["a", "b", "c", "d", "e"], Vendors = ["nvidia", "amd"], Models = ["small", "large"];

    private readonly Scheduler _scheduler = new(new SchedulerOptions(), 1);
    private readonly Random _random = new(Seed);
    private readonly List<Grant> _held = [];
    private readonly List<(SchedulingJob Job, TaskShape Shape)> _granted = [];
    private readonly SchedulingJob[] _jobs;
    private readonly TaskShape[] _shapes;
    private readonly int _length;
    private int _waiting;
    private long _number;

    public DispatchWorld(int units, int jobs, int shapes, int waiting)
    {
        AddFleet(units);
        _length = waiting;
        _jobs = [.. Enumerable.Range(0, jobs).Select(i => new SchedulingJob(string.Create(CultureInfo.InvariantCulture, $"j{i}"), "t"))];
        _shapes = MakeShapes(shapes);
        Fill();
    }

    private long Now => _number;

    /// <summary>Runs until so many tasks were granted or the time is over; only releases and decisions are measured.</summary>
    /// <returns>Microseconds of processor time and bytes a dispatch.</returns>
    public (double Us, double Bytes) Run(int dispatches, TimeSpan limit)
    {
        int batch = Math.Min(Math.Clamp(_length / 20, 10, 1_000), Math.Max(1, _held.Count));
        int done = 0;
        long bytes = 0;
        TimeSpan used = TimeSpan.Zero;
        Stopwatch all = Stopwatch.StartNew();
        while (done < dispatches && (all.Elapsed < limit || done == 0))
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Environment.CpuUsage.TotalTime;
            for (int i = 0; i < batch; i++)
            {
                int at = _random.Next(_held.Count);
                Grant grant = _held[at];
                _held[at] = _held[^1];
                _held.RemoveAt(_held.Count - 1);
                _scheduler.Release(grant, Now);
                while (_scheduler.TryTake(out Decision decision))
                {
                    _held.Add(decision.Grant!);
                    _granted.Add((decision.Request.Job, decision.Request.Shape));
                }
            }
            used += Environment.CpuUsage.TotalTime - start;
            bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            done += _granted.Count;
            _waiting -= _granted.Count;
            foreach ((SchedulingJob job, TaskShape shape) in _granted)
                Submit(job, shape);
            _granted.Clear();
            Fill();
        }
        return (used.TotalMicroseconds / done, (double)bytes / done);
    }

    private void Fill()
    {
        while (_waiting < _length)
            Submit(_jobs[_random.Next(_jobs.Length)], _shapes[_random.Next(_shapes.Length)]);
    }

    private void Submit(SchedulingJob job, TaskShape shape)
    {
        _scheduler.Submit(new TaskRequest(job, ++_number, shape), Now);
        _waiting++;
        while (_scheduler.TryTake(out Decision decision))
        {
            _held.Add(decision.Grant ?? throw new InvalidOperationException(decision.Reason));
            _waiting--;
        }
    }

    private void AddFleet(int units)
    {
        int pool = Math.Clamp(units / 100, 1, 20);
        for (int worker = 0, made = 0; made < units - pool; worker++)
        {
            List<ResourceUnit> owned = [];
            for (; owned.Count < PerWorker && made < units - pool; made++)
                owned.Add(NewUnit(string.Create(CultureInfo.InvariantCulture, $"u{made}"), worker, owned.Count));
            _scheduler.AddWorker(string.Create(CultureInfo.InvariantCulture, $"w{worker}"), string.Create(CultureInfo.InvariantCulture, $"w{worker}"), owned, 0);
        }
        for (int i = 0; i < pool; i++)
            _scheduler.AddPoolUnit(new ResourceUnit(string.Create(CultureInfo.InvariantCulture, $"llm{i}"), "llm", 8, Labels(("model", Models[i % 2]))), 0);
    }

    private static ResourceUnit NewUnit(string id, int worker, int place)
    {
        string zone = Zones[worker % Zones.Length];
        return place switch
        {
            0 => new ResourceUnit(id, "memory", 64, Labels(("zone", zone))),
            1 => new ResourceUnit(id, "gpu", 1, Labels(("vendor", Vendors[worker % 2]), ("mem", Text(16 << worker % 3)), ("zone", zone))),
            < 6 => new ResourceUnit(id, "browser", 1, Labels(("engine", Engines[(worker + place) % 3]), ("version", Text(100 + (worker * 7 + place) % 40)), ("zone", zone))),
            _ => new ResourceUnit(id, "sandbox", 1, Labels(("mem", Text(4 << (worker + place) % 4)), ("zone", zone))),
        };
    }

    /// <summary>Different lists of requirements that this fleet can serve; the first is a browser without labels.</summary>
    private TaskShape[] MakeShapes(int count)
    {
        SchedulingJob probe = new("probe", "probe");
        HashSet<TaskShape> made = [_scheduler.Intern([ResourceRequirement.Exclusive("browser")])];
        for (int tries = 0; made.Count < count; tries++)
        {
            // A small fleet does not have all labels; whoever wants something for it names it otherwise.
            string name = string.Create(CultureInfo.InvariantCulture, $"n{tries / (4 * count)}");
            TaskShape shape = _scheduler.Intern(RandomNeeds(name));
            if (made.Contains(shape))
                continue;
            TaskRequest request = new(probe, 0, shape);
            _scheduler.Submit(request, 0);
            if (_scheduler.TryTake(out Decision decision) && decision.Kind == DecisionKind.Granted)
            {
                _scheduler.Release(decision.Grant!, 0);
                made.Add(shape);
            }
        }
        return [.. made];
    }

    private ResourceRequirement[] RandomNeeds(string name)
    {
        string zones = _random.Next(3) == 0 ? "" : $"zone in ({string.Join(", ", Zones.Where(_ => _random.Next(2) == 0).DefaultIfEmpty("a"))})";
        ResourceRequirement browser = ResourceRequirement.Exclusive("browser", Selector(zones, Any("engine = ", Engines), AtLeast("version", 100 + _random.Next(38))), name: name);
        ResourceRequirement sandbox = ResourceRequirement.Exclusive("sandbox", Selector(zones, AtLeast("mem", 4 << _random.Next(4))), amount: _random.Next(8) == 0 ? 2 : 1, name: name);
        ResourceRequirement memory = ResourceRequirement.Units("memory", 1 + _random.Next(24), name: name);
        ResourceRequirement llm = ResourceRequirement.Units("llm", 1 + _random.Next(3), Selector(Any("model = ", Models)), name: name);
        return _random.Next(20) switch
        {
            < 8 => [browser],
            < 12 => [sandbox],
            < 15 => [sandbox, memory],
            < 17 => [ResourceRequirement.Exclusive("gpu", Selector(zones, Any("vendor = ", Vendors), AtLeast("mem", 16 << _random.Next(3))), name: name), memory],
            < 19 => [llm],
            _ => [browser, llm],
        };
    }

    private string Any(string clause, string[] values) => _random.Next(2) == 0 ? "" : clause + values[_random.Next(values.Length)];

    private string AtLeast(string label, int least) => _random.Next(3) == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{label} >= {least}");

    private static LabelSelector? Selector(params string[] clauses) => clauses.Any(c => c != "") ? LabelSelector.Parse(string.Join(", ", clauses.Where(c => c != ""))) : null;

    private static Dictionary<string, string> Labels(params (string Name, string Value)[] labels) => labels.ToDictionary(l => l.Name, l => l.Value);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
