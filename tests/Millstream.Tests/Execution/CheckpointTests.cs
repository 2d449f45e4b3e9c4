namespace Millstream.Tests;

/// <summary>A restart of a loop agent goes on from its last recorded state.</summary>
public sealed class CheckpointTests : StoredJobTests
{
    private sealed record Transcript(int Round, string Text, List<Guid> Ids);


    private sealed class Loop(string version = "1") : LoopAgent<int, string, string, string, Transcript>
    {
        public int Begins { get; private set; }

        public List<int> Rounds { get; } = [];

        public override string Id => "loop";

        public override string Version => version;

        public override bool CanRun(string other) => true;

        protected override Transcript Begin(int input)
        {
            Begins++;
            return new Transcript(0, "", []);
        }

        protected override async Task<Next<Transcript, string>> NextAsync(Transcript state, AgentContext<string, string> context)
        {
            Rounds.Add(state.Round);
            context.Emit(new string((char)('a' + state.Round % 26), 8_000));
            string heard = state.Text;
            if (state.Round % 10 == 9)
            {
                await context.Signals.WaitToReadAsync();
                context.Signals.TryRead(out string? signal);
                heard += signal;
            }
            else
            {
                heard += await context.RunAsync(Agents.Echo, $"{state.Round}.{context.Random.Next(10)} ");
            }
            Transcript next = new(state.Round + 1, heard, [.. state.Ids, context.NewId()]);
            return next.Round == 30 ? Next.Done($"{heard} {next.Ids.Distinct().Count()}") : Next.Continue(next);
        }
    }

    [Fact]
    public async Task Restart_ReplaysTheRoundsSinceTheLastStateOnly()
    {
        Loop loop = new();
        await StartAsync(loop);
        Job<string, string, string> job = await Orchestrator.CreateJobAsync(loop, 0);
        await job.UntilAsync(e => e.Kind == JobEventKinds.Event && e.Data!.Value.GetString()![0] == 'j');
        // Two signals, of which the round takes one: the other one waits in the state.
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("(first)", "s1"));
        Assert.Equal(SignalResult.Accepted, await job.SignalAsync("(second)", "s2"));
        await job.UntilAsync(e => e.Kind == JobEventKinds.Event && e.Data!.Value.GetString()![0] == 'd' && e.Seq > 40);
        await UntilAsync(() => Storage.FindAsync(job.Id).Result!.IsIdle);
        Loop second = new("2");
        await RestartAsync(second);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(job.Id))!.As<string, string, string>();
        Assert.Equal(SignalResult.Duplicate, await again.SignalAsync("(again)", "s2"));
        Assert.Equal(SignalResult.Accepted, await again.SignalAsync("(third)"));
        string output = await again.Completion;
        Assert.Equal("(first)(second)(third)", string.Concat(output.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(w => w[0] == '(').Select(w => w[..(w.LastIndexOf(')') + 1)])));
        Assert.EndsWith(" 30", output, StringComparison.Ordinal);
        Assert.Equal((1, 0), (loop.Begins, second.Begins));
        Assert.InRange(second.Rounds[0], 25, 29);
        List<JobEvent> events = await again.AllAsync();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Seq));
        Assert.Equal(30, events.Count(e => e.Kind == JobEventKinds.Event));
        JobHead head = (await Storage.FindAsync(job.Id))!;
        Assert.Equal(JobEventKinds.JobCheckpoint, events[(int)head.Checkpoint - 1].Kind);
    }

    [Fact]
    public async Task States_TakeNoMoreThanTheJournalBesideThem()
    {
        Loop loop = new();
        await StartAsync(loop);
        Job<string, string, string> job = await Orchestrator.CreateJobAsync(loop, 0);
        foreach (string signal in (string[])[new string('1', 60_000), new string('2', 60_000), new string('3', 60_000)])
            await job.SignalAsync(signal);
        await job.Completion;
        List<JobEvent> events = await job.AllAsync();
        int states = events.Where(e => e.Kind == JobEventKinds.JobCheckpoint).Sum(e => e.Data!.Value.GetRawText().Length), all = events.Sum(e => e.ToJson().Length);
        Assert.InRange(states, 1, all - states);
        Assert.InRange(events.Count(e => e.Kind == JobEventKinds.JobCheckpoint), 1, 15);
    }

    [Fact]
    public async Task Restart_WithCodeThatDoesNotTakeTheState_SuspendsAndLosesNothing()
    {
        Loop loop = new();
        await StartAsync(loop);
        Job<string, string, string> job = await Orchestrator.CreateJobAsync(loop, 0);
        await job.UntilAsync(e => e.Kind == JobEventKinds.Event && e.Data!.Value.GetString()![0] == 'j');
        await UntilAsync(() => Storage.FindAsync(job.Id).Result!.IsIdle);
        foreach ((Agent changed, string reason) in ((Agent, string)[])[(new Plain(), "has no rounds any more"), (new Broken(), "does not take the state")])
        {
            await RestartAsync(changed);
            Job<string, string, string> suspended = (await Orchestrator.GetJobAsync(job.Id))!.As<string, string, string>();
            // It brings the job back, which does not go on; the signal waits for who can take it.
            Assert.Equal(SignalResult.Accepted, await suspended.SignalAsync(reason));
            await Assert.ThrowsAsync<JobSuspendedException>(async () =>
            {
                _ = await suspended.Ending;
            });
            await UntilAsync(() => Storage.FindAsync(job.Id).Result!.Detail?.Contains(reason, StringComparison.Ordinal) == true);
        }
        await RestartAsync(loop);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(loop, job.Id))!;
        Assert.Equal(SignalResult.Accepted, await again.SignalAsync("last"));
        string output = await again.Completion;
        Assert.All((string[])["has no rounds any more", "does not take the state", "last"], s => Assert.Contains(s, output, StringComparison.Ordinal));
    }

    private sealed class Plain : Agent<int, string, string, string>
    {
        public override string Id => "loop";

        protected override Task<string> RunCoreAsync(int input, AgentContext<string, string> context) => Task.FromResult("");
    }

    private sealed class Broken : LoopAgent<int, string, string, string, int>
    {
        public override string Id => "loop";

        protected override int Begin(int input) => input;

        protected override Task<Next<int, string>> NextAsync(int state, AgentContext<string, string> context) => Task.FromResult<Next<int, string>>(Next.Done(""));
    }
}
