using System.Diagnostics;

namespace Millstream;

/// <summary>The engine in memory: what a task, an event, an idle job costs.</summary>
internal static class EngineBench
{
    private const int JournalBytes = int.MaxValue;

    private static readonly AgentTask<int, int> NoOp = AgentTask.Create<int, int>("noop", static (n, _) => Task.FromResult(n));

    private static readonly Workflow<int, int> WorkflowFan =
        Workflow.Define<int, int>("fan", "1", w => w.ForEach("each", NoOp, w.Input.Select(n => Enumerable.Range(0, n).ToArray())).Select(a => a.Length));

    public static async Task RunAsync(Measure measure)
    {
        await measure.NanosecondsAsync("chain of 10,000 no-op tasks, a task", 10_000, n => RunAsync(new Chain(), n), 3_000);
        await measure.NanosecondsAsync("fan-out of 10,000 no-op tasks, a task", 10_000, n => RunAsync(new FanOut(), n), 3_000);
        List<double> chains = [], fans = [];
        foreach (int count in (int[])[1_000, 10_000, 100_000])
        {
            chains.Add(await measure.NanosecondsAsync($"  chain of {count:N0}", count, n => RunAsync(new Chain(), n)));
            fans.Add(await measure.NanosecondsAsync($"  fan-out of {count:N0}", count, n => RunAsync(new FanOut(), n)));
        }
        measure.Say("chain, 100,000 over 1,000", chains[2] / chains[0], "x", 1.5);
        measure.Say("fan-out, 100,000 over 1,000", fans[2] / fans[0], "x", 1.5);
        await measure.NanosecondsAsync("workflow: chain of 10,000, a task", 10_000, WorkflowChain(10_000), 3_000);
        await measure.NanosecondsAsync("workflow: fan-out of 10,000, a task", 10_000, WorkflowFanOutAsync, 3_000);
        await measure.NanosecondsAsync("1,000 jobs of 200 tasks, a task", 200_000, n => JobsAsync(1_000, n / 1_000), 3_000);
    }

    public static Task ChainAsync(int count) => RunAsync(new Chain(), count);

    public static Task FanOutAsync(int count) => RunAsync(new FanOut(), count);

    public static Task WorkflowFanOutAsync(int count) => RunAsync(WorkflowFan.Agent, count);

    /// <summary>A chain of so many nodes; it is made once and run each time.</summary>
    public static Func<int, Task> WorkflowChain(int count)
    {
        Workflow<int, int> chain = Workflow.Define<int, int>("chain", "1", w =>
        {
            Node<int> node = w.Input;
            for (int i = 0; i < count; i++)
                node = w.Task($"t{i}", NoOp, node);
            return node;
        });
        return _ => RunAsync(chain.Agent, 1);
    }

    /// <summary>The time that the emitting turns of a job take, on their own thread, in nanoseconds.</summary>
    public static async Task<double> WriterNanosecondsAsync(int count, int readers) => await WriterCpuAsync(count, readers) * 1e9 / Stopwatch.Frequency;

    public static async Task RunEventsAsync(Measure measure)
    {
        await measure.NanosecondsAsync("an event read by one reader", 200_000, n => EventsAsync(n, 1), 300);
        List<double> ratios = [];
        for (int i = 0; i < 5; i++)
        {
            double one = await WriterCpuAsync(200_000, 1), hundred = await WriterCpuAsync(200_000, 100);
            ratios.Add(hundred / one);
        }
        measure.Say("writer's CPU time, 100 readers over 1 reader", Measure.Median(ratios), "x", 2);
        measure.Say("an idle job (body suspended, no reader)", await IdleBytesAsync(10_000) / 1024, "KB", 4);
    }

    private static AgentOrchestrator NewOrchestrator() => new(new OrchestratorOptions { Limits = new OrchestratorLimits { JournalBytes = JournalBytes } });

    private static async Task RunAsync<TOut, TEvent, TSignal>(Agent<int, TOut, TEvent, TSignal> agent, int input)
    {
        await using AgentOrchestrator orchestrator = NewOrchestrator();
        await (await orchestrator.CreateJobAsync(agent, input)).Completion;
    }

