using System.Security.Cryptography;
using System.Text;

namespace Millstream.Tests.Journaling;

/// <summary>Payloads that are too large for a record lie beside it, and nobody who runs, reads, forks or removes a job notices.</summary>
public abstract class LargePayloadContract
{
    // Over what stays in a record, under the limit; as JSON with its quotes.
    private static readonly string Large = new('x', 100_000), Json = $"\"{Large}\"";

    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Json)));

    /// <summary>A store object on the journals of this test. The first call makes them.</summary>
    protected abstract IJournalStorage Open();

    [Fact]
    public async Task Job_WithLargePayloads_StoresEachOnceAndReadsThemBack()
    {
        Repeats agent = new();
        JobId id;
        string[] first;
        await using (IJournalStorage gone = Open())
        await using (AgentOrchestrator one = await StartAsync(gone, agent))
        {
            Job<string, string, string> job = await one.CreateJobAsync(agent, Large);
            id = job.Id;
            await agent.Asked.Task;
        }
        await using IJournalStorage storage = Open();
        // Another process replays it: input, output, event and signal are the same bytes.
        await using (AgentOrchestrator two = await StartAsync(storage, agent))
        {
            Job<string, string, string> job = (await two.GetJobAsync(agent, id))!;
            Assert.Equal(SignalResult.Accepted, await job.SignalAsync(Large));
            Assert.Equal(Large, await job.Completion);
            Assert.Equal(1, agent.Runs);
            first = await LinesAsync(job);
            Assert.Equal(5, first.Count(l => l.Contains(Large, StringComparison.Ordinal)));
        }
        long inRecords = 0;
        await foreach (JournalRecord record in storage.ReadAsync(id, 1))
            inRecords += record.Bytes.Length;
        Assert.InRange(inRecords, 1, 4_000);
        Assert.Equal(Json, Encoding.UTF8.GetString((await storage.ReadBlobAsync(id, Hash))!.Value.Span));
        // Who has only the store reads the same.
        await using AgentOrchestrator three = await StartAsync(storage);
        Job stored = (await three.GetJobAsync(id))!;
        Assert.Equal(first, await LinesAsync(stored));
        Assert.True(await storage.RemoveAsync(id));
        Assert.Null(await storage.ReadBlobAsync(id, Hash));
    }

    [Fact]
    public async Task Fork_OfAJobWithLargePayloads_OutlivesIt()
    {
        await using IJournalStorage storage = Open();
        Repeats agent = new();
        await using AgentOrchestrator orchestrator = await StartAsync(storage, agent);
        Job<string, string, string> job = await orchestrator.CreateJobAsync(agent, Large);
        await agent.Asked.Task;
        await job.SignalAsync("");
        await job.Completion;
        long at = 0;
        await foreach (JobEvent e in job.EventsAsync())
            at = e.Kind == JobEventKinds.TaskCompleted ? e.Seq + 2 : at;
        Job fork = await orchestrator.ForkJobAsync(job.Id, at);
        Assert.True(await storage.RemoveAsync(job.Id));
        await fork.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement("short"));
        Assert.Equal(new JobEnding.Completed("short"), await fork.Ending);
        Assert.Equal(1, agent.Runs);
        Assert.NotNull(await storage.ReadBlobAsync(fork.Id, Hash));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_OfADamagedPayload_NamesRecordAndHash(bool isMissing)
    {
        await using IJournalStorage storage = Open();
        Repeats agent = new();
        await using AgentOrchestrator orchestrator = await StartAsync(storage, agent);
        // The input is small: only what the task gives is not.
        Job<string, string, string> job = await orchestrator.CreateJobAsync(agent, "");
        await job.SignalAsync(Large);
        await job.Completion;
        // The same job once more, without what lay beside it or with one byte of it changed.
        JobHead head = (await storage.FindAsync(job.Id))!;
        List<JournalRecord> records = [];
        await foreach (JournalRecord record in storage.ReadAsync(job.Id, 1))
            records.Add(record);
        byte[] changed = Encoding.UTF8.GetBytes(Json);
        changed[50]++;
        Assert.True(await storage.RemoveAsync(job.Id));
        foreach (JournalRecord record in records)
            Assert.Equal([AppendResult.Appended], await storage.AppendAsync([new JobAppend { Job = job.Id, Epoch = 1, Head = head, Record = record, Blobs = isMissing ? [] : [new JournalBlob(Hash, changed)] }]));
        await using AgentOrchestrator other = await StartAsync(storage);
        Job stored = (await other.GetJobAsync(job.Id))!;
        JournalDamagedException e = await Assert.ThrowsAsync<JournalDamagedException>(() => LinesAsync(stored));
        Assert.Equal(e.Number, records.First(r => r.First == e.Number).First);
        Assert.Contains($"its record at {e.Number} names a payload of 100,002 bytes{(isMissing ? " that is missing beside it" : ", and what lies beside it is not what was written")} (SHA-256 {Hash})", e.Message, StringComparison.Ordinal);
    }

    private static async Task<AgentOrchestrator> StartAsync(IJournalStorage storage, params Agent[] agents)
    {
        AgentRegistry registry = new();
        foreach (Agent agent in agents)
            registry.Add(agent);
        AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = registry, GracePeriod = TimeSpan.FromMilliseconds(100) });
        await orchestrator.StartAsync();
        return orchestrator;
    }

    private static async Task<string[]> LinesAsync(Job job)
    {
        List<string> lines = [];
        await foreach (JobEvent e in job.EventsAsync())
            lines.Add(e.ToJson());
        return [.. lines];
    }

    private sealed class Repeats : Agent<string, string, string, string>
    {
        private int _runs;

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Runs => _runs;

        protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
        {
            string output = await context.StepAsync("repeat", _ =>
            {
                Interlocked.Increment(ref _runs);
                return Task.FromResult(input);
            });
            context.Emit(output);
            await context.FlushAsync();
            Asked.TrySetResult();
            return await context.Signals.NextAsync();
        }
    }
}
