using Millstream.Tests.Journaling;

namespace Millstream.PostgreSql.Tests;

public sealed class JobForkTests : JobForkContract, IAsyncLifetime
{
    private readonly ContractJournal _journal = new();

    protected override IJournalStorage Open() => _journal.OpenOne();

    public ValueTask InitializeAsync() => _journal.InitializeAsync();

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task Fork_WhoseRestCannotBeStored_LeavesNothing()
    {
        Talks agent = new();
        await using IJournalStorage store = Open();
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = store, Agents = new AgentRegistry().Add(agent) });
        await orchestrator.StartAsync();
        Job job = await orchestrator.CreateJobAsync(agent, "in");
        await job.Ending;
        long at = 0;
        await foreach (JobEvent e in job.EventsAsync())
            at = e.Kind == JobEventKinds.TaskStarted ? e.Seq : at;
        JobId id = JobId.Parse("copy");
        // The server takes the first record of a job and no further one.
        await _journal.RunAsync("ALTER TABLE {0}.records ADD CONSTRAINT once CHECK (first = 1) NOT VALID");
        JournalStorageException refused = await Assert.ThrowsAsync<JournalStorageException>(() => orchestrator.ForkJobAsync(job.Id, at, new JobOptions { Id = id }));
        Assert.Contains("once", refused.Message, StringComparison.Ordinal);
        Assert.Null(await store.FindAsync(id));
        await _journal.RunAsync("ALTER TABLE {0}.records DROP CONSTRAINT once");
        Assert.IsType<JobEnding.Completed>(await (await orchestrator.ForkJobAsync(job.Id, at, new JobOptions { Id = id })).Ending);
    }

    /// <summary>Its journal is larger than one record of a copy.</summary>
    private sealed class Talks : Agent<string, string, string, string>
    {
        protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
        {
            for (int i = 0; i < 20; i++)
            {
                context.Emit(new string('x', 20_000));
                await context.StepAsync("step", _ => Task.FromResult(i));
            }
            return input;
        }
    }
}
