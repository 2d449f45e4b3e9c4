using System.Diagnostics;

namespace Millstream;

/// <summary>Jobs in a store, the whole engine: steps, events and restarts, beside what the store's own work costs in the same run. Payloads of 100 bytes.</summary>
internal static class DurableBench
{
    private const int Jobs = 1_000, Steps = 20, Alone = 500, Emitters = 100, Flushes = 20, Events = 100, Replayed = 30_000, Rounds = 5;

    private static readonly string Payload = new('x', 98);

    private static readonly AgentTask<string, string> Step = AgentTask.Create<string, string>("step", (input, _) => Task.FromResult(input));

    private static readonly BenchAgent Stepper = new("stepper", async (count, c) =>
    {
        string last = Payload;
        for (int i = 0; i < count; i++)
            last = await c.RunAsync(Step, last);
    });

    private static readonly BenchAgent Emitter = new("emitter", async (count, c) =>
    {
        for (int i = 0; i < count; i++)
        {
            for (int k = 0; k < Events; k++)
                c.Emit(Payload);
            await c.FlushAsync();
        }
    });

    private static readonly BenchAgent Waiter = new("waiter", async (count, c) =>
    {
        for (int i = 0; i < count; i++)
            await c.RunAsync(Step, Payload);
        await c.Signals.WaitToReadAsync();
    });

    public static async Task RunAsync(Measure measure)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            Dictionary<string, List<double>> times = [];
            for (int round = 0; round <= Rounds; round++)
            {
                string at = Path.Combine(folder, $"{round}");
                Directory.CreateDirectory(at);
                Dictionary<string, double> now = new()
                {
                    ["commit"] = JournalBench.NaiveCommits(at),
                    ["alone"] = await JobsAsync(at, "alone", Stepper, 1, Alone) / Alone,
                    ["floor"] = JournalBench.NaiveRows(at, "keyed"),
                    ["steps"] = await JobsAsync(at, "steps", Stepper, Jobs, Steps) / (Jobs * Steps),
                    ["events"] = await JobsAsync(at, "events", Emitter, Emitters, Flushes) / (Emitters * Flushes * Events),
                    ["replay"] = await ReplayAsync(at),
                };
                foreach ((string name, double time) in round == 0 ? [] : now) // the first warms up
                    (times.TryGetValue(name, out List<double>? all) ? all : times[name] = []).Add(time);
            }
            double Median(string name) => Measure.Median(times[name]);
            double Ratio(string name, string to) => Measure.Median([.. times[name].Zip(times[to], (a, b) => a / b)]);
            measure.Say("one row in one synced commit, a bare table", Median("commit"), "us", null);
            measure.Say("one job alone, a sequential durable step", Median("alone"), "us", null);
            measure.Say("  over the bare commit", Ratio("alone", "commit"), "x", 1.5);
            measure.Say($"{Jobs:N0} rows in one transaction with a key, a row", Median("floor"), "us", null, JournalBench.Rate(Median("floor")));
            measure.Say($"{Jobs:N0} jobs of {Steps} steps, a durable step", Median("steps"), "us", 1e6 / 30_000, JournalBench.Rate(Median("steps")));
            measure.Say("  over the bare rows", Ratio("steps", "floor"), "x", 1 / 0.4);
            measure.Say($"{Emitters} jobs, durable events, an event", Median("events"), "us", 10, JournalBench.Rate(Median("events")));
            measure.Say("replay, an entry", Median("replay"), "us", 2, JournalBench.Rate(Median("replay")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
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
                for (int i = 0; i < count; i += Jobs)
                    await Task.WhenAll(Enumerable.Range(i, Jobs).Select(_ => orchestrator.CreateJobAsync(Waiter, 0)));
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

    /// <returns>Microseconds for all jobs.</returns>
    private static async Task<double> JobsAsync(string folder, string name, BenchAgent agent, int jobs, int count)
    {
        await using SqliteJournalStorage storage = new(Path.Combine(folder, $"{name}.db"));
        await using AgentOrchestrator orchestrator = await StartAsync(storage);
        await (await orchestrator.CreateJobAsync(agent, 1)).Completion;
        long start = Stopwatch.GetTimestamp();
        Job<string, string, string>[] all = await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => orchestrator.CreateJobAsync(agent, count)));
        foreach (Job<string, string, string> job in all)
            await job.Completion;
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    /// <returns>Microseconds an entry, of a job whose process has gone.</returns>
    private static async Task<double> ReplayAsync(string folder)
    {
        string path = Path.Combine(folder, "replay.db");
        long entries = 0;
        await using (SqliteJournalStorage storage = new(path))
        {
            await using AgentOrchestrator orchestrator = await StartAsync(storage);
            Job<string, string, string> job = await orchestrator.CreateJobAsync(Waiter, Replayed / 3);
            while (job.WaitsFor is not ["a signal"])
                await Task.Delay(10);
            await foreach (JournalRecord record in storage.ReadAsync(job.Id, 1))
                entries = record.First + record.Count - 1;
        }
        await using SqliteJournalStorage again = new(path);
        await using AgentOrchestrator next = new(new OrchestratorOptions { Journal = again, Agents = new AgentRegistry().Add(Waiter), Claim = false });
        await next.StartAsync();
        long start = Stopwatch.GetTimestamp();
        JobId id = default;
        await foreach (JobSummary job in next.ListJobsAsync())
            id = job.Id;
        await next.ResumeAsync(id);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / entries;
    }

    private sealed class BenchAgent(string id, Func<int, AgentContext<string, string>, Task> body) : Agent<int, string, string, string>
    {
        public override string Id => id;

        protected override async Task<string> RunCoreAsync(int input, AgentContext<string, string> context)
        {
            await body(input, context);
            return "";
        }
    }
}
