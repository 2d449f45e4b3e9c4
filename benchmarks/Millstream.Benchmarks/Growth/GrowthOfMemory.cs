namespace Millstream;

/// <summary>What a job that does nothing keeps in memory, by how many there are.</summary>
internal static class GrowthOfMemory
{
    private static readonly int[] Sizes = [100, 1_000, 10_000, 100_000];

    private static readonly AgentTask<TaskCompletionSource<int>, int> Hang = AgentTask.Create<TaskCompletionSource<int>, int>("hang", static (source, _) => source.Task);

    public static async Task RunAsync(GrowthReport report)
    {
        GrowthSeries idle = new("waits for a signal", "KB"), queued = new("its task waits for a slot", "KB"), running = new("its task runs", "KB"), stored = new("waits, in SQLite", "KB");
        await EngineBench.IdleBytesAsync(100);
        await BytesAsync(100, 1_000);
        foreach (int size in Sizes)
        {
            idle.Add(size, await EngineBench.IdleBytesAsync(size) / 1_024);
            queued.Add(size, await BytesAsync(size, 1) / 1_024);
            running.Add(size, await BytesAsync(size, size + 1) / 1_024);
            // What a hundred of them keep is less than the rest of the process varies by.
            if (size > Sizes[0])
                stored.Add(size, await DurableBench.WaitingBytesAsync(size) / 1_024);
        }
        report.Table("memory", "Objects that a job keeps alive, by how many jobs there are", "jobs", [idle, queued, running, stored]);
        report.Picture("growth-memory.svg", new Chart("What a job keeps in memory", "jobs", "KB a job", [idle, queued, running, stored]));
    }

    /// <summary>Jobs of which each has one task under way or in line; the first has the only slot where there is one.</summary>
    private static async Task<double> BytesAsync(int count, int slots)
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [], slots: slots)] });
        Hanging hanging = new();
        TaskCompletionSource<int> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await orchestrator.CreateJobAsync(hanging, first);
        Job<int, Nothing, Nothing>[] jobs = new Job<int, Nothing, Nothing>[count];
        double bytes = 0;
        for (int round = 0; round < 2; round++)
        {
            // The first round warms up. Jobs in line wait for the slot that the first one has.
            TaskCompletionSource<int> release = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Array.Clear(jobs);
            long before = GC.GetTotalMemory(true);
            for (int i = 0; i < count; i++)
                jobs[i] = await orchestrator.CreateJobAsync(hanging, release);
            foreach (Job<int, Nothing, Nothing> job in jobs)
            {
                while (job.Tasks is not [{ Status: var status }] || status != (slots == 1 ? AgentTaskStatus.Waiting : AgentTaskStatus.Running))
                    await Task.Yield();
            }
            bytes = GC.GetTotalMemory(true) - before;
            release.SetResult(1);
            first.TrySetResult(1);
            foreach (Job<int, Nothing, Nothing> job in jobs)
                await job.Completion;
            if (round == 0)
                await orchestrator.CreateJobAsync(hanging, first = new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        first.TrySetResult(1);
        return bytes / count;
    }

    private sealed class Hanging : Agent<TaskCompletionSource<int>, int>
    {
        protected override Task<int> RunCoreAsync(TaskCompletionSource<int> input, AgentContext context) => context.RunAsync(Hang, input);
    }
}
