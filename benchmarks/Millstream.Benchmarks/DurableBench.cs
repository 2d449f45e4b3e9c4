using System.Diagnostics;
using Millstream.PostgreSql.Tests;

namespace Millstream;

/// <summary>Jobs in a store, the whole engine: steps, events and restarts, beside what the store's own work costs in the same run. Payloads of 100 bytes.</summary>
internal static class DurableBench
{
    private const int Jobs = 1_000, Steps = 100, Alone = 500, Emitters = 100, Flushes = 20, Events = 100, Together = 100, Replayed = 300_000;
    private const string CommitName = "one row in one synced commit, a bare table", AloneName = "one job alone, a sequential durable step", FloorName = "1,000 rows in one transaction with a key, a row",
        StepsName = "1,000 jobs of 100 steps, a durable step", EventsName = "100 jobs, durable events, an event", ReplayName = "replay, an entry";

    private static readonly string Payload = new('x', 98);

    private static readonly AgentTask<string, string> Step = AgentTask.Create<string, string>("step", (input, _) => Task.FromResult(input));

    private static readonly BenchAgent Stepper = new("stepper", async (count, c) =>
    {
        string last = Payload;
        for (int i = 0; i < count; i++)
            last = await c.RunAsync(Step, last);
        return last;
    });

    private static readonly BenchAgent Emitter = new("emitter", async (count, c) =>
    {
        for (int i = 0; i < count; i++)
        {
            for (int k = 0; k < Events; k++)
                c.Emit(Payload);
            await c.FlushAsync();
        }
        return Payload;
    });

    private static readonly BenchAgent Waiter = new("waiter", async (count, c) =>
    {
        for (int i = 0; i < count; i += Together)
            await Task.WhenAll(Enumerable.Range(0, Together).Select(_ => c.RunAsync(Step, Payload)));
        await c.Signals.WaitToReadAsync();
        return Payload;
    });

    /// <summary>In SQLite.</summary>
    public static async Task RunAsync(Measure measure)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        int made = 0;
        try
        {
            Rounds rounds = new(measure)
            {
                [CommitName] = () => Task.FromResult(JournalBench.NaiveCommits(Fresh())),
                [AloneName] = () => JobsAsync(new SqliteJournalStorage(Path.Combine(Fresh(), "j.db")), Stepper, 1, Alone, Alone),
                [FloorName] = () => Task.FromResult(JournalBench.NaiveRows(Fresh(), "keyed")),
                [StepsName] = () => JobsAsync(new SqliteJournalStorage(Path.Combine(Fresh(), "j.db")), Stepper, Jobs, Steps, Jobs * Steps),
                [EventsName] = () => JobsAsync(new SqliteJournalStorage(Path.Combine(Fresh(), "j.db")), Emitter, Emitters, Flushes, Emitters * Flushes * Events),
                [ReplayName] = measure.Wants(ReplayName) ? await ReplayAsync(Path.Combine(folder, "replay.db"), Replayed) : () => Task.FromResult(double.NaN),
            };
            await rounds.RunAsync();
            rounds.Say(CommitName, null);
            rounds.Say(AloneName, null);
            rounds.SayRatio("  over the bare commit", AloneName, CommitName, 1.5);
            rounds.Say(FloorName, null);
            rounds.Say(StepsName, 1e6 / 30_000);
            rounds.SayRatio("  over the bare rows", StepsName, FloorName, 1 / 0.4);
            rounds.Say(EventsName, 10);
            rounds.Say(ReplayName, 2);
        }
        finally
        {
            Directory.Delete(folder, true);
        }

