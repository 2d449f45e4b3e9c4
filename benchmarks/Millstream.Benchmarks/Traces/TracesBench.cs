namespace Millstream;

/// <summary>Replays traces in the real runtime and holds their makespan against the schedule without overhead and against what no schedule can beat.</summary>
internal static class TracesBench
{
    /// <summary>Seconds of a replay for one second of a trace.</summary>
    private const double Scale = 1e-3;
    private const double MostOverhead = 5;
    private const int Rounds = 5;

    // A long trace is replayed less often, so that the whole command stays within minutes.
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(12);
    // Many recorded tasks take no millisecond here. To look at tasks of 5 ms and more, each takes so much more, as a start-up would; a floor instead would make them
    // all end at the same moments, and which of them is then first decides the rest of the schedule.
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(5);

    /// <returns>Whether there was anything to do.</returns>
    public static async Task<bool> RunAsync(IReadOnlyList<Trace> traces, TraceReport report)
    {
        if (traces.Count == 0)
            return false;
        report.Say($"{Measure.Machine}; 1 s of a trace is 1 ms here; capacities: {string.Join(", ", TracePrograms.Capacities.Select(c => $"{c.Key} {c.Value}"))}; medians of up to {Rounds} runs");
        report.Say($"{"trace",-42} {"tasks",5} {"median",9} {"makespan",9} {"bound",9} {"over it",7} {"simulated",9} {"overhead",8}        {"clock",10} {"runs",4}");
        using Clock clock = new();
        await WarmUpAsync(traces, clock);
        foreach (Trace trace in traces)
        {
            await RunAsync(trace, TimeSpan.Zero, clock, report);
            if (trace.Tasks.Any(t => t.Seconds * Scale < Least.TotalSeconds))
                await RunAsync(trace, Least, clock, report);
        }
        return true;
    }

    // Until the compiler has seen what is hot: half a second of tasks that take no time.
    private static async Task WarmUpAsync(IReadOnlyList<Trace> traces, Clock clock)
    {
        foreach (Trace trace in traces)
        {
            Replay replay = new(trace, trace.Durations(0, TimeSpan.FromMicroseconds(50)), clock);
            for (long end = Clock.Now + Clock.Ticks(2.0 / traces.Count); Clock.Now < end;)
                await replay.RunAsync();
        }
    }

    private static async Task RunAsync(Trace trace, TimeSpan longer, Clock clock, TraceReport report)
    {
        long[] durations = trace.Durations(Scale, longer);
        Replay replay = new(trace, durations, clock);
        ReplayRun ideal = IdealRun.Run(trace, replay.Workflow.Graph, durations);
        long bound = trace.LowerBound(durations);
        Check(trace, durations, ideal, "the simulated schedule", report);
        int rounds = Math.Clamp((int)(Budget.TotalMilliseconds / Clock.Milliseconds(ideal.Makespan)), 1, Rounds);
        List<(double Overhead, long Makespan, long Simulated)> runs = [];
        for (int round = rounds < Rounds ? 1 : 0; round <= rounds; round++)
        {
            GC.Collect();
            ReplayRun run = await replay.RunAsync();
            Check(trace, durations, run, "a replay", report);
            if (round == 0)
                continue;
            // With the tasks as long as they really were: that the bench's own clock is late is no overhead of the runtime. Neither is the other order that follows where
            // two tasks end within that time of each other, which moves some schedules by more than everything else.
            long[] taken = [.. run.Ended.Zip(run.Began, (end, begin) => end - begin)];
            long simulated = IdealRun.Run(trace, replay.Workflow.Graph, taken).Makespan;
            runs.Add((100.0 * run.Makespan / simulated - 100, run.Makespan, simulated));
        }
        (double overhead, double makespan, double same) = runs.Order().ElementAt(runs.Count / 2);
        double lateness = Measure.Median([.. runs.Select(r => 100.0 * r.Simulated / ideal.Makespan - 100)]);
        bool isBound = durations.Min() >= Clock.Ticks(Least.TotalSeconds);
        string name = longer > TimeSpan.Zero ? $"  each task {longer.TotalMilliseconds} ms longer" : trace.Name;
        report.Say($"{name,-42} {durations.Length,5} {Ms(Measure.Median([.. durations.Select(d => (double)d)])),9:N3} {Ms(makespan),9:N2} {Ms(bound),9:N2} {makespan / bound,7:N3} {Ms(same),9:N2} {overhead,6:N2} % {(isBound ? report.Against(overhead, MostOverhead) : ""),-6} {lateness,8:N2} % {rounds,4}");
        report.Give(new
        {
            instance = trace.Name,
            tasks = durations.Length,
            makespanMs = Round(Ms(makespan)),
            lowerBoundMs = Round(Ms(bound)),
            overLowerBound = Round(makespan / bound),
            simulatedMs = Round(Ms(same)),
            overheadPercent = Round(overhead),
            recordedMs = Round(Ms(ideal.Makespan)),
            clockPercent = Round(lateness),
            longerByMs = longer.TotalMilliseconds,
            runs = rounds,
        });
    }

    private static void Check(Trace trace, long[] durations, ReplayRun run, string what, TraceReport report)
    {
        if (ReplayCheck.Fault(trace, durations, run) is { } fault)
            report.Fail($"{trace.Name}: {what} is no schedule: {fault}");
    }

    private static double Ms(double ticks) => Clock.Milliseconds(ticks);

    private static double Round(double value) => Math.Round(value, 4);
}
