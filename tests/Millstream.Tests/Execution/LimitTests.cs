namespace Millstream.Tests;

/// <summary>Options and requests that cannot be: told with the value and what to do.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task RunAll_OverTheTurnsLimit_FailsTheJobNamingIt()
    {
        AgentTask<int, int> task = AgentTask.Create<int, int>("t", (n, _) => Task.FromResult(n));
        JobError error = await FailureAsync(async c => (await c.RunAllAsync(task, new int[1_000_001])).Length.ToString());
        Assert.Contains("a turn holds at most 1,000,000 commands", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Emit_OverTheTurnsLimitBesideATask_StopsTheTaskAndFailsTheJob()
    {
        JobError error = await FailureAsync(async c =>
        {
            Task<string> pending = c.RunAsync(Agents.Forever, "");
            for (int i = 0; i <= 1_000_000; i++)
                c.Emit("e");
            return await pending;
        });
        Assert.Contains("a turn holds at most 1,000,000 commands", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_GangOverTheLimit_IsRefused()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => AgentTask.Create<string, string>("g", (_, _) => Task.FromResult(""),
            [ResourceRequirement.Exclusive("a", amount: 10), ResourceRequirement.Exclusive("b", amount: 10)]));
        Assert.Equal("Task g asks for 20 resources together (10 a, 10 b), but 16 is the most; split the task or ask for less.", e.Message);
    }

    [Fact]
    public async Task Run_OwnTaskWithAGangOverTheLimit_FailsTheJob()
    {
        JobError error = await FailureAsync(c => c.RunAsync(new Greedy(), ""));
        Assert.Contains("asks for 32 resources together", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_OutOfRange_AreNamed()
    {
        (OrchestratorOptions Options, string Says)[] wrong =
        [
            (new() { Limits = new() { EndedJobs = -1 } }, "OrchestratorOptions.Limits.EndedJobs is -1"),
            (new() { Limits = new() { JournalBytes = 0 } }, "OrchestratorOptions.Limits.JournalBytes is 0"),
            (new() { GracePeriod = TimeSpan.FromSeconds(-1) }, "OrchestratorOptions.GracePeriod is -00:00:01"),
            (new() { TenantWeights = new Dictionary<string, double> { ["a"] = 0 } }, "OrchestratorOptions.TenantWeights[\"a\"] is 0"),
            (new() { Quotas = [new TenantQuota("a", "slot", -1)] }, "OrchestratorOptions.Quotas is"),
        ];
        foreach ((OrchestratorOptions options, string says) in wrong)
            Assert.Contains(says, Assert.Throws<ArgumentException>(() => new AgentOrchestrator(options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a/b")]
    [InlineData("/1")]
    public void JobId_OfNoChild_IsRefused(string text) => Assert.Throws<ArgumentException>(() => JobId.Parse(text));

    [Fact]
    public async Task Start_WithTheIdOfAChild_IsRefused()
    {
        await using AgentOrchestrator orchestrator = new();
        foreach (JobId id in (JobId[])[default, JobId.Parse("a/1")])
            await Assert.ThrowsAsync<ArgumentException>(() => orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "")), "", new JobOptions { Id = id }));
    }

    [Fact]
    public async Task CreateJob_ByIdAndVersion_FindsThatVersion()
    {
        AgentRegistry agents = new AgentRegistry().Add(new Versioned("1")).Add(new Versioned("2"));
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Agents = agents });
        System.Text.Json.JsonElement input = System.Text.Json.JsonSerializer.SerializeToElement("");
        Assert.Equal("1", (await orchestrator.CreateJobAsync("v", input, version: "1")).AgentVersion);
        Assert.Equal("2", (await orchestrator.CreateJobAsync("v", input)).AgentVersion);
        ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() => orchestrator.CreateJobAsync("v", input, version: "3"));
        Assert.Contains("There is no agent v of version 3; registered are v 1, v 2.", e.Message, StringComparison.Ordinal);
    }

    private static async Task<JobError> FailureAsync(Func<AgentContext<string, string>, Task<string>> body)
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Limits = new OrchestratorLimits { JournalBytes = 1L << 30 } });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(body), "");
        return Assert.IsType<JobEnding.Failed>(await job.Ending).Error;
    }

    private sealed class Greedy : AgentTask<string, string>
    {
        public override string Id => "greedy";

        public override IReadOnlyList<ResourceRequirement> Requirements { get; } = [ResourceRequirement.Exclusive("a", amount: 16), ResourceRequirement.Exclusive("b", amount: 16)];

        protected override Task<string> RunCoreAsync(string input, TaskContext context) => Task.FromResult(input);
    }

    private sealed class Versioned(string version) : Agent<string, string>
    {
        public override string Id => "v";

        public override string Version => version;

        protected override Task<string> RunCoreAsync(string input, AgentContext context) => Task.FromResult(version);
    }
}
