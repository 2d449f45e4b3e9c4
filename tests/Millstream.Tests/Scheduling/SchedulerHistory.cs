namespace Millstream.Tests;

/// <summary>One random history: a fleet, jobs, and everything that can happen, with the invariants checked after each step.</summary>
internal sealed partial class SchedulerHistory
{
    private static readonly string[] Kinds = ["a", "b"];
    private readonly Random random;
    private readonly Scheduler scheduler;
    private readonly Dictionary<string, int> slotsOf = [];
    private readonly Dictionary<string, (ResourceUnit Unit, string? Worker)> fleet = [];
    private readonly HashSet<string> offline = [];
    private readonly Dictionary<string, long> cooling = [];
    private readonly List<SchedulingJob> jobs = [];
    private readonly HashSet<TaskRequest> waiting = [];
    private readonly List<Grant> live = [];
    private readonly List<Session> sessions = [];
    private readonly HashSet<long> epochs = [];
    private readonly RateModel rates = new();
    private readonly List<Grant> stopping = [];
    private bool isBatching;
    private readonly int mostWorkers;
    private readonly IReadOnlyList<TenantQuota> quotas;
    private long now = 1000 * TimeSpan.TicksPerSecond;
    private long number;
    private int units;
    private int workers;

    public SchedulerHistory(int seed)
    {
        random = new Random(seed);
        bool holding = seed % 3 == 0;
        mostWorkers = seed % 5 == 0 ? 9 : 4;
        quotas = seed % 4 == 0 ? [new("t0", "a", 2), new("*", "pool", 7)] : [];
        scheduler = new Scheduler(
            new SchedulerOptions { HoldFloor = holding ? TimeSpan.FromSeconds(5) : TimeSpan.FromDays(999), HoldFactor = holding ? 1 : 20, AgeingInterval = TimeSpan.FromSeconds(20), Quotas = quotas }, 1);
        for (int i = 0; i < 5; i++)
        {
            jobs.Add(new SchedulingJob($"j{i}", $"t{i % 3}", 1 + random.Next(3), random.Next(3)));
        }
    }

    public int Granted { get; private set; }

    public int HeldFor { get; private set; }

    public void Run(int steps)
    {
        AddPool();
        for (int i = 0; i < steps; i++)
        {
            if (random.Next(6) == 0)
            {
                Batch();
            }
            else
            {
                Step();
            }

            Drain();
            Check();
        }

        End();
    }

    private void Batch()
    {
        isBatching = true;
        scheduler.BeginBatch();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            Step();
            Drain();
        }

