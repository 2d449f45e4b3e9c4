namespace Millstream.Tests;

/// <summary>Jobs that wait leave memory and come back when something comes for them.</summary>
public sealed class IdleJobTests : StoredJobTests
{
    private static readonly TestAgent<string, string> Listener = new(async (input, c) =>
    {
        c.Emit("listens");
        string heard = "";
        while (heard.Length < 2)
        {
            await c.Signals.WaitToReadAsync();
            while (c.Signals.TryRead(out string? signal))
                heard += signal;
        }
        return input + heard;
    }, "listener");

    public IdleJobTests() => Options = Options with { Limits = new OrchestratorLimits { WaitingJobs = 0 } };

    [Fact]
    public async Task Job_ThatWaits_LeavesMemoryAndComesBackForEachSignal()
    {
        await StartAsync(Listener);
        Job<string, string, string> job = await Orchestrator.StartAsync(Listener, "x");
        await GoneAsync(1);
        Assert.Null(Orchestrator.Engine.Jobs.Find(job.Id));
        Assert.Equal(JobStatus.Waiting, job.Status);
        Assert.Equal(["a signal"], job.WaitsFor);
        Task<JobEnding> ending = job.Ending;
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("1", "s1"));
        await GoneAsync(1);
        Assert.Equal(SignalResult.Duplicate, await job.SignalAsync("1", "s1"));
        await GoneAsync(1);
        Job same = (await Orchestrator.GetJobAsync(job.Id))!;
        Assert.Equal(SignalResult.Accepted, await same.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement("2")));
        Assert.Equal("x12", await job.Completion);
        Assert.Equal(new JobEnding.Completed("x12"), await ending);
        List<JobEvent> events = await job.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Single(events, e => e.Kind == JobEventKinds.Event);
        Assert.Equal(2, events.Count(e => e.Kind == JobEventKinds.Signal));
    }

    [Fact]
    public async Task Job_ThatSomebodyReads_StaysUntilTheReaderLeaves()
    {
        await StartAsync(Listener);
        Job<string, string, string> job = await Orchestrator.StartAsync(Listener, "");
        await GoneAsync(1);
        await using (IAsyncEnumerator<JobEvent> reader = job.EventsAsync().GetAsyncEnumerator())
        {
            while (await reader.MoveNextAsync() && reader.Current.Kind != JobEventKinds.JobResumed)
            {
                // Up to where it waits.
            }
            Task<bool> next = reader.MoveNextAsync().AsTask();
            Assert.NotNull(Orchestrator.Engine.Jobs.Find(job.Id));
            await job.SignalAsync("1");
            Assert.True(await next);
            Assert.Equal(JobEventKinds.Signal, reader.Current.Kind);
        }
        await GoneAsync(1);
    }

    [Fact]
    public async Task Job_ThatAsks_ComesBackForItsAnswer()
    {
        TestAgent<string, string> agent = Agents.Make(async c => (await c.AskAsync(new Proceed("?"))).ToString());
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await GoneAsync(1);
        Assert.Equal(new Proceed("?"), Assert.Single(job.Questions).Value);
        Assert.Single((await Orchestrator.GetJobAsync(job.Id))!.Questions);
        Assert.Equal(SignalResult.UnknownQuestion, await job.AnswerAsync("q2", true));
        await GoneAsync(1);
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("q1", true));
        Assert.Equal("True", await job.Completion);
    }

    [Fact]
    public async Task Job_WithATimer_ComesBackWhenItIsDue()
    {
        Microsoft.Extensions.Time.Testing.FakeTimeProvider time = new();
        Options = Options with { Time = time };
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            await c.DelayAsync(TimeSpan.FromDays(100));
            await c.DelayAsync(TimeSpan.FromDays(1));
            return c.Now.ToString("yyyy-MM-dd");
        });
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await AdvanceAsync(() => Orchestrator.Engine.Durable!.DormantCount == 1);
        time.Advance(TimeSpan.FromDays(40));
        time.Advance(TimeSpan.FromDays(40));
        Assert.Equal(1, Orchestrator.Engine.Durable!.DormantCount);
        time.Advance(TimeSpan.FromDays(21));
        await AdvanceAsync(() => Orchestrator.Engine.Durable!.DormantCount == 0 || job.Ending.IsCompleted);
        await AdvanceAsync(() => Orchestrator.Engine.Durable!.DormantCount == 1);
        // A process that comes later does not forget it.
        await RestartAsync(agent);
        time.Advance(TimeSpan.FromDays(2));
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(agent, job.Id))!;
        await AdvanceAsync(() => again.Ending.IsCompleted);
        Assert.Equal("2000-04-13", await again.Completion);

        // Notes of the journal wait for the clock, too.
        async Task AdvanceAsync(Func<bool> until)
        {
            while (!until())
            {
                time.Advance(TimeSpan.FromMilliseconds(10));
                await Task.Delay(1);
            }
        }
    }

    [Fact]
    public async Task Job_WithAChildThatWaits_LeavesWithItAndBothComeBack()
    {
        TestAgent<string, string> parent = new(async (input, c) => $"<{await c.RunAsync(Listener, input)}>", "parent");
        await StartAsync(parent, Listener);
        Job<string, string, string> job = await Orchestrator.StartAsync(parent, "x");
        await GoneAsync(1);
        Assert.Empty(Orchestrator.Engine.Jobs.All());
        Job child = (await Orchestrator.GetJobAsync(JobId.Parse($"{job.Id}/1")))!;
        Assert.Equal(SignalResult.Accepted, await child.As<string, string, string>().SignalAsync("1"));
        await GoneAsync(1);
        // One process more: where a child waits, its end must be looked for.
        await RestartAsync(parent, Listener);
        await GoneAsync(1);
        Assert.Equal(SignalResult.Accepted, await (await Orchestrator.GetJobAsync(Listener, child.Id))!.SignalAsync("2"));
        Assert.Equal("<x12>", await (await Orchestrator.GetJobAsync(parent, job.Id))!.Completion);
    }

    [Fact]
    public async Task Job_OfADeadProcessThatWaited_IsNotReadUntilSomethingComes()
    {
        int runs = 0;
        TestAgent<string, string> agent = new(async (_, c) =>
        {
            runs++;
            await c.Signals.WaitToReadAsync();
            c.Signals.TryRead(out string? signal);
            return signal!;
        });
        await StartAsync(agent);
        Job<string, string, string>[] jobs = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Orchestrator.StartAsync(agent, "", new JobOptions { Id = JobId.Parse($"j{n}") })));
        await GoneAsync(20);
        runs = 0;
        await RestartAsync(agent);
        Assert.Equal((20, 0), (Orchestrator.Engine.Durable!.DormantCount, runs));
        // From another process: it lies in the inbox until the owner of the job has read it.
        await using MemoryJournalStorage storage = Storage.Reopen();
        await using AgentOrchestrator other = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(agent), Claim = false });
        await other.StartAsync();
        Job<string, string, string> seen = (await other.GetJobAsync(agent, jobs[7].Id))!;
        Assert.Equal(SignalResult.Accepted, await seen.SignalAsync("there"));
        Assert.Equal("there", await seen.Completion);
        Assert.Equal(1, runs);
        Assert.Equal(SignalResult.Accepted, await Orchestrator.CancelJobAsync(jobs[3].Id, "enough"));
        Assert.Equal(new JobEnding.Cancelled("enough"), await (await Orchestrator.GetJobAsync(jobs[3].Id))!.Ending);
    }

    [Fact]
    public async Task Jobs_OverTheLimit_Leave()
    {
        Options = Options with { Limits = new OrchestratorLimits { WaitingJobs = 3 } };
        await StartAsync(Listener);
        List<Job> jobs = [];
        for (int i = 0; i < 10; i++)
        {
            jobs.Add(await Orchestrator.StartAsync(Listener, ""));
            await UntilAsync(() => jobs[^1].Status == JobStatus.Waiting);
        }
        await UntilAsync(() => Orchestrator.Engine.Durable!.DormantCount == 7);
        Assert.Equal(3, Orchestrator.Engine.Jobs.All().Count);
    }

    [Fact]
    public async Task Dispose_WithJobsOutsideMemory_TellsWhoWaitsForTheirEnds()
    {
        await StartAsync(Listener);
        Job<string, string, string> job = await Orchestrator.StartAsync(Listener, "");
        Task<JobEnding> ending = job.Ending;
        await GoneAsync(1);
        await Orchestrator.DisposeAsync();
        await Assert.ThrowsAsync<JobDetachedException>(() => ending);
        await Assert.ThrowsAsync<JobDetachedException>(() => job.SignalAsync("1"));
    }

    [Fact]
    public async Task Signals_FromManySidesWhileJobsComeAndGo_AreAllHeardOnce()
    {
        TestAgent<int, string> counter = new(async (count, c) =>
        {
            List<string> heard = [];
            while (heard.Count < count)
            {
                await c.Signals.WaitToReadAsync();
                while (c.Signals.TryRead(out string? signal))
                    heard.Add(signal);
            }
            return string.Join(',', heard.Order());
        }, "counter");
        await StartAsync(counter);
        const int senders = 4, each = 25;
        Job<string, string, string>[] jobs = [];
        Job<string, string, string>[] made = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Orchestrator.StartAsync(counter, senders * each)));
        jobs = made;
        await Task.WhenAll(jobs.SelectMany(job => Enumerable.Range(0, senders).Select(sender => Task.Run(async () =>
        {
            for (int i = 0; i < each; i++)
                Assert.Equal(SignalResult.Accepted, await job.SignalAsync($"{sender}.{i:00}"));
        }))));
        string all = string.Join(',', Enumerable.Range(0, senders).SelectMany(s => Enumerable.Range(0, each).Select(i => $"{s}.{i:00}")).Order());
        foreach (Job<string, string, string> job in jobs)
            Assert.Equal(all, await job.Completion);
    }

    private Task GoneAsync(int count) => UntilAsync(() => Orchestrator.Engine.Durable!.DormantCount == count);
}
