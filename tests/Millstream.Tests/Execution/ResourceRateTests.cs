using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Rates of resources, and what resources say of themselves, through the public API.</summary>
public sealed class ResourceRateTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private static PlainResource Api(string id, long limit, int tier = 0) => new(id, "api", 8, rates: [new RateLimit("tokens", limit, Minute)]) { Tier = tier };

    private AgentOrchestrator New(params Resource[] pool) => new(new OrchestratorOptions { Time = _time, PoolResources = pool });

    private static ResourceRequirement Call(long tokens) => ResourceRequirement.Units("api", 1).WithRate("tokens", tokens);

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Yield();
    }

    [Fact]
    public void WithRate_ChangesNothingInPlace_AndIsEqualByValue()
    {
        ResourceRequirement plain = ResourceRequirement.Units("api", 2), both = plain.WithRate("tokens", 5).WithRate("requests", 1);
        Assert.Empty(plain.Rates);
        Assert.Equal(plain.WithRate("requests", 1).WithRate("tokens", 9).WithRate("tokens", 5), both);
        Assert.Equal(plain.WithRate("requests", 1).WithRate("tokens", 5).GetHashCode(), both.GetHashCode());
        Assert.NotEqual(plain.WithRate("tokens", 5), both);
        Assert.NotEqual(plain, both);
        Assert.Equal("2 units of api and 1 requests and 5 tokens", both.ToString());
        Assert.Equal(5, both.Rates["tokens"]);
        Assert.Throws<ArgumentException>(() => plain.WithRate(" ", 1));
        Assert.Throws<ArgumentException>(() => plain.WithRate("tokens", 0));
        Assert.Throws<InvalidOperationException>(() => ResourceRequirement.Exclusive("api").WithRate("tokens", 1));
    }

    [Fact]
    public void Resource_WrongValues_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new RateLimit("", 1, Minute));
        Assert.Throws<ArgumentException>(() => new RateLimit("tokens", 0, Minute));
        Assert.Throws<ArgumentException>(() => new RateLimit("tokens", 1, TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => new RateLimit("tokens", 1, TimeSpan.FromDays(400)));
        Assert.Throws<ArgumentException>(() => new PlainResource("a", "api", 1, null, [new RateLimit("x", 1, Minute), new RateLimit("x", 2, Minute)]));
        Assert.Throws<ArgumentException>(() => new PlainResource("a", "api") { Weight = 0 });
        Assert.Throws<ArgumentException>(() => new PlainResource("a", "api") { Weight = double.NaN });
        Assert.Contains("has no rate named pages; it has tokens", Assert.Throws<ArgumentException>(() => Api("a", 5).SetRate("pages", 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Api("a", 5).SetRate("tokens", 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Api("a", 5).Throttle(-1));
    }

    [Fact]
    public void Resource_OfNoFleet_HearsNothing()
    {
        PlainResource api = Api("a", 5);
        api.CoolDown(DateTimeOffset.MaxValue, "no");
        api.SetRate("tokens", 1);
        api.Throttle(0);
        Assert.Equal(ResourceStatus.Offline, api.Status);
    }

    [Fact]
    public async Task Methods_FromATask_ActOnTheFleet()
    {
        PlainResource api = Api("a", 100);
        await using AgentOrchestrator orchestrator = New(api);
        AgentTask<string, string> call = AgentTask.Create<string, string>("call", (_, _) => Task.FromResult("done"), requirements: [Call(60)]);
        AgentTask<string, string> tell = AgentTask.Create<string, string>("tell", (what, task) =>
        {
            if (what == "cool")
                task.Lease.Get<PlainResource>().CoolDown(_time.GetUtcNow().AddSeconds(5), "it said 429");
            else if (what == "rate")
                task.Lease.Get<PlainResource>().SetRate("tokens", 50);
            else
                task.Lease.Get<PlainResource>().Throttle(what == "open" ? null : 0);
            return Task.FromResult(what);
        }, requirements: [ResourceRequirement.Units("api", 1)]);
        async Task<string> SeenAsync(string what)
        {
            Assert.Equal(what, await Outcome(orchestrator, tell, what));
            Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(call, "")), "");
            await Until(() => job.Tasks.Any(t => t.Detail.StartsWith("waits for 60", StringComparison.Ordinal) || t.Detail.StartsWith("cooling", StringComparison.Ordinal)) || job.Ending.IsCompleted);
            string detail = job.Tasks.FirstOrDefault()?.Detail ?? job.Ending.Result.ToString()!;
            if (what == "shut")
                api.Throttle(null);
            _time.Advance(TimeSpan.FromSeconds(61));
            await job.Ending;
            return detail;
        }
        Assert.StartsWith("cooling down until 2030-01-01T00:00:05Z (it said 429): waits for", await SeenAsync("cool"), StringComparison.Ordinal);
        Assert.Contains("a is throttled to 0 of 8", await SeenAsync("shut"), StringComparison.Ordinal);
        Assert.Contains("needs 60 tokens of one api, the largest takes 50 in 60 s", await SeenAsync("rate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lease_OfSharedRates_SettlesAndArrives()
    {
        await using AgentOrchestrator orchestrator = New(Api("a", 100));
        List<string> refused = [];
        AgentTask<string, string> call = AgentTask.Create<string, string>("call", (input, task) =>
        {
            refused.Add(Assert.Throws<InvalidOperationException>(() => task.Lease.SettleRate("pages", 1)).Message);
            refused.Add(Assert.Throws<InvalidOperationException>(() => task.Lease.Arrived("other")).Message);
            task.Lease.Arrived();
            task.Lease.SettleRate("tokens", 10, "api");
            return Task.FromResult(input);
        }, requirements: [Call(60)]);
        for (int i = 0; i < 4; i++)
            Assert.Equal("", await Outcome(orchestrator, call, ""));
        Assert.Contains("The lease has no rate pages to settle; it has api (a).", refused);
        Job<string, string, string> fifth = await orchestrator.StartAsync(Agents.Make(async c => { await c.RunAsync(call, ""); return await c.RunAsync(call, ""); }), "");
        await Until(() => fifth.Tasks.Any(t => t.Detail.Contains("next at 2030-01-01T00:01:00Z", StringComparison.Ordinal)));
        _time.Advance(Minute);
        Assert.Equal("", await fifth.Completion);
    }

    [Fact]
    public async Task Requirements_OfTheInput_AreAskedOnceForEachCommand()
    {
        await using AgentOrchestrator orchestrator = New(Api("a", 100), Api("b", 1000, tier: 1));
        ConcurrentQueue<string> asked = new();
        AgentTask<string, string> call = AgentTask.Create<string, string>("call", (_, task) => task.Attempt < 3 ? throw new InvalidOperationException("again") : Task.FromResult(task.Lease.Resources[0].Id), input =>
        {
            asked.Enqueue(input);
            return input switch { "bad" => throw new FormatException("what?"), "null" => null!, "many" => [ResourceRequirement.Exclusive("api", amount: 16), Call(1)], _ => [Call(input.Length)] };
        }, new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.Zero } });
        Assert.Equal("a", await Outcome(orchestrator, call, "short"));
        Assert.Equal("b", await Outcome(orchestrator, call, new string('x', 200)));
        Assert.Equal("FormatException: task call cannot say what it needs: what?", await Outcome(orchestrator, call, "bad"));
        Assert.StartsWith("InvalidOperationException: task call cannot say what it needs: RequirementsFor gave null", await Outcome(orchestrator, call, "null"), StringComparison.Ordinal);
        Assert.StartsWith("NeverFeasible: Task call asks for 17 resources together", await Outcome(orchestrator, call, "many"), StringComparison.Ordinal);
        Assert.StartsWith("NeverFeasible: task call can never run: needs 2000 tokens of one api, the largest takes 1000", await Outcome(orchestrator, call, new string('x', 2000)), StringComparison.Ordinal);
        Assert.Equal(6, asked.Count);
    }

    [Fact]
    public async Task RequirementsThatFail_BesideOthersOfTheirTurn_FailAlone()
    {
        await using AgentOrchestrator orchestrator = New(Api("a", 100));
        AgentTask<int, string> call = AgentTask.Create<int, string>("call", (input, _) => Task.FromResult($"{input}"), input => input == 1 ? throw new FormatException("what?") : [Call(1)]);
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            Task<string>[] all = [c.RunAsync(call, 0), c.RunAsync(call, 1), c.RunAsync(call, 2)];
            try
            {
                await all[1];
            }
            catch (TaskFailedException e)
            {
                return $"{await all[0]} {e.Error.Type} {await all[2]}";
            }
            return "none failed";
        }), "");
        Assert.Equal("0 FormatException 2", await job.Completion);
    }

    [Fact]
    public async Task Busy_IsTriedAgainUncounted_WhereThereIsRoom()
    {
        PlainResource first = Api("first", 100), second = Api("second", 100, tier: 1);
        await using AgentOrchestrator orchestrator = New(first, second);
        AgentTask<string, string> call = AgentTask.Create<string, string>("call", (_, task) =>
        {
            Resource used = task.Lease.Resources[0];
            if (used != first)
                return Task.FromResult($"{used.Id} in attempt {task.Attempt}");
            first.CoolDown(_time.GetUtcNow().AddHours(1), "429");
            throw new ResourceBusyException("429");
        }, requirements: [Call(1)]);
        Assert.Equal("second in attempt 2", await Outcome(orchestrator, call, ""));
    }

    [Fact]
    public async Task Busy_WithRetryAfter_WaitsThatLongAndSaysWhy()
    {
        await using AgentOrchestrator orchestrator = New(Api("a", 100));
        AgentTask<string, string> call = AgentTask.Create<string, string>("call", (_, task) => task.Attempt < 4 ? throw new ResourceBusyException("429", TimeSpan.FromSeconds(7)) : Task.FromResult("done"),
            requirements: [Call(1)], policy: new TaskPolicy { AtMostOnce = true });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(call, "")), "");
        for (int attempt = 2; attempt <= 4; attempt++)
        {
            await Until(() => job.Tasks.Any(t => t.Attempt == attempt && t.Detail == "waits, since its resource was busy: 429"));
            _time.Advance(TimeSpan.FromSeconds(7));
        }
        Assert.Equal("done", await job.Completion);
    }

    /// <summary>Real threads, and a clock that goes on while they work: what the other side counts stays within its limit.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ManyCalls_WithAnyLatency_StayWithinEachWindow(int seed)
    {
        const int limit = 100;
        ConcurrentDictionary<string, ConcurrentQueue<(long At, long Amount)>> arrivals = new();
        await using AgentOrchestrator orchestrator = New(Api("a", limit), Api("b", limit));
        AgentTask<int, string> call = AgentTask.Create<int, string>("call", async (input, task) =>
        {
            Random random = new(seed * 1000 + input);
            async Task PauseAsync() => await Task.Delay(TimeSpan.FromSeconds(random.Next(30)), task.Time, task.CancellationToken);
            await PauseAsync();
            arrivals.GetOrAdd(task.Lease.Resources[0].Id, _ => new()).Enqueue((_time.GetUtcNow().UtcTicks, Amount(input)));
            if (input % 2 == 0)
                task.Lease.Arrived();
            await PauseAsync();
            return input % 7 == 0 ? throw new TerminalTaskException("failed") : "";
        }, input => [Call(Amount(input))]);
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            int failed = 0;
            await Task.WhenAll(Enumerable.Range(0, 120).Select(async i =>
            {
                try
                {
                    await c.RunAsync(call, i);
                }
                catch (TaskFailedException)
                {
                    failed++;
                }
            }));
            return $"{failed}";
        }), "");
        for (int seconds = 0; !job.Ending.IsCompleted; seconds++)
        {
            Assert.True(seconds < 1_000_000, string.Join("; ", job.WaitsFor));
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Equal("18", await job.Completion);
        Assert.Equal(120, arrivals.Values.Sum(a => a.Count));
        Assert.All(arrivals, a => Assert.InRange(OtherSide.Most(a.Value, Minute.Ticks), 1, limit));

        static long Amount(int input) => 1 + input * 7 % 40;
    }

    private static async Task<string> Outcome(AgentOrchestrator orchestrator, AgentTask<string, string> task, string input)
    {
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            try
            {
                return await c.RunAsync(task, input);
            }
            catch (TaskFailedException e)
            {
                return $"{e.Error.Type}: {e.Error.Message}";
            }
        }), "");
        return await job.Completion;
    }
}