        isBatching = false;
        scheduler.EndBatch();
    }

    private void Step()
    {
        switch (random.Next(24))
        {
            case < 7: Submit(); break;
            case < 12 when live.Count > 0: Release(); break;
            case 12 when waiting.Count > 0: scheduler.Withdraw(waiting.ElementAt(random.Next(waiting.Count)), now); break;
            case 13 when slotsOf.Count < mostWorkers: AddWorker(); break;
            case 14 when slotsOf.Count > 1 && random.Next(3) == 0: RemoveWorker(); break;
            case 15 when fleet.Count > 0: Toggle(); break;
            case 16 when fleet.Count > 0: Cool(); break;
            case 17 when random.Next(2) == 0: OpenSession(); break;
            case 18 when sessions.Count > 0: scheduler.CloseSession(sessions[random.Next(sessions.Count)], now); break;
            case 19 when live.Count > 0: Settle(); break;
            case 20 when live.Count > 0: Arrive(live[random.Next(live.Count)]); break;
            case 21 when live.Count > 0: SettleRate(live[random.Next(live.Count)]); break;
            case 22 when fleet.Count > 0: Learn(fleet.Values.ElementAt(random.Next(fleet.Count)).Unit); break;
            case 23 when stopping.Count > 0: Stopped(stopping[0]); break;
            default: Turn(random.Next(1, 8)); break;
        }
    }

    // Nothing is told of the time before it asks for that: who could run then and waits was forgotten.
    private void Turn(int seconds)
    {
        long end = now + seconds * TimeSpan.TicksPerSecond;
        int again = 0;
        while (!isBatching && scheduler.NextWake(now) is { } wake && wake <= end)
        {
            again = wake > now ? 0 : again + 1;
            Assert.True(again < 3, $"it asks for {wake} again and again");
            SetTime(wake);
            scheduler.Tick(now);
            Drain();
            Check();
        }

        SetTime(end);
        if (isBatching)
        {
            scheduler.Tick(now);
        }
    }

    private void SetTime(long time)
    {
        now = time;
        foreach (string cool in cooling.Where(c => c.Value <= now).Select(c => c.Key).ToList())
        {
            cooling.Remove(cool);
        }
    }

    private ResourceRequirement Need(bool sharedOnly = false)
    {
        if (sharedOnly || random.Next(4) == 0)
        {
            return Rated(ResourceRequirement.Units("pool", random.Next(1, 7)));
        }

        LabelSelector? labels = random.Next(3) switch { 0 => LabelSelector.Parse("x >= 1"), 1 => LabelSelector.Parse("y in (p, q)"), _ => null };
        return random.Next(6) == 0 ? Rated(ResourceRequirement.Units("big", random.Next(1, 5), labels)) : ResourceRequirement.Exclusive(Kinds[random.Next(2)], labels, random.Next(5) == 0 ? 2 : 1);
    }

    private TaskRequest NewRequest(Session? session = null)
    {
        ResourceRequirement[] needs = [.. Enumerable.Range(0, random.Next(session is null ? 4 : 2)).Select(_ => Need(session is not null))];
        SchedulingJob job = session?.Opening.Job ?? jobs[random.Next(jobs.Count)];
        return new TaskRequest(job, ++number, scheduler.Intern(needs), $"{number}", random.Next(3)) { Session = session };
    }

    private void Submit()
    {
        TaskRequest request = NewRequest(sessions.Count > 0 && random.Next(3) == 0 ? sessions[random.Next(sessions.Count)] : null);
        scheduler.Submit(request, now);
        waiting.Add(request);
    }

    private void OpenSession()
    {
        TaskRequest request = NewRequest();
        sessions.Add(scheduler.OpenSession(request, now, TimeSpan.FromSeconds(random.Next(5, 60)), TimeSpan.FromSeconds(random.Next(20, 200))));
        waiting.Add(request);
    }

    private void Settle()
    {
        Grant grant = live[random.Next(live.Count)];
        for (int i = Borrowed(grant); i < grant.Members.Count; i++)
        {
            if (grant.Members[i].Requirement.Shared)
            {
                scheduler.Settle(grant, i, random.NextInt64(grant.Members[i].Amount + 1), now);
                return;
            }
        }
    }

    private ResourceUnit NewUnit(string type, long capacity, bool full = false)
    {
        Dictionary<string, string> labels = [];
        if (full || random.Next(2) == 0)
        {
            labels["x"] = (full ? 2 : random.Next(3)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (full || random.Next(2) == 0)
        {
            labels["y"] = full || random.Next(2) == 0 ? "p" : "r";
        }

        RateLimit[] limits = capacity == 1 || (!full && random.Next(3) == 0) ? [] : [new("r", full ? 40 : random.Next(8, 30), TimeSpan.FromSeconds(random.Next(5, 40))), new("q", 3, TimeSpan.FromSeconds(7))];
        ResourceUnit unit = new($"u{units++}", type, capacity, labels, limits) { Tier = random.Next(3), Weight = 1 + random.Next(2) };
        rates.Add(unit, limits);
        return unit;
    }

    private void AddPool()
    {
        foreach ((string type, long capacity) in new[] { ("pool", 10L), ("pool", 6L), ("a", 1L) })
        {
            ResourceUnit unit = NewUnit(type, capacity);
            fleet[unit.Id] = (unit, null);
            scheduler.AddPoolUnit(unit, now);
        }
    }

    private void AddWorker()
    {
        string id = $"w{workers++}";
        List<ResourceUnit> owned = [];
        for (int i = random.Next(6); i > 0; i--)
        {
            ResourceUnit unit = random.Next(4) == 0 ? NewUnit("big", 5) : NewUnit(Kinds[random.Next(2)], 1);
            owned.Add(unit);
            fleet[unit.Id] = (unit, id);
        }

        slotsOf[id] = random.Next(1, 5);
        scheduler.AddWorker(id, id, owned, now, slotsOf[id]);
    }

    private void RemoveWorker()
    {
        string id = slotsOf.Keys.ElementAt(random.Next(slotsOf.Count));
        slotsOf.Remove(id);
        foreach (string unit in fleet.Where(f => f.Value.Worker == id).Select(f => f.Key).ToList())
        {
            fleet.Remove(unit);
            offline.Remove(unit);
            cooling.Remove(unit);
        }

        Assert.True(scheduler.RemoveWorker(id, now));
    }

    private void Toggle()
    {
        string id = fleet.Keys.ElementAt(random.Next(fleet.Count));
        if (offline.Remove(id))
        {
            scheduler.SetOnline(id, now);
        }
        else
        {
            offline.Add(id);
            scheduler.SetOffline(id, "broken", now);
        }
    }

    private void Cool()
    {
        string id = fleet.Keys.ElementAt(random.Next(fleet.Count));
        long until = now + random.Next(1, 30) * TimeSpan.TicksPerSecond;
        cooling[id] = Math.Max(until, cooling.GetValueOrDefault(id));
        scheduler.CoolDown(id, until, now);
    }

    private void Drain()
    {
        while (scheduler.TryTake(out Decision decision))
        {
            switch (decision.Kind)
            {
                case DecisionKind.Granted:
                    Assert.True(waiting.Remove(decision.Request), "granted, but did not wait");
                    Assert.True(epochs.Add(decision.Grant!.Epoch.Counter), "an epoch was given twice");
                    live.Add(decision.Grant);
                    rates.Granted(decision.Grant, Borrowed(decision.Grant), now);
                    Granted++;
                    break;
                case DecisionKind.Revoked:
                    Assert.Equal(GrantState.Revoked, decision.Grant!.State);
                    stopping.Add(decision.Grant);
                    waiting.Add(decision.Request);
                    break;
                default:
                    Assert.True(waiting.Remove(decision.Request), "refused, but did not wait");
                    Assert.False(string.IsNullOrWhiteSpace(decision.Reason));
                    break;
            }
        }

        live.RemoveAll(g => g.State != GrantState.Held);
        waiting.RemoveWhere(r => r.State == RequestState.Ended);
        sessions.RemoveAll(s => s.State == SessionState.Closed);
    }

    private void Check()
    {
        SchedulerAudit audit = new(fleet, slotsOf, offline, cooling, live, quotas, scheduler.Snapshot(), rates, now);
        audit.Leases();
        HeldFor += audit.HeldUnits;
        foreach (TaskRequest request in waiting)
        {
            Assert.Equal(RequestState.Waiting, request.State);
            Assert.False(string.IsNullOrWhiteSpace(scheduler.Explain(request)));
            if (request.Session is null)
            {
                Assert.False(audit.CouldRun(request), $"task {request.TaskId} waits ({scheduler.Explain(request)}) while it could run");
            }
        }

        Assert.Equal(waiting.Count, scheduler.Snapshot().Queues.Sum(q => q.Length) + waiting.Count(r => r.Session is { State: SessionState.Opening }));
    }

    // When work finishes and things come back, everyone gets a turn and everything comes home.
    private void End()
    {
        foreach (string id in fleet.Keys)
        {
            rates.Throttle(id, null);
            scheduler.Throttle(id, null, now);
        }

        foreach (string id in offline.ToList())
        {
            offline.Remove(id);
            scheduler.SetOnline(id, now);
        }

        for (int i = 0; i < 2; i++)
        {
            ResourceUnit pool = NewUnit("pool", 18);
            fleet[pool.Id] = (pool, null);
            scheduler.AddPoolUnit(pool, now);
        }

        for (int i = 0; i < 5; i++)
        {
            ResourceUnit[] owned = [.. Kinds.SelectMany(k => Enumerable.Range(0, 16).Select(_ => NewUnit(k, 1, full: true))), .. Enumerable.Range(0, 4).Select(_ => NewUnit("big", 5, full: true))];
            foreach (ResourceUnit unit in owned)
            {
                fleet[unit.Id] = (unit, $"z{i}");
            }

            slotsOf[$"z{i}"] = 2;
            scheduler.AddWorker($"z{i}", $"z{i}", owned, now, 2);
        }

        for (int i = 0; waiting.Count > 0 || live.Count > 0; i++)
        {
            Assert.True(i < 2000, $"{waiting.Count} tasks wait for ever: {string.Join("; ", waiting.Select(r => r.TaskId + " " + scheduler.Explain(r)))}");
            if (live.Count > 0)
            {
                Release();
                Drain();
            }

            while (stopping.Count > 0)
            {
                Stopped(stopping[0]);
            }

            Turn(1);
            Drain();
            Check();
        }

        SchedulerSnapshot end = scheduler.Snapshot();
        Assert.Empty(end.Leased);
        Assert.Empty(end.Queues);
        while (stopping.Count > 0)
        {
            Stopped(stopping[0]);
        }

        scheduler.Tick(now += 100 * TimeSpan.TicksPerSecond);
        Assert.All(fleet.Values.SelectMany(u => u.Unit.Rates ?? []), w => Assert.True(w.IsIdle && w.Room == w.Limit, $"{w.Name} never becomes free"));
        Assert.All(end.Units, u => Assert.Equal(u.Capacity, u.Free));
        Assert.All(end.Units, u => Assert.Null(u.HeldFor));
        Assert.All(end.Workers, w => Assert.Equal(w.Slots, w.FreeSlots));
    }
}
