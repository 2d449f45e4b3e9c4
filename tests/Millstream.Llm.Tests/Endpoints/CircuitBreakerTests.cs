using System.Net;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class CircuitBreakerTests
{
    private static readonly HttpRequestException Down = new("down", null, HttpStatusCode.BadGateway);

    [Fact]
    public async Task Failures_InARow_CloseTheEndpointAndOneCallOpensIt()
    {
        FakeTimeProvider clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Gate gate = new();
        ScriptedChatClient client = new ScriptedChatClient().Throws(Down).Throws(Down).Throws(Down).Turn(gate, "back", ScriptedChatClient.Stop()).Says("second");
        await using CallBench bench = new(clock, new LlmResource(CallBench.Endpoint(), client));
        for (int i = 0; i < CircuitBreaker.Threshold; i++)
            Assert.StartsWith("endpoint one (model scripted-model) answered 502: down", (await bench.FailAsync(new CallOf())).Message, StringComparison.Ordinal);

        var first = await bench.StartAsync(new CallOf());
        var second = await bench.StartAsync(new CallOf());
        await UntilAsync(() => first.Tasks.Count == 1 && second.Tasks.Count == 1 && first.Tasks[0].Detail?.Contains("cooling down", StringComparison.Ordinal) == true);
        Assert.Contains("cooling down until 2030-01-01T00:00:05Z (3 calls in a row failed, the last: endpoint one", first.Tasks[0].Detail, StringComparison.Ordinal);
        Assert.Equal(3, client.Requests.Count);

        clock.Advance(TimeSpan.FromSeconds(5));
        await gate.Reached;
        // One call tries whether it works again; the other one waits, though there is room for sixteen.
        Assert.Equal(4, client.Requests.Count);
        Assert.Single(new[] { first, second }, j => j.Tasks[0].Status == AgentTaskStatus.Waiting);
        gate.Open();
        Assert.Equal(["back", "second"], new[] { (await first.Completion).Text, (await second.Completion).Text }.Order());
    }

    [Fact]
    public async Task Failure_OfTheTrial_ClosesItForLonger()
    {
        FakeTimeProvider clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        ScriptedChatClient client = new ScriptedChatClient().Throws(Down).Throws(Down).Throws(Down).Throws(Down).Says("back");
        await using CallBench bench = new(clock, new LlmResource(CallBench.Endpoint(), client));
        for (int i = 0; i < CircuitBreaker.Threshold; i++)
            await bench.FailAsync(new CallOf());
        Task<JobError> trial = bench.FailAsync(new CallOf());
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.EndsWith("it is left alone until 2030-01-01T00:00:15Z", (await trial).Message, StringComparison.Ordinal);
        Task<LlmReply> last = bench.CallAsync(new CallOf());
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("back", (await last).Text);
    }

    [Fact]
    public async Task Success_BetweenFailures_StartsTheCountAgain()
    {
        ScriptedChatClient client = new ScriptedChatClient().Throws(Down).Throws(Down).Says("fine").Throws(Down).Throws(Down).Says("fine");
        await using CallBench bench = new(new FakeTimeProvider(), new LlmResource(CallBench.Endpoint(), client));
        for (int i = 0; i < 2; i++)
        {
            await bench.FailAsync(new CallOf());
            await bench.FailAsync(new CallOf());
            Assert.Equal("fine", (await bench.CallAsync(new CallOf())).Text);
        }
    }

    [Fact]
    public async Task NoRoom_OfOneEndpoint_GoesToTheNextTier()
    {
        ScriptedChatClient full = new ScriptedChatClient().Throws(new HttpRequestException("full", null, HttpStatusCode.TooManyRequests)), free = new ScriptedChatClient().Says("from the other");
        await using CallBench bench = new(new FakeTimeProvider(),
            new LlmResource(CallBench.Endpoint("a") with { Labels = ["fast"] }, full), new LlmResource(CallBench.Endpoint("b") with { Labels = ["fast"], Tier = 1 }, free));
        CallRun run = await bench.RunAsync(new CallOf { Model = "fast" });
        Assert.Equal(("from the other", "b"), (run.Reply?.Text, run.Reply?.Endpoint));
        Assert.Equal(ErrorTypes.ResourceBusy, Assert.Single(run.Retried).Type);
    }

    [Fact]
    public void Failures_OfCallsThatBeganBefore_SayNothingMore()
    {
        CircuitBreaker breaker = new(new LlmResource(CallBench.Endpoint(), new ScriptedChatClient()));
        DateTimeOffset now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        int before = breaker.Period;
        Assert.Equal([null, null, now.AddSeconds(5), null, null], Enumerable.Range(0, 5).Select(_ => breaker.Failed(before, now, "down")));
        Assert.Equal(now.AddSeconds(10), breaker.Failed(breaker.Period, now, "down"));
    }

    [Fact]
    public void Success_OfACallThatBeganBefore_LeavesItHalfOpen()
    {
        CircuitBreaker breaker = new(new LlmResource(CallBench.Endpoint(), new ScriptedChatClient()));
        DateTimeOffset now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        int before = breaker.Period;
        for (int i = 0; i < CircuitBreaker.Threshold; i++)
            breaker.Failed(before, now, "down");
        breaker.Succeeded(before);
        // One failure of the trial is enough only while it is half open.
        Assert.Equal(now.AddSeconds(10), breaker.Failed(breaker.Period, now, "down"));
        breaker.Succeeded(breaker.Period);
        Assert.Null(breaker.Failed(breaker.Period, now, "down"));
    }

    [Fact]
    public void Success_WhileAFailureIsTold_IsToldAfterIt()
    {
        LlmResource resource = new(CallBench.Endpoint(), new ScriptedChatClient());
        CircuitBreaker breaker = resource.Breaker;
        Owner owner = new(() => Task.Run(() => breaker.Succeeded(breaker.Period)).GetAwaiter().GetResult());
        resource.Attach(owner);
        for (int i = 0; i < CircuitBreaker.Threshold; i++)
            breaker.Failed(breaker.Period, DateTimeOffset.UnixEpoch, "down");
        Assert.Equal([1, null], owner.Throttles);
    }

    private sealed class Owner(Action onThrottled) : IResourceOwner
    {
        public List<long?> Throttles { get; } = [];

        public ResourceStatus StatusOf(Resource resource) => ResourceStatus.Available;

        public void CoolDown(Resource resource, DateTimeOffset until, string reason)
        {
        }

        public void SetRate(Resource resource, string rate, long limit)
        {
        }

        public void Throttle(Resource resource, long? most)
        {
            // What happens just before the resource takes it in.
            if (most is not null)
                onThrottled();
            Throttles.Add(most);
        }
    }

    internal static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
            await Task.Yield();
    }
}
