using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Millstream.Llm.Tests.Endpoints;

namespace Millstream.Llm.Tests.Protocols;

/// <summary>Faults that a mock of providers does not have.</summary>
public sealed class FaultTests
{
    public static TheoryData<LlmProvider> All => [.. Enum.GetValues<LlmProvider>()];

    [Theory, MemberData(nameof(All))]
    public async Task Call_ChunkThatCannotBeRead_IsTriedAgainWhole(LlmProvider provider)
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Begin(provider, "half ") + Wire.Garbage(provider)).Streams(Wire.Of(provider, "whole"));
        CallRun run = await RunAsync(provider, server, attempts: 2);
        Assert.Equal("whole", run.Reply?.Text);
        Assert.Contains("endpoint peer (model ", Assert.Single(run.Retried).Message, StringComparison.Ordinal);
        Assert.Equal((21, 9), (run.Reply?.Usage.InputTokenCount, run.Reply?.Usage.OutputTokenCount));
    }

    [Theory, MemberData(nameof(All))]
    public async Task Call_ConnectionClosedBetweenPieces_IsNoWholeAnswer(LlmProvider provider)
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Begin(provider, "half")).Streams(Wire.Of(provider, "whole"));
        CallRun run = await RunAsync(provider, server, attempts: 2);
        Assert.Equal("whole", run.Reply?.Text);
        Assert.Contains("ended before its answer was complete", Assert.Single(run.Retried).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(All))]
    public async Task Call_KeyThatIsEchoed_IsShownNowhere(LlmProvider provider)
    {
        foreach (int status in (int[])[400, 401, 403, 404, 413, 422, 500, 503])
        {
            await using FaultServer server = new FaultServer().Answer(status, $$$"""{"error":{"message":"bad key {{{PeerEndpoint.Canary}}}, really","type":"t"}}""", $"x-echo: {PeerEndpoint.Canary}");
            CallRun run = await RunAsync(provider, server, attempts: 1);
            Assert.NotNull(run.Error);
            Assert.Contains("bad key [key], really", run.Error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(PeerEndpoint.Canary, run.Text, StringComparison.Ordinal);
            Assert.Contains(PeerEndpoint.Canary, Assert.Single(server.Requests), StringComparison.Ordinal);
            if (status == 401)
                Assert.Contains("The key in env:MILLSTREAM_TEST_CANARY is not accepted", run.Error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(400, "context_length_exceeded", "This model's maximum context length is 8 tokens.", "longer than the model takes: send fewer messages")]
    [InlineData(400, "invalid_value", "no such option", "check its provider, model and the options")]
    [InlineData(401, "invalid_api_key", "Incorrect API key", "The key in env:MILLSTREAM_TEST_CANARY is not accepted: put a valid one there")]
    [InlineData(403, "forbidden", "no", "may not use this model")]
    [InlineData(404, "model_not_found", "no such model", "check the endpoint's model, 'gpt-4o-mini', and its base url, http://127.0.0.1")]
    [InlineData(429, "insufficient_quota", "You exceeded your current quota.", "has nothing left to spend")]
    [InlineData(429, "tokens", "Request too large for gpt-4o-mini: Limit 30000, Requested 40000.", "more than the account may use in a minute")]
    [InlineData(307, "x", "over there", "to the address that answers itself")]
    public async Task Call_Refused_FailsAtOnceWithTheRemedy(int status, string code, string message, string remedy)
    {
        await using FaultServer server = new FaultServer().Answer(status, $$$"""{"error":{"message":"{{{message}}}","code":"{{{code}}}"}}""", "Location: http://127.0.0.1:9/elsewhere");
        CallRun run = await RunAsync(LlmProvider.OpenAI, server, attempts: 5);
        Assert.Empty(run.Retried);
        Assert.Contains(remedy, run.Error!.Message, StringComparison.Ordinal);
        Assert.StartsWith($"endpoint peer (model gpt-4o-mini) answered {status}: ", run.Error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(429, "retry-after-ms: 1500", "00:00:01")]
    [InlineData(429, "Retry-After: 7", "00:00:07")]
    [InlineData(529, "Retry-After: 90", "00:01:30")]
    [InlineData(503, "Retry-After: 2", "00:00:02")]
    [InlineData(429, "x-none: 1", "00:00:01")]
    public async Task Call_NoRoom_CoolsTheEndpointAsLongAsItAsks(int status, string header, string until)
    {
        await using FaultServer server = new FaultServer().Answer(status, """{"error":{"message":"slow down","type":"x"}}""", header).Streams(Wire.Of(LlmProvider.OpenAI, "whole"));
        CallRun run = await RunAsync(LlmProvider.OpenAI, server, attempts: 1);
        Assert.Equal("whole", run.Reply?.Text);
        JobError error = Assert.Single(run.Retried);
        Assert.Equal(ErrorTypes.ResourceBusy, error.Type);
        Assert.EndsWith($"it is left alone until 2030-01-01T{until}Z", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_NothingListens_SaysWhere()
    {
        string url;
        await using (FaultServer server = new())
            url = server.Url;
        await using CallBench bench = new(new LlmResource(PeerEndpoint.Of(LlmProvider.Ollama, url)));
        CallRun run = await bench.RunAsync(new CallOf());
        Assert.StartsWith($"endpoint peer (model llama3.2) cannot be reached at {url}: Connection refused", run.Error?.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(All))]
    public async Task Call_SilentServer_EndsAtItsTimeouts(LlmProvider provider)
    {
        FakeTimeProvider clock = new();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FaultServer server = new FaultServer()
            .Answer(_ =>
            {
                asked.SetResult();
                return new TaskCompletionSource().Task;
            })
            .Answer(async stream =>
            {
                await FaultServer.WriteAsync(stream, FaultServer.Head(200, "Content-Type: text/event-stream") + Wire.Begin(provider, "half"));
                await new TaskCompletionSource().Task;
            });
        TaskCompletionSource came = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LlmEndpoint endpoint = PeerEndpoint.Of(provider, server.Url) with { FirstTokenTimeout = TimeSpan.FromSeconds(20), StallTimeout = TimeSpan.FromSeconds(10) };
        await using CallBench bench = new(clock, new LlmResource(endpoint));

        Task<CallRun> first = bench.RunAsync(new CallOf());
        await asked.Task;
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Contains("did not begin its answer within its first token timeout of 20 s", (await first).Error?.Message, StringComparison.Ordinal);

        Task<CallRun> second = bench.RunAsync(new CallOf { OnUpdate = u => { if (u.Text.Length > 0) came.TrySetResult(); } });
        await came.Task;
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Contains("was silent within its answer for its stall timeout of 10 s", (await second).Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_Azure_NamesDeploymentVersionAndKeyAsAzureWantsThem()
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Of(LlmProvider.Azure, "here"));
        Assert.Equal("here", (await RunAsync(LlmProvider.Azure, server, attempts: 1)).Reply?.Text);
        string request = Assert.Single(server.Requests);
        Assert.StartsWith("POST /openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21 ", request, StringComparison.Ordinal);
        Assert.Contains($"\r\napi-key: {PeerEndpoint.Canary}\r\n", request, StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization:", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_LimitsInHeaders_AreKeptFromThenOn()
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Of(LlmProvider.OpenAI, "one", 20, 10), "x-ratelimit-limit-requests: 60", "x-ratelimit-limit-tokens: 1000");
        LlmResource resource = new(PeerEndpoint.Of(LlmProvider.OpenAI, server.Url));
        await using CallBench bench = new(resource);
        Assert.Equal("one", (await bench.CallAsync(new CallOf { Tokens = 5000 })).Text);
        JobError error = await bench.FailAsync(new CallOf { Tokens = 5000 });
        Assert.EndsWith("needs 5120 tokens of one llm, the largest takes 1000 in 60 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_LimitsInHeaders_NeverRaiseWhatTheEndpointSets()
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Of(LlmProvider.OpenAI, "one", 20, 10), "x-ratelimit-limit-tokens: 100000");
        await using CallBench bench = new(new LlmResource(PeerEndpoint.Of(LlmProvider.OpenAI, server.Url) with { TokensPerMinute = 2000 }));
        await bench.CallAsync(new CallOf());
        Assert.EndsWith("the largest takes 2000 in 60 s", (await bench.FailAsync(new CallOf { Tokens = 5000 })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_Span_HoldsNoKeyAndContentOnlyWhereAsked(bool captureContent)
    {
        List<Activity> spans = [];
        string question = $"the question {captureContent}";
        using ActivityListener listener = new()
        {
            ShouldListenTo = s => s.Name == LlmResource.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a =>
            {
                lock (spans)
                    spans.Add(a);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using FaultServer server = new FaultServer().Streams(Wire.Of(LlmProvider.OpenAI, "the answer")).Answer(401, $$$"""{"error":{"message":"bad key {{{PeerEndpoint.Canary}}}"}}""");
        LlmEndpoint endpoint = PeerEndpoint.Of(LlmProvider.OpenAI, server.Url) with { Model = $"span-{captureContent}" };
        await using CallBench bench = new(new LlmResource(endpoint, captureContent: captureContent));
        await bench.CallAsync(new CallOf(question));
        await bench.FailAsync(new CallOf(question));
        // Other tests make spans, too.
        Activity[] own;
        lock (spans)
            own = [.. spans.Where(a => a.DisplayName == $"chat {endpoint.Model}")];
        Assert.Equal(2, own.Length);
        string all = string.Join('\n', own.Select(a => $"{a.StatusDescription} {string.Join(' ', a.TagObjects.Select(t => $"{t.Key}={t.Value}"))} {string.Join(' ', a.Events.SelectMany(e => e.Tags).Select(t => $"{t.Key}={t.Value}"))}"));
        Assert.DoesNotContain(PeerEndpoint.Canary, all, StringComparison.Ordinal);
        Assert.Equal(captureContent, all.Contains(question, StringComparison.Ordinal));
    }

    private static async Task<CallRun> RunAsync(LlmProvider provider, FaultServer server, int attempts)
    {
        using LlmResource resource = new(PeerEndpoint.Of(provider, server.Url));
        await using CallBench bench = new(resource);
        return await bench.RunAsync(new CallOf { Attempts = attempts });
    }
}
