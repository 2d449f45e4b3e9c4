using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Millstream;

/// <summary>A graph of tasks that keep a core busy, beside the same loops on bare threads.</summary>
internal sealed class Busy
{
    private readonly int _tasks;
    private readonly Workflow<int, int> _workflow;
    private long _loops;

    /// <param name="width">How many tasks a step has; as many chains where it is no stencil.</param>
    /// <param name="steps">How many steps follow each other.</param>
    /// <param name="isStencil">Whether a task waits for its neighbours of the step before, too.</param>
    public Busy(int width, int steps, bool isStencil)
    {
        _tasks = width * steps;
        AgentTask<int, int> task = AgentTask.Create<int, int>("busy", (input, _) => Task.FromResult(Loop(_loops, input)));
        _workflow = Workflow.Define<int, int>("busy", "1", w =>
        {
            Node<int>[] last = [];
            for (int step = 0; step < steps; step++)
            {
                Node<int>[] now = new Node<int>[width];
                for (int i = 0; i < width; i++)
                {
                    now[i] = w.Task($"s{step}-{i}", task, w.Input);
                    for (int from = isStencil ? Math.Max(0, i - 1) : i; last.Length > 0 && from <= (isStencil ? Math.Min(width - 1, i + 1) : i); from++)
                        now[i].After(last[from]);
                }
                last = now;
            }
            return w.All(last).Select(all => all.Length);
        });
    }

    public static int Cores => Environment.ProcessorCount;

    /// <summary>How many tasks the graph has.</summary>
    public int Tasks => _tasks;

    /// <summary>How often the loop turns in a microsecond, on bare threads that keep all cores busy.</summary>
    public static double Rate()
    {
        const long loops = 8_000_000;
        int ready = 0;
        bool isBegun = false;
        Thread[] threads = [.. Enumerable.Range(0, Cores).Select(core => new Thread(() =>
        {
            Interlocked.Increment(ref ready);
            while (!Volatile.Read(ref isBegun))
                Thread.SpinWait(1);
            Loop(loops, core);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        while (Volatile.Read(ref ready) < Cores)
            Thread.Yield();
        long start = Stopwatch.GetTimestamp();
        Volatile.Write(ref isBegun, true);
        foreach (Thread thread in threads)
            thread.Join();
        return loops / Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    /// <summary>Runs the graph once as a job, with tasks of so many turns of the loop; microseconds.</summary>
    public async Task<double> RunAsync(long loops, bool isDurable)
    {
        _loops = loops;
        GC.Collect();
        return isDurable ? await StoredAsync() : await JobAsync(new OrchestratorOptions { Workers = [Slots()] });
    }

    private static Worker Slots() => new("local", slots: Cores);

    private async Task<double> StoredAsync()
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            await using SqliteJournalStorage storage = new(Path.Combine(folder, "journal.db"));
            return await JobAsync(new OrchestratorOptions { Workers = [Slots()], Journal = storage, Agents = new AgentRegistry().Add(_workflow.Agent) });
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private async Task<double> JobAsync(OrchestratorOptions options)
    {
        await using AgentOrchestrator orchestrator = new(options);
        await orchestrator.StartAsync();
        long start = Stopwatch.GetTimestamp();
        var job = await orchestrator.CreateJobAsync(_workflow.Agent, 1);
        await job.Completion;
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    // Each turn needs the one before it, so no compiler can leave any out.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Loop(long loops, int seed)
    {
        uint x = (uint)seed;
        for (long i = 0; i < loops; i++)
            x = x * 1_664_525 + 1_013_904_223;
        return (int)x;
    }
}
