namespace Millstream.Tests;

/// <summary>Questions that a view asks ten times a second, of a job with many tasks that wait.</summary>
public sealed class ManyWaitingTests
{
    private const int Waiting = 500;

    [Fact]
    public async Task Status_OfOneResource_LooksAtNoOther()
    {
        PlainResource[] resources = [new("gpu-1", "gpu"), new("gpu-2", "gpu"), new("tpu-1", "tpu")];
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", resources)] });
        orchestrator.SetOffline("gpu-2", "it is broken");
        Job<string, string, string> job = await StartAsync(orchestrator);
        Assert.Equal([ResourceStatus.Busy, ResourceStatus.Offline, ResourceStatus.Available], resources.Select(r => r.Status));
        long before = GC.GetAllocatedBytesForCurrentThread();
        ResourceStatus status = resources[0].Status;
        Assert.Equal((0, ResourceStatus.Busy), (GC.GetAllocatedBytesForCurrentThread() - before, status));
        await job.CancelAsync();
        await job.Ending;
    }

    [Fact]
    public async Task FirstTasks_OfIds_GivesTheFirstRunOfEach()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [new Worker("w", [new PlainResource("gpu-1", "gpu")])] });
        Job<string, string, string> job = await StartAsync(orchestrator);
        IReadOnlyDictionary<string, AgentTaskInfo> first = job.Runner.FirstTasks(["many", "alone", "none", "man"]);
        Assert.Equal(["alone", "many"], first.Keys.Order());
        Assert.Equal(["alone", "many[0]"], first.Values.Select(t => t.Id).Order());
        Assert.Equal("waits for 1 gpu: 1 of 1 busy", first["many"].Detail);
        Assert.Empty(job.Runner.FirstTasks([]));
        await job.CancelAsync();
        await job.Ending;
    }

    /// <summary>One task has the gpu, and many wait for it.</summary>
    private static async Task<Job<string, string, string>> StartAsync(AgentOrchestrator orchestrator)
    {
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async context =>
        {
            List<Task> tasks = [context.RunAsync(new Run("alone"), "")];
            tasks.AddRange(Enumerable.Range(0, Waiting).Select(i => context.RunAsync(new Run($"many[{i}]"), "")));
            await Task.WhenAll(tasks);
            return "";
        }), "");
        await job.UntilAsync("task.started");
        return job;
    }

    // With an id that a fan-out gives its runs.
    private sealed class Run(string id) : AgentTask<string, string>
    {
        public override string Id => id;

        public override IReadOnlyList<ResourceRequirement> Requirements { get; } = [ResourceRequirement.Exclusive("gpu")];

        protected override Task<string> RunCoreAsync(string input, TaskContext context) => Agents.Forever.RunAsync("", context);
    }
}
