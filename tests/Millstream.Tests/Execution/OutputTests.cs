using System.Text;

namespace Millstream.Tests;

/// <summary>Output of tasks while they run: joined while the store is busy, and superseded when another attempt follows.</summary>
public sealed class OutputTests : StoredJobTests
{
    private readonly TaskCompletionSource _begun = new();
    private readonly TaskCompletionSource _goOn = new();

    [Fact]
    public async Task Output_WhileTheStoreIsBusy_IsJoinedIntoOneEntryPerStream()
    {
        await using HeldStorage held = new(Storage);
        List<JobEvent> deltas = await DeltasAsync(held, async context =>
        {
            held.Hold();
            context.Delta("a");
            // The first piece does not wait for others.
            await held.ArrivedAsync();
            foreach (string piece in (string[])["b", "c", "d"])
                context.Delta(piece);
            context.Delta("oops", "stderr");
            context.Delta("e");
            context.Delta("f");
            held.Pass();
            // They follow by themselves, as soon as the first is stored.
            await held.ArrivedAsync();
            context.Delta("end");
            held.LetGo();
        });
        Assert.Equal(["output 0 a", "output 1 bcd", "stderr 2 oops", "output 3 ef", "output 4 end"], Said(deltas));
    }

    [Fact]
    public async Task Output_OfAnyLength_IsCutBetweenCharacters()
    {
        string text = "x" + string.Concat(Enumerable.Repeat("漢", 50_000));
        List<JobEvent> deltas = await DeltasAsync(Storage, context =>
        {
            context.Delta(text);
            return Task.CompletedTask;
        });
        Assert.Equal(text, string.Concat(deltas.Select(e => Encoding.UTF8.GetString(e.Bytes.Span))));
        Assert.All(deltas, e => Assert.InRange(e.Bytes.Length, 1, 64 * 1024));
        Assert.All(deltas, e => Assert.Contains("\"text\":", e.ToJson(), StringComparison.Ordinal));
        Assert.Equal(3, deltas.Count);
    }

    [Fact]
    public async Task Output_OfAnAttemptThatIsRetried_IsSuperseded()
    {
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(Talker(attempts: 3, context => context.Attempt switch
        {
            1 => throw new InvalidOperationException("silent"),
            2 => Fail(context),
            _ => Finish(context),
        }), ""));
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await job.Completion;
        List<JobEvent> all = await job.AllAsync();
        JobEvent superseded = Assert.Single(all, e => e.Kind == JobEventKinds.Superseded);
        Assert.Equal(("talk", 2), (superseded.Task, superseded.Attempt));
        long[] of = [.. all.Where(e => e.Kind == JobEventKinds.TaskDelta && e.Attempt == 2).Select(e => e.Seq)];
        Assert.Contains($"\"task\":\"talk\",\"attempt\":2,\"from\":{of[0]},\"to\":{of[^1]}}}", superseded.ToJson(), StringComparison.Ordinal);
        Assert.Equal(JobEventKinds.TaskRetried, all[(int)superseded.Seq - 2].Kind);
        // It marks and removes nothing, and a later process reads the same.
        List<string> lines = await job.LinesAsync();
        await RestartAsync(agent);
        Assert.Equal(lines, await (await Orchestrator.GetJobAsync(job.Id))!.LinesAsync());

        static Task Fail(TaskContext context)
        {
            context.Delta("one");
            context.Delta("two", "stderr");
            throw new InvalidOperationException("no");
        }

        static Task Finish(TaskContext context)
        {
            context.Delta("three");
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Output_OfAnAttemptWhoseProcessIsGone_IsSupersededOnce()
    {
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(Talker(attempts: 1, async context =>
        {
            context.Delta($"attempt {context.Attempt}");
            if (context.Attempt < 3)
                await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
        }), ""));
        await StartAsync(agent);
        Job job = await Orchestrator.StartAsync(agent, "");
        for (int attempt = 1; attempt < 3; attempt++)
        {
            await job.UntilAsync(e => e.Kind == JobEventKinds.TaskDelta && e.Attempt == attempt);
            await RestartAsync(agent);
            job = (await Orchestrator.GetJobAsync(job.Id))!;
        }
        await job.Ending;
        List<JobEvent> all = await job.AllAsync();
        Assert.Equal([1, 2], all.Where(e => e.Kind == JobEventKinds.Superseded).Select(e => e.Attempt!.Value));
        foreach (JobEvent superseded in all.Where(e => e.Kind == JobEventKinds.Superseded))
        {
            long of = all.Single(e => e.Kind == JobEventKinds.TaskDelta && e.Attempt == superseded.Attempt).Seq;
            Assert.Contains($"\"from\":{of},\"to\":{of}}}", superseded.ToJson(), StringComparison.Ordinal);
            Assert.Equal((JobEventKinds.TaskStarted, superseded.Attempt + 1), (all[(int)superseded.Seq].Kind, all[(int)superseded.Seq].Attempt));
        }
    }

    [Fact]
    public async Task Output_InMemory_IsShownAsItComes()
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions());
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Talker(attempts: 1, context =>
        {
            context.Delta("a");
            context.Delta("b");
            return Task.CompletedTask;
        }), "")), "");
        await job.Completion;
        Assert.Equal(["output 0 a", "output 1 b"], Said((await job.AllAsync()).Where(e => e.Kind == JobEventKinds.TaskDelta)));
    }

    private static AgentTask<string, string> Talker(int attempts, Func<TaskContext, Task> work) => AgentTask.Create<string, string>("talk", async (_, context) =>
    {
        await work(context);
        return "said";
    }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = attempts, Delay = TimeSpan.FromMilliseconds(1) } });

    /// <summary>What is shown of a task's output in a store.</summary>
    private async Task<List<JobEvent>> DeltasAsync(IJournalStorage storage, Func<TaskContext, Task> work)
    {
        TestAgent<string, string> agent = Agents.Make(c => c.RunAsync(Talker(attempts: 1, async context =>
        {
            // What the job has recorded so far is stored.
            _begun.SetResult();
            await _goOn.Task;
            await work(context);
        }), ""));
        AgentRegistry agents = new();
        agents.Add(agent);
        await using AgentOrchestrator orchestrator = new(Options with { Journal = storage, Agents = agents });
        await orchestrator.StartAsync();
        Job<string, string, string> job = await orchestrator.StartAsync(agent, "");
        await _begun.Task;
        await job.UntilAsync(JobEventKinds.TaskStarted);
        await UntilAsync(() => Storage.FindAsync(job.Id).Result!.Status == JobStatus.Running);
        _goOn.SetResult();
        await job.Completion;
        return [.. (await job.AllAsync()).Where(e => e.Kind == JobEventKinds.TaskDelta)];
    }

    private static IEnumerable<string> Said(IEnumerable<JobEvent> deltas) => deltas.Select((e, i) =>
    {
        Assert.Contains($"\"index\":{i},", e.ToJson(), StringComparison.Ordinal);
        return $"{e.Stream} {i} {Encoding.UTF8.GetString(e.Bytes.Span)}";
    });
}
