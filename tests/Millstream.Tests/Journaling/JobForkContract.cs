namespace Millstream.Tests.Journaling;

/// <summary>A fork is a new job that begins with what another one has done, and leaves that one alone.</summary>
public abstract class JobForkContract
{
    private const int Large = 8_000;

    /// <summary>A store without jobs.</summary>
    protected abstract IJournalStorage Open();

    [Fact]
    public async Task Fork_OfAnEndedJob_TakesAnotherCourseWithoutDoingAgainWhatIsDone()
    {
        Asks agent = new();
        await using World world = await World.StartAsync(Open(), agent);
        Job<string, string, string> job = await world.Orchestrator.CreateJobAsync(agent, "in", new JobOptions { Name = "named", Tenant = "t" });
        long asked = (await UntilAsync(job, JobEventKinds.QuestionAsked)).Seq;
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("q1", false));
        string[] first = (await job.Completion).Split(' '), before = await LinesAsync(job);
        Job fork = await world.Orchestrator.ForkJobAsync(job.Id, asked, new JobOptions { Id = JobId.Parse("fork") });
        Assert.Equal(SignalResult.Accepted, await fork.AnswerAsync("q1", true));
        string[] second = ((string)((JobEnding.Completed)await fork.Ending).Output!).Split(' ');
        Assert.Equal(("xyz", "False", "xyz", "True"), (first[0], first[1], second[0], second[1]));
        // Two ids and two numbers, of each one before the fork and one behind it.
        Assert.Equal(first[2..], second[2..]);
        Assert.Equal(3, agent.Words);
        string[] after = await LinesAsync(fork);
        Assert.Equal(before.Take((int)asked), after.Take((int)asked).Select(l => l.Replace("\"job\":\"fork\"", $"\"job\":\"{job.Id}\"", StringComparison.Ordinal).Replace("\"child\":\"fork/", $"\"child\":\"{job.Id}/", StringComparison.Ordinal)));
        Assert.Contains($"\"kind\":\"job.forked\",\"job\":\"fork\",\"from\":\"{job.Id}\",\"at\":{asked}}}", after[asked], StringComparison.Ordinal);
        Assert.Equal(before, await LinesAsync(job));
        JobHead head = (await world.Storage.FindAsync(fork.Id))!, other = (await world.Storage.FindAsync((await world.Orchestrator.ForkJobAsync(job.Id, asked)).Id))!;
        Assert.Equal((JobStatus.Completed, null, "default"), (head.Status, head.Name, head.Tenant));
        Assert.Equal(("named", "t"), (other.Name, other.Tenant));
    }

    [Fact]
    public async Task Fork_OfAFork_InANewProcess_GivesTheSameIds()
    {
        Asks agent = new();
        await using World world = await World.StartAsync(Open(), agent);
        Job<string, string, string> job = await world.Orchestrator.CreateJobAsync(agent, "in");
        long asked = (await UntilAsync(job, JobEventKinds.QuestionAsked)).Seq;
        await job.AnswerAsync("q1", false);
        string[] first = (await job.Completion).Split(' ');
        Job fork = await world.Orchestrator.ForkJobAsync(job.Id, asked);
        Job second = await world.Orchestrator.ForkJobAsync(fork.Id, (await UntilAsync(fork, JobEventKinds.JobForked)).Seq);
        await second.AnswerAsync("q1", false);
        Assert.Equal(first, ((string)((JobEnding.Completed)await second.Ending).Output!).Split(' '));
        Assert.Equal(3, agent.Words);
    }

    [Fact]
    public async Task Fork_WithOtherCode_GoesOnWithItOrSaysWhereItDiffers()
    {
        Greets old = new("1", "hello"), changed = new("1", "good day"), unfit = new("1", "good day", first: "other");
        IJournalStorage storage = Open();
        Job<string, string, string> job;
        long at;
        await using (World world = await World.StartAsync(storage, old))
        {
            job = await world.Orchestrator.CreateJobAsync(old, "Ada");
            Assert.Equal("hello Ada", await job.Completion);
            at = (await UntilAsync(job, JobEventKinds.TaskCompleted)).Seq - 1;
            await using AgentOrchestrator second = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(changed) });
            await second.StartAsync();
            Job fork = await second.ForkJobAsync(job.Id, at);
            Assert.Equal(new JobEnding.Completed("good day Ada"), await fork.Ending);
            await using AgentOrchestrator third = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(unfit) });
            await third.StartAsync();
            JobSuspendedException e = await Assert.ThrowsAsync<JobSuspendedException>(async () => await (await third.ForkJobAsync(job.Id, at)).Ending);
            Assert.Contains("the journal has task name", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Fork_OfALoopAgent_GoesOnFromItsState()
    {
        Loop loop = new();
        await using World world = await World.StartAsync(Open(), loop);
        Job<string, string, string> job = await world.Orchestrator.CreateJobAsync(loop, 30);
        string output = await job.Completion;
        List<JobEvent> events = await EventsAsync(job);
        JobEvent state = events.Last(e => e.Kind == JobEventKinds.JobCheckpoint);
        // The round's task is the end of that turn.
        long at = events.First(e => e.Seq > state.Seq && e.Kind == JobEventKinds.TaskScheduled).Seq;
        (loop.Begins, loop.Rounds) = (0, []);
        Job fork = await world.Orchestrator.ForkJobAsync(job.Id, at);
        Assert.Equal(new JobEnding.Completed(output), await fork.Ending);
        Assert.Equal(0, loop.Begins);
        Assert.InRange(loop.Rounds[0], 20, 29);
        // It may have recorded another one since.
        Assert.True((await world.Storage.FindAsync(fork.Id))!.Checkpoint >= state.Seq);
        // Its journal is larger than one record takes.
        Assert.True(at > 100);
        Assert.Equal(events.Take((int)at).Select(e => e.Kind), (await EventsAsync(fork)).Take((int)at).Select(e => e.Kind));
    }

    [Fact]
    public async Task Fork_WhereNoTurnEnds_IsRefusedWithTheNearestNumbers()
    {
        Greets agent = new("1", "hello");
        await using World world = await World.StartAsync(Open(), agent);
        Job<string, string, string> job = await world.Orchestrator.CreateJobAsync(agent, "Ada");
        await job.Completion;
        // 1 job.started, 2 event, 3 task.scheduled; 4 task.started; 5 task.completed, 6 event, 7 job.completed.
        Assert.Equal(7, (await EventsAsync(job)).Count);
        foreach ((long at, string reason) in ((long, string)[])[
            (1, $"Entry 1 of job {job.Id} is inside a turn, and a fork begins behind the end of one; the nearest is 3."),
            (2, $"Entry 2 of job {job.Id} is inside a turn, and a fork begins behind the end of one; the nearest is 3."),
            (5, $"Entry 5 of job {job.Id} is inside a turn, and a fork begins behind the end of one; the nearest is 4."),
            (7, $"Entry 7 is the last one of job {job.Id}, and a fork from there would have nothing to do; give less than 7, at most 4."),
            (8, $"Job {job.Id} has 7 entries, so there is no entry 8; give at most 4.")])
        {
            ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() => world.Orchestrator.ForkJobAsync(job.Id, at));
            Assert.Equal($"{reason} (Parameter 'at')", e.Message);
        }
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => world.Orchestrator.ForkJobAsync(job.Id, 0));
        Assert.Contains("There is no job nobody", (await Assert.ThrowsAsync<ArgumentException>(() => world.Orchestrator.ForkJobAsync(JobId.Parse("nobody"), 3))).Message, StringComparison.Ordinal);
        InvalidOperationException taken = await Assert.ThrowsAsync<InvalidOperationException>(() => world.Orchestrator.ForkJobAsync(job.Id, 3, new JobOptions { Id = job.Id }));
        Assert.Contains("give the fork another id", taken.Message, StringComparison.Ordinal);
        await foreach (JobHead head in world.Storage.ListAsync(new JobHeadFilter()))
            Assert.Equal(job.Id, head.Id);
    }

    [Fact]
    public async Task Fork_StartsOpenChildrenAnewWithTheSignalsThatWerePassedOn()
    {
        TaskCompletionSource open = new();
        AgentTask<int, int> gate = AgentTask.Create<int, int>("gate", async (n, context) =>
        {
            await open.Task.WaitAsync(context.CancellationToken);
            return n + 1;
        });
        AgentTask<int, int> last = AgentTask.Create<int, int>("last", (n, _) => Task.FromResult(n + 1));
        Workflow<int, int> inner = Workflow.Define<int, int>("inner", "1", w => w.Task("last", last, w.Task("gate", gate, w.Input)));
        Workflow<int, int> outer = Workflow.Define<int, int>("outer", "1", w => w.SubWorkflow("sub", inner, w.Input));
        await using World world = await World.StartAsync(Open(), outer.Agent, inner.Agent);
        Job<int, WorkflowEvent, WorkflowSignal> job = await world.Orchestrator.CreateJobAsync(outer.Agent, 1);
        await UntilAsync(job, JobEventKinds.TaskStarted);
        await job.SignalAsync(new WorkflowSignal.Pause());
        long at = (await UntilAsync(job, e => e.Job.IsChild && e.Kind == JobEventKinds.Event)).Seq;
        Job fork = await world.Orchestrator.ForkJobAsync(job.Id, at);
        await UntilAsync(fork, e => e.Seq > at && e.Job == JobId.Parse($"{fork.Id}/1") && e.Kind == JobEventKinds.Signal);
        open.SetResult();
        foreach (Job each in (Job[])[fork, await world.Orchestrator.GetJobAsync(job.Id) ?? job])
        {
            await each.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement<WorkflowSignal>(new WorkflowSignal.Resume()));
            Assert.Equal(new JobEnding.Completed(3), await each.Ending);
        }
        // It outlives the other job; what it showed of that one's child is gone then.
        string[] lines = await LinesAsync(fork);
        Assert.True(await world.Storage.RemoveAsync(job.Id) && await world.Storage.RemoveAsync(JobId.Parse($"{job.Id}/1")));
        await using AgentOrchestrator other = new(new OrchestratorOptions { Journal = world.Storage, Claim = false, Workers = [] });
        string[] now = await LinesAsync((await other.GetJobAsync(fork.Id))!);
        Assert.Equal(lines.Length, now.Length);
        Assert.All(lines.Index(), l => Assert.Equal(l.Item.Contains($"\"job\":\"{job.Id}/1\"", StringComparison.Ordinal), now[l.Index].Contains("\"class\":\"child\"", StringComparison.Ordinal)));
    }

    private static async Task<JobEvent> UntilAsync(Job job, Func<JobEvent, bool> fits)
    {
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (fits(e))
                return e;
        }
        throw new InvalidOperationException($"the stream of {job.Id} ended before");
    }

    private static Task<JobEvent> UntilAsync(Job job, string kind) => UntilAsync(job, e => e.Kind == kind);

    private static async Task<List<JobEvent>> EventsAsync(Job job)
    {
        List<JobEvent> events = [];
        await foreach (JobEvent e in job.EventsAsync())
            events.Add(e);
        return events;
    }

    private static async Task<string[]> LinesAsync(Job job) => [.. (await EventsAsync(job)).Select(e => e.ToJson())];

    /// <summary>A store and a process on it.</summary>
    private sealed record World(IJournalStorage Storage, AgentOrchestrator Orchestrator) : IAsyncDisposable
    {
        public static async Task<World> StartAsync(IJournalStorage storage, params Agent[] agents)
        {
            AgentRegistry registry = new();
            foreach (Agent agent in agents)
                registry.Add(agent);
            World world = new(storage, new AgentOrchestrator(new OrchestratorOptions { Journal = storage, Agents = registry, GracePeriod = TimeSpan.FromMilliseconds(100) }));
            await world.Orchestrator.StartAsync();
            return world;
        }

        public async ValueTask DisposeAsync()
        {
            await Orchestrator.DisposeAsync();
            await Storage.DisposeAsync();
        }
    }

    private sealed record Proceed(string What) : Question<bool>;

    private sealed class Asks : Agent<string, string, string, string>
    {
        private readonly Workflow<string[], string> _words;
        private int _ran;

        public Asks()
        {
            AgentTask<string, string> word = AgentTask.Create<string, string>("word", (text, _) =>
            {
                Interlocked.Increment(ref _ran);
                return Task.FromResult(text);
            });
            _words = Workflow.Define<string[], string>("words", "1", w => w.ForEach("word", word, w.Input).Select(all => string.Concat(all)));
        }

        public int Words => Volatile.Read(ref _ran);

        protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
        {
            Guid id = context.NewId();
            int number = context.Random.Next();
            string words = await context.RunAsync(_words, ["x", "y", "z"]);
            bool answer = await context.AskAsync(new Proceed("on?"));
            context.Emit($"answer {answer}");
            return $"{words} {answer} {id} {context.NewId()} {number} {context.Random.Next()}";
        }
    }

    private sealed class Greets(string version, string word, string first = "name") : Agent<string, string, string, string>
    {
        public override string Version => version;

        protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
        {
            context.Emit("begins");
            string name = await context.StepAsync(first, _ => Task.FromResult(input));
            context.Emit(word);
            return $"{word} {name}";
        }
    }

    private sealed record Count(int Round, List<Guid> Ids);

    private sealed class Loop : LoopAgent<int, string, string, string, Count>
    {
        private static readonly AgentTask<int, int> Following = AgentTask.Create<int, int>("next", (n, _) => Task.FromResult(n / 1000 + 1));

        public int Begins { get; set; }

        public List<int> Rounds { get; set; } = [];

        protected override Count Begin(int input)
        {
            Begins++;
            return new Count(0, []);
        }

        protected override async Task<Next<Count, string>> NextAsync(Count state, AgentContext<string, string> context)
        {
            Rounds.Add(state.Round);
            context.Emit(new string('x', 2 * Large));
            // A replay compares the task's input, and so the number.
            int next = await context.RunAsync(Following, 1000 * state.Round + context.Random.Next(1000));
            Count now = new(next, [.. state.Ids, context.NewId()]);
            return next == 30 ? Next.Done(string.Join(' ', now.Ids.Append(context.NewId()))) : Next.Continue(now);
        }
    }
}
