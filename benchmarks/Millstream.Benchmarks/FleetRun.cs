namespace Millstream;

/// <summary>Seeded work on the real scheduler, in virtual seconds.</summary>
internal sealed class FleetRun
{
    private readonly Scheduler _scheduler = new(new SchedulerOptions(), 1);
    private readonly SchedulingJob _job = new("j", "t");
    private readonly List<string[]> _fleet;
    private readonly PriorityQueue<(Grant Grant, int Seconds), (double, int)> _running = new();
    private readonly Dictionary<TaskRequest, (int Seconds, int Units)> _work = [];
    private readonly Dictionary<Grant, double> _begun = [];
    private double _now;
    private double _used;
    private int _order;
    private int _refused;
    private int _nextToFail;

    public FleetRun(List<string[]> fleet)
    {
        _fleet = fleet;
        for (int i = 0; i < fleet.Count; i++)
            AddWorker(i);
    }

    /// <summary>Seconds between failures of workers; 0 for none.</summary>
    public double FailureEvery { get; init; }

    public int Failures { get; private set; }

    /// <summary>Seconds of work that failures threw away.</summary>
    public double Lost { get; private set; }

    private long Ticks => (long)(_now * TimeSpan.TicksPerSecond);

    public void SubmitAll(IEnumerable<(string[] Needs, int Seconds, int Units)> work)
    {
        int number = 0;
        _scheduler.BeginBatch();
        foreach ((string[] needs, int seconds, int units) in work)
        {
            TaskRequest request = new(_job, ++number, _scheduler.Intern([.. needs.Select(n => ResourceRequirement.Exclusive(n))]), $"{number}");
            _work.Add(request, (seconds, units));
            _scheduler.Submit(request, Ticks);
        }
        _scheduler.EndBatch();
        Drain();
    }

    /// <summary>Runs to the end: how long it took, which part of the units' time was used, how many tasks can never run.</summary>
    public (double Span, double Used, int Refused) Finish()
    {
        double failure = FailureEvery > 0 ? FailureEvery : double.MaxValue;
        while (_running.Count > 0)
        {
            _running.TryPeek(out (Grant Grant, int Seconds) next, out (double At, int) key);
            if (failure < key.At)
            {
                _now = failure;
                failure += FailureEvery;
                Fail();
                continue;
            }
            _running.Dequeue();
            if (next.Grant.State != GrantState.Held)
                continue;
            _now = key.At;
            _used += next.Seconds * (double)_work[next.Grant.Request].Units;
            _scheduler.Release(next.Grant, Ticks);
            Drain();
        }
        int units = _fleet.Sum(w => w.Sum(t => t == "bundle" ? 2 : 1));
        return (_now, _used / (_now * units), _refused);
    }

    private void AddWorker(int i) => _scheduler.AddWorker($"w{i}", $"w{i}", [.. _fleet[i].Select((type, k) => new ResourceUnit($"{type}-{i}-{k}", type))], Ticks);

    private void Fail()
    {
        int worker = _nextToFail++ % _fleet.Count;
        Failures++;
        _scheduler.RemoveWorker($"w{worker}", Ticks);
        AddWorker(worker);
        Drain();
    }

    private void Drain()
    {
        while (_scheduler.TryTake(out Decision decision))
        {
            switch (decision.Kind)
            {
                case DecisionKind.Granted:
                    int seconds = _work[decision.Request].Seconds;
                    _begun[decision.Grant!] = _now;
                    _running.Enqueue((decision.Grant!, seconds), (_now + seconds, _order++));
                    break;
                case DecisionKind.Revoked:
                    Lost += _now - _begun[decision.Grant!];
                    break;
                default:
                    _refused++;
                    break;
            }
        }
    }
}