        string Fresh() => Directory.CreateDirectory(Path.Combine(folder, $"{++made}")).FullName;
    }

    /// <summary>In a private PostgreSQL server.</summary>
    public static async Task RunPostgreSqlAsync(Measure measure, PrivateServer server)
    {
        int made = 0;
        Rounds rounds = new(measure)
        {
            [CommitName] = () => PostgreSqlBench.NaiveAsync(server, Alone, 1),
            [AloneName] = () => JobsAsync(Fresh(), Stepper, 1, Alone, Alone),
            [StepsName] = () => JobsAsync(Fresh(), Stepper, Jobs, Steps, Jobs * Steps),
            [EventsName] = () => JobsAsync(Fresh(), Emitter, Emitters, Flushes, Emitters * Flushes * Events),
        };
        await rounds.RunAsync();
        rounds.Say(CommitName, null);
        rounds.Say(AloneName, null);
        rounds.SayRatio("  over the bare commit", AloneName, CommitName, null);
        rounds.Say(StepsName, 1e6 / 20_000);
        rounds.Say(EventsName, null);

        PostgreSqlJournalStorage Fresh() => new($"{server.Url}?schema=durable{++made}");
    }

    /// <summary>Many jobs that wait: what they cost in memory, and how soon another process has them.</summary>
    public static async Task RunWaitingAsync(Measure measure)
    {
        const int count = 100_000;
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            await using (SqliteJournalStorage storage = new(Path.Combine(folder, "journal.db")))
            {
                await using AgentOrchestrator orchestrator = await StartAsync(storage);
                long start = Stopwatch.GetTimestamp();
                await MakeAsync(orchestrator, count);
                measure.Say($"{count:N0} jobs that wait for a signal, made, a job", Stopwatch.GetElapsedTime(start).TotalMicroseconds / count, "us", null);
                Say("  resident memory of the process that made them");
            }
            await using (SqliteJournalStorage storage = new(Path.Combine(folder, "journal.db")))
            {
                long start = Stopwatch.GetTimestamp();
                await using AgentOrchestrator orchestrator = await StartAsync(storage);
                measure.Say($"{count:N0} open jobs taken up by the next process", Stopwatch.GetElapsedTime(start).TotalSeconds, "s", 10);
                start = Stopwatch.GetTimestamp();
                int woken = 0;
                await foreach (JobSummary job in orchestrator.ListJobsAsync())
                {
                    if (++woken % 100 != 0)
                        continue;
                    Job one = (await orchestrator.GetJobAsync(job.Id))!;
                    await one.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement("go"));
                    _ = await one.Ending;
                }
                measure.Say("  one of them brought back by a signal and ended", Stopwatch.GetElapsedTime(start).TotalMilliseconds / (count / 100), "ms", null);
                Say("  resident memory of that process");
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }

        void Say(string what)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, true, true);
            using Process self = Process.GetCurrentProcess();
            measure.Say(what, self.WorkingSet64 / 1e6, "MB", 300, $"{GC.GetTotalMemory(true) / 1e6:N0} MB of it objects");
        }
    }

    /// <summary>What a job that waits for a signal keeps in memory, in bytes.</summary>
    public static async Task<double> WaitingBytesAsync(int count)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            await using SqliteJournalStorage storage = new(Path.Combine(folder, "journal.db"));
            await using AgentOrchestrator orchestrator = await StartAsync(storage);
            await MakeAsync(orchestrator, Jobs);
            long before = GC.GetTotalMemory(true);
            await MakeAsync(orchestrator, count);
            return (double)(GC.GetTotalMemory(true) - before) / count;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task MakeAsync(AgentOrchestrator orchestrator, int count)
    {
        for (int i = 0; i < count; i += Jobs)
            await Task.WhenAll(Enumerable.Range(i, Math.Min(Jobs, count)).Select(_ => orchestrator.CreateJobAsync(Waiter, 0)));
    }

    /// <summary>Whether an append costs the same when the journal is long: 10 million entries of 1,000 jobs.</summary>
    public static async Task RunLongAsync(Measure measure)
    {
        const int entries = 10, parts = 10, batches = 100;
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            await using SqliteJournalStorage store = new(Path.Combine(folder, "journal.db"));
            List<double> times = [];
            for (int part = 0; part < parts; part++)
            {
                times.Add(await JournalBench.AppendsAsync(store, Jobs, batches, entries, part * batches));
                measure.Say($"{(part + 1) * batches * Jobs * entries:N0} entries, an entry of the last {batches * Jobs * entries:N0}", times[^1], "us", null, JournalBench.Rate(times[^1]));
            }
            measure.Say("  the last part over the second", times[^1] / times[1], "x", 1.5);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task<AgentOrchestrator> StartAsync(IJournalStorage storage)
    {
        AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(Stepper).Add(Emitter).Add(Waiter) });
        await orchestrator.StartAsync();
        return orchestrator;
    }

    /// <returns>Microseconds a step.</returns>
    public static Task<double> StepsAsync(IJournalStorage store, int jobs, int steps) => JobsAsync(store, Stepper, jobs, steps, jobs * steps);

    /// <returns>Microseconds a piece of work.</returns>
    private static async Task<double> JobsAsync(IJournalStorage store, BenchAgent agent, int jobs, int count, int pieces)
    {
        await using IJournalStorage storage = store;
        await using AgentOrchestrator orchestrator = await StartAsync(storage);
        await (await orchestrator.CreateJobAsync(agent, 1)).Completion;
        long start = Stopwatch.GetTimestamp();
        Job<string, string, string>[] all = await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => orchestrator.CreateJobAsync(agent, count)));
        foreach (Job<string, string, string> job in all)
        {
            if (await job.Completion != Payload)
                throw new InvalidOperationException($"job {job.Id} ended with another output");
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / pieces;
    }

    /// <summary>Makes a job whose process goes; each run is another process that takes it up.</summary>
    /// <returns>What gives microseconds an entry.</returns>
    public static async Task<Func<Task<double>>> ReplayAsync(string path, int length)
    {
        JobId id;
        {
            await using SqliteJournalStorage storage = new(path);
            await using AgentOrchestrator orchestrator = await StartAsync(storage);
            Job<string, string, string> job = await orchestrator.CreateJobAsync(Waiter, length / 3);
            while (job.WaitsFor is not ["a signal"])
                await Task.Delay(10);
            id = job.Id;
        }
        return async () =>
        {
            await using SqliteJournalStorage storage = new(path);
            long entries = 0;
            await foreach (JournalRecord record in storage.ReadAsync(id, 1))
                entries = record.First + record.Count - 1;
            await using AgentOrchestrator next = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(Waiter), Claim = false });
            await next.StartAsync();
            long start = Stopwatch.GetTimestamp();
            await next.ResumeAsync(id);
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds / entries;
        };
    }

    private sealed class BenchAgent(string id, Func<int, AgentContext<string, string>, Task<string>> body) : Agent<int, string, string, string>
    {
        public override string Id => id;

        protected override Task<string> RunCoreAsync(int input, AgentContext<string, string> context) => body(input, context);
    }
}
