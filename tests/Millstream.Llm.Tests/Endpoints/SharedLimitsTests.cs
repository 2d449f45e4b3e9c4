using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Millstream.Llm.Tests.Endpoints;

/// <summary>Many agents at once on a few endpoints with tight limits, which each endpoint's other side counts by itself.</summary>
public sealed class SharedLimitsTests
{
    private const int Agents = 60, Endpoints = 4, Requests = 10, InFlight = 2, Used = 100;

    [Fact]
    public async Task Agents_OnEndpointsWithTightLimits_AllEndAndNoLimitIsExceeded()
    {
        VirtualTime time = new();
        // Two endpoints run out of requests first, two of tokens.
        Counter[] counters = [.. Enumerable.Range(0, Endpoints).Select(i => new Counter(time, i < Endpoints / 2 ? Requests : Requests * 2, i < Endpoints / 2 ? 5_000 : 1_100))];
        LlmResource[] resources = [.. counters.Select((c, i) => new LlmResource(CallBench.Endpoint($"e{i}") with
        {
            Labels = ["shared"], MaxConcurrency = InFlight, RequestsPerMinute = c.Requests, TokensPerMinute = c.Tokens,
        }, c))];
        await using TestHost host = new(new OrchestratorOptions { PoolResources = resources }, shuffle: true, time: time);
        LlmAgent agent = new(new LlmAgentOptions
        {
            Id = "tester", Model = "shared", Chat = new ChatOptions { MaxOutputTokens = 100 }, Tools = [LlmTool.Of((int number) => number * 2, "look_up", "Looks a number up.")],
        });
        Job<string, LlmEvent, LlmSignal>[] jobs = new Job<string, LlmEvent, LlmSignal>[Agents];
        for (int i = 0; i < Agents; i++)
            jobs[i] = await host.StartAsync(agent, $"number {i}");
        foreach (Job<string, LlmEvent, LlmSignal> job in jobs)
        {
            await host.UntilEndAsync(job);
            Assert.Equal("done", await job.Completion);
        }
        Assert.Equal(Agents * 2, counters.Sum(c => c.Calls));
        foreach (Counter counter in counters)
        {
            Assert.InRange(counter.MostInFlight, 1, InFlight);
            Assert.InRange(counter.MostInMinute, 1, counter.Requests);
            Assert.InRange(counter.MostInMinute * Used, 1, counter.Tokens);
        }
        // The limits were what they waited for: each endpoint was full in some minute, of tokens but for what one estimate is too large.
        Assert.All(counters, c => Assert.InRange(c.MostInMinute, Math.Min(c.Requests, c.Tokens / Used - 1), c.Requests));
    }

    /// <summary>A model that calls a tool, answers when it has the result, and counts what comes to it.</summary>
    private sealed class Counter(VirtualTime time, int requests, int tokens) : IChatClient
    {
        private readonly Lock _lock = new();
        private readonly Queue<DateTimeOffset> _lastMinute = new();
        private int _inFlight;

        public int Requests => requests;

        public int Tokens => tokens;

        public int Calls { get; private set; }

        public int MostInFlight { get; private set; }

        public int MostInMinute { get; private set; }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            int number = Arrived();
            try
            {
                // Time stands as long as something is under way; others come in between.
                for (int i = 0; i < 5; i++)
                    await Task.Yield();
                yield return messages.Any(m => m.Role == ChatRole.Tool) ? new ChatResponseUpdate(ChatRole.Assistant, "done")
                    : new ChatResponseUpdate(ChatRole.Assistant, [ScriptedChatClient.Call($"c{number}", "look_up", ("number", number))]);
                yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = Used - 10, OutputTokenCount = 10 })]) { FinishReason = ChatFinishReason.Stop };
            }
            finally
            {
                lock (_lock)
                    _inFlight--;
            }
        }

        public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }

        private int Arrived()
        {
            lock (_lock)
            {
                MostInFlight = Math.Max(MostInFlight, ++_inFlight);
                _lastMinute.Enqueue(time.Now);
                while (_lastMinute.Peek() <= time.Now - TimeSpan.FromMinutes(1))
                    _lastMinute.Dequeue();
                MostInMinute = Math.Max(MostInMinute, _lastMinute.Count);
                return ++Calls;
            }
        }
    }
}