    private static async Task JobsAsync(int jobs, int tasks)
    {
        await using AgentOrchestrator orchestrator = NewOrchestrator();
        Chain chain = new();
        Job<int, Nothing, Nothing>[] all = new Job<int, Nothing, Nothing>[jobs];
        for (int i = 0; i < jobs; i++)
            all[i] = await orchestrator.CreateJobAsync(chain, tasks);
        foreach (Job<int, Nothing, Nothing> job in all)
            await job.Completion;
    }

    /// <summary>Events of one job to some readers, each of which must see them all.</summary>
    public static async Task EventsAsync(int count, int readers)
    {
        await using AgentOrchestrator orchestrator = NewOrchestrator();
        Job<int, int, Nothing> job = await orchestrator.CreateJobAsync(new Emitter(), count);
        await Task.WhenAll(Enumerable.Range(0, readers).Select(_ => Task.Run(() => ReadAsync(job, count))));
    }

    private static async Task ReadAsync(Job<int, int, Nothing> job, int count)
    {
        int read = 0;
        await foreach (int e in job.StreamAsync())
            read++;
        if (read != count)
            throw new InvalidOperationException($"A reader saw {read} of {count} events.");
    }

    /// <summary>The CPU time that the emitting turns take, measured on their own thread.</summary>
    private static async Task<double> WriterCpuAsync(int count, int readers)
    {
        await using AgentOrchestrator orchestrator = NewOrchestrator();
        Emitter emitter = new();
        Job<int, int, Nothing> job = await orchestrator.CreateJobAsync(emitter, count);
        await Task.WhenAll(Enumerable.Range(0, readers).Select(_ => Task.Run(() => ReadAsync(job, count))));
        return emitter.Ticks;
    }

    public static async Task<double> IdleBytesAsync(int count)
    {
        await using AgentOrchestrator orchestrator = NewOrchestrator();
        Idle idle = new();
        Job<int, Nothing, string>[] jobs = new Job<int, Nothing, string>[count];
        for (int round = 0; round < 2; round++)
        {
            // The first round warms up.
            long before = GC.GetTotalMemory(true);
            for (int i = 0; i < count; i++)
                jobs[i] = await orchestrator.CreateJobAsync(idle, i);
            while (jobs.Any(j => j.Status != JobStatus.Waiting))
                await Task.Yield();
            double bytes = GC.GetTotalMemory(true) - before;
            if (round == 1)
                return bytes / count;
            foreach (Job<int, Nothing, string> job in jobs)
                await job.SignalAsync("go");
            foreach (Job<int, Nothing, string> job in jobs)
                await job.Completion;
        }
        return 0;
    }

    private sealed class Chain : Agent<int, int>
    {
        protected override async Task<int> RunCoreAsync(int input, AgentContext context)
        {
            int sum = 0;
            for (int i = 0; i < input; i++)
                sum += await context.RunAsync(NoOp, i);
            return sum;
        }
    }

    private sealed class FanOut : Agent<int, int>
    {
        // A turn takes a million commands, so a million tasks are two fan-outs.
        private const int Most = 500_000;

        protected override async Task<int> RunCoreAsync(int input, AgentContext context)
        {
            int done = 0;
            foreach (int[] part in Enumerable.Range(0, input).Chunk(Most))
                done += (await context.RunAllAsync(NoOp, part)).Length;
            return done;
        }
    }

    private sealed class Emitter : Agent<int, int, int>
    {
        private const int Batch = 100;

        public double Ticks { get; private set; }

        protected override async Task<int> RunCoreAsync(int input, AgentContext<int> context)
        {
            Ticks = 0;
            for (int i = 0; i < input; i += Batch)
            {
                long start = Stopwatch.GetTimestamp();
                for (int k = 0; k < Batch; k++)
                    context.Emit(k);
                Task flushed = context.FlushAsync();
                Ticks += Stopwatch.GetTimestamp() - start;
                await flushed;
            }
            return input;
        }
    }

    private sealed class Idle : Agent<int, int, Nothing, string>
    {
        protected override async Task<int> RunCoreAsync(int input, AgentContext<Nothing, string> context) => (await context.Signals.NextAsync()).Length + input;
    }
}
