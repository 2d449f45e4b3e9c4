namespace Millstream.Testing.Tests;

/// <summary>The examples of docs/testing.md, which are the code below.</summary>
public sealed class PageTests
{
    private sealed record Order(string Id, int Copies);

    private sealed record MayPrint(string Id) : Question<bool>;

    private sealed class Clerk : Agent<Order, string>
    {
        private static readonly AgentTask<Order, int> Print = AgentTask.Create<Order, int>("print", (order, _) => Task.FromResult(order.Copies),
            requirements: [ResourceRequirement.Exclusive("printer")]);

        protected override async Task<string> RunCoreAsync(Order order, AgentContext context)
        {
            await context.DelayAsync(TimeSpan.FromDays(3));                     // the customer may change their mind
            if (!await context.AskAsync(new MayPrint(order.Id)))
                return "not printed";
            return $"{await context.RunAsync(Print, order)} copies";
        }
    }

    [Fact]
    public async Task Clerk_WaitsForThreeDays()
    {
        await using TestHost host = new(new OrchestratorOptions { Workers = [new Worker("office", [new PlainResource("printer-1", "printer")])] });
        Job<string, Nothing, Nothing> job = await host.StartAsync(new Clerk(), new Order("A1", 2));

        await host.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(JobStatus.Waiting, job.Status);                            // at once: only the host's clock has moved
        await host.AdvanceAsync(TimeSpan.FromDays(1));
        await job.AnswerAsync(job.Questions[0].Id, true);

        Assert.Equal("2 copies", await job.Completion);
    }

    [Fact]
    public async Task Agent_AsksTheModelThatTheTestWrote()
    {
        ScriptedModel model = new ScriptedModel()
            .Call("stock", new { article = "paper" })
            .Say("There are 7 reams.");
        await using TestHost host = new(model: model);
        LlmAgent agent = new(new LlmAgentOptions
        {
            Id = "storekeeper",
            Instructions = "Answer from the stock.",
            Tools = [LlmTool.Of((string article) => article == "paper" ? 7 : 0, "stock", "Counts an article.")],
        });

        Assert.Equal("There are 7 reams.", await host.RunAsync(agent, "How much paper is there?"));
        Assert.Contains("7", model.Requests[1].Results.Values);                 // what the model was told of its call
    }

    [Fact]
    public async Task Clerk_StillGoesOnWithJobsOfTheLastRelease()
    {
        RecordedJob job = await RecordedAsync();
        await job.ReplayAsync(new Clerk());                                     // throws, and says the first entry that differs
    }

    [Fact]
    public async Task Clerk_KeepsTheContract() => await AgentContractTest.CheckAsync(() => new Clerk(), new Order("A1", 2), new AgentContractOptions
    {
        Options = () => new OrchestratorOptions { Workers = [new Worker("office", [new PlainResource("printer-1", "printer")])] },
        Drive = async (entry, job) =>
        {
            if (entry.Kind == JobEventKinds.QuestionAsked)
                await job.AnswerAsync(entry.Question!, true);
        },
    });

    [Fact]
    public async Task Printer_KeepsTheContract() => await ResourceContractTest.CheckAsync(() => new Printer("printer-1"), new ResourceContractOptions
    {
        Use = task => task.Lease.Get<PrintSession>().PrintAsync("hello"),
        CountOpen = () => PrintSession.Open,                                    // what must be gone when a lease has ended
    });

    [Fact]
    public void Page_ShowsThisCode()
    {
        DirectoryInfo root = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Millstream.slnx")))
            root = root.Parent!;
        string code = File.ReadAllText(Path.Combine(root.FullName, "tests/Millstream.Testing.Tests/PageTests.cs"));
        string[] examples = [.. File.ReadAllText(Path.Combine(root.FullName, "docs/testing.md")).Split("```csharp\n").Skip(1).Select(e => e.Split("```")[0])];
        Assert.Equal(5, examples.Length);
        // The page shows them without the indentation that they have here.
        string Plain(string text) => string.Join('\n', text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0));
        Assert.All(examples, e => Assert.Contains(Plain(e), Plain(code), StringComparison.Ordinal));
    }

    private static async Task<RecordedJob> RecordedAsync()
    {
        await using MemoryJournalStorage journal = new();
        await using TestHost host = new(new OrchestratorOptions { Journal = journal, Workers = [new Worker("office", [new PlainResource("printer-1", "printer")])] });
        Job<string, Nothing, Nothing> job = await host.StartAsync(new Clerk(), new Order("A1", 2));
        await host.AdvanceAsync(TimeSpan.FromDays(3));
        await job.AnswerAsync("q1", true);
        await host.UntilEndAsync(job);
        string path = Path.Combine(Path.GetTempPath(), $"millstream-{Guid.NewGuid():n}.jsonl");
        try
        {
            await (await RecordedJob.FromAsync(journal, job.Id)).SaveAsync(path);
            return RecordedJob.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Printer(string id) : Resource(id, "printer")
    {
        protected override ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
        {
            token.ThrowIfCancellationRequested();
            return new ValueTask<IAsyncDisposable?>(new PrintSession());
        }
    }

    private sealed class PrintSession : IAsyncDisposable
    {
        private int _isClosed;

        public PrintSession() => Open++;

        public static int Open { get; private set; }

        public Task PrintAsync(string text) => Task.CompletedTask;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isClosed, 1) == 0)
                Open--;
            return default;
        }
    }
}
