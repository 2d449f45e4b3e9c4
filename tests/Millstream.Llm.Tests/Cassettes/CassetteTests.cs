using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using Millstream.Llm.Tests.Endpoints;
using Millstream.Llm.Tests.Protocols;

namespace Millstream.Llm.Tests.Cassettes;

public sealed class CassetteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-cassette-").FullName;

    private string File => Path.Combine(_folder, "calls.jsonl");

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public async Task Replay_GivesWhatWasRecordedWithoutModelAndKey()
    {
        FunctionCallContent broken = new("c1", "search") { Exception = new JsonException("no end") };
        ScriptedChatClient client = new ScriptedChatClient()
            .Turn(ScriptedChatClient.Reasoning("hm"), "one ", "two", ScriptedChatClient.Usage(7, 3), ScriptedChatClient.Stop())
            .Turn(new(new ChatResponseUpdate(ChatRole.Assistant, [broken])), ScriptedChatClient.Stop(ChatFinishReason.ToolCalls));
        LlmEndpoint endpoint = CallBench.Endpoint() with { Labels = ["fast"], Price = new LlmPrice(1, 1) };
        LlmReply[] real = await RecordAsync(client, endpoint, new CallOf("a"), new CallOf("b"));

        using Cassette cassette = Cassette.Replay(File);
        LlmEndpoint known = Assert.Single(cassette.Endpoints);
        Assert.Equal(("one", "scripted-model", "fast"), (known.Id, known.Model, Assert.Single(known.Labels)));
        await using CallBench bench = new(new LlmResource(known with { ApiKey = Secret.FromEnvironment("MILLSTREAM_TEST_NEVER_SET") }, cassette: cassette));
        List<string> pieces = [];
        // In another order: each request finds its own.
        LlmReply second = await bench.CallAsync(new CallOf("b")), first = await bench.CallAsync(new CallOf("a") { OnUpdate = u => pieces.Add(u.Text) });
        Assert.Equal(Json(real[0] with { Replayed = true }), Json(first));
        Assert.Equal(Json(real[1] with { Replayed = true }), Json(second));
        Assert.Equal(["", "one ", "two", "", ""], pieces);
        Assert.Equal("no end", second.ArgumentFaults["c1"]);
        Assert.False(real[0].Replayed);
    }

    [Fact]
    public async Task Replay_EqualRequests_ComeInTheirOrderAndNoOftener()
    {
        await RecordAsync(new ScriptedChatClient().Says("first").Says("second"), CallBench.Endpoint(), new CallOf("a"), new CallOf("a"));
        using Cassette cassette = Cassette.Replay(File);
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), cassette: cassette));
        Assert.Equal("first", (await bench.CallAsync(new CallOf("a"))).Text);
        Assert.Equal("second", (await bench.CallAsync(new CallOf("a"))).Text);
        Assert.Contains("it was recorded 2 times, and is asked once more", (await bench.FailAsync(new CallOf("a") { Attempts = 3 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_OtherRequest_SaysWhichMessageDiffers()
    {
        ChatMessage[] recorded = [new(ChatRole.System, "s"), new(ChatRole.User, "u"), new(ChatRole.Assistant, "a"), new(ChatRole.User, "more")];
        await RecordAsync(new ScriptedChatClient().Says("x").Says("y"), CallBench.Endpoint(), new CallOf { Messages = recorded[..2] }, new CallOf { Messages = recorded });
        using Cassette cassette = Cassette.Replay(File);
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), cassette: cassette));
        async Task<string> FaultAsync(CallOf call) => (await bench.FailAsync(call)).Message;
        Assert.Contains("request is that of line 2, and message 3 of 4 (of the assistant) is another there", await FaultAsync(new CallOf { Messages = [.. recorded[..2], new(ChatRole.Assistant, "b"), recorded[3]] }), StringComparison.Ordinal);
        Assert.Contains("line 1, and message 1 of 1 (of the user) is another there", await FaultAsync(new CallOf("other")), StringComparison.Ordinal);
        Assert.Contains("line 2, which has 4 messages where this one has 3", await FaultAsync(new CallOf { Messages = recorded[..3] }), StringComparison.Ordinal);
        Assert.Contains("whose messages are the same; tools, output format, temperature or another option differ", await FaultAsync(new CallOf { Messages = recorded, Options = new ChatOptions { Temperature = 0.1f } }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_OfARealProtocol_HoldsNeitherKeyNorAddress()
    {
        await using FaultServer server = new FaultServer().Streams(Wire.Of(LlmProvider.Anthropic, "hello"), "x-ratelimit-limit-requests: 5");
        using (Cassette cassette = Cassette.Record(File))
        {
            await using CallBench bench = new(new LlmResource(PeerEndpoint.Of(LlmProvider.Anthropic, server.Url), cassette: cassette));
            Assert.Equal("hello", (await bench.CallAsync(new CallOf())).Text);
        }
        string text = await System.IO.File.ReadAllTextAsync(File);
        Assert.Contains("hello", text, StringComparison.Ordinal);
        foreach (string secret in (string[])[PeerEndpoint.Canary, PeerEndpoint.Variable, "127.0.0.1", "ratelimit"])
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_BehindATornLine_GoesOn()
    {
        await RecordAsync(new ScriptedChatClient().Says("first"), CallBench.Endpoint(), new CallOf("a"));
        await System.IO.File.AppendAllTextAsync(File, """{"endpoint":"one","mod""");
        await RecordAsync(new ScriptedChatClient().Says("second"), CallBench.Endpoint(), new CallOf("b"));
        using Cassette cassette = Cassette.Replay(File);
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), cassette: cassette));
        Assert.Equal(["first", "second"], new[] { (await bench.CallAsync(new CallOf("a"))).Text, (await bench.CallAsync(new CallOf("b"))).Text });
    }

    [Fact]
    public async Task Replay_WhatIsNoCassette_SaysSo()
    {
        await System.IO.File.WriteAllTextAsync(File, "hello\n");
        Assert.Contains("is no cassette: its line 1 is no recorded call", Assert.Throws<IOException>(() => Cassette.Replay(File)).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => Cassette.Record(File));
        Assert.Equal("hello\n", await System.IO.File.ReadAllTextAsync(File));
    }

    [Fact]
    public async Task Replay_InRealTime_KeepsTheGaps()
    {
        FakeTimeProvider clock = new();
        Gate gate = new();
        using (Cassette cassette = Cassette.Record(File))
        {
            await using CallBench bench = new(clock, new LlmResource(CallBench.Endpoint(), new ScriptedChatClient().Turn("a", gate, "b", ScriptedChatClient.Stop()), cassette));
            Task<LlmReply> call = bench.CallAsync(new CallOf());
            await gate.Reached;
            clock.Advance(TimeSpan.FromSeconds(3));
            gate.Open();
            await call;
        }
        using Cassette replay = Cassette.Replay(File, inRealTime: true);
        await using CallBench again = new(clock, new LlmResource(CallBench.Endpoint(), cassette: replay));
        TaskCompletionSource first = new();
        Task<LlmReply> slow = again.CallAsync(new CallOf { OnUpdate = u => first.TrySetResult() });
        await first.Task;
        Assert.False(slow.IsCompleted);
        while (!slow.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Equal("ab", (await slow).Text);
    }

    private static string Json(LlmReply reply) => JsonSerializer.Serialize(reply, AgentContract.DefaultOptions);

    private async Task<LlmReply[]> RecordAsync(ScriptedChatClient client, LlmEndpoint endpoint, params CallOf[] calls)
    {
        using Cassette cassette = Cassette.Record(File);
        await using CallBench bench = new(new LlmResource(endpoint, client, cassette));
        List<LlmReply> replies = [];
        foreach (CallOf call in calls)
            replies.Add(await bench.CallAsync(call));
        return [.. replies];
    }
}
