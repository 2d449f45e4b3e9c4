using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class LlmResourceTests
{
    [Fact]
    public async Task Call_Text_ComesInPiecesAndAsReply()
    {
        ScriptedChatClient client = new ScriptedChatClient().Says("one two three", input: 7, output: 3);
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { Price = new LlmPrice(1_000_000, 2_000_000) }, client));
        List<string> pieces = [];
        LlmReply reply = await bench.CallAsync(new CallOf { OnUpdate = u => pieces.Add(u.Text) });
        Assert.Equal(["one ", "two ", "three", "", ""], pieces);
        Assert.Equal("one two three", reply.Text);
        Assert.Equal((13m, "stop", "scripted-model", "one", false), (reply.Cost, reply.FinishReason, reply.Model, reply.Endpoint, reply.Replayed));
        Assert.Equal((7, 3), (reply.Usage.InputTokenCount, reply.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task Reply_AsJson_ComesBackTheSame()
    {
        FunctionCallContent broken = new("c1", "search") { Exception = new JsonException("no end") };
        ScriptedChatClient client = new ScriptedChatClient().Turn(ScriptedChatClient.Reasoning("hm"), "text", new(new ChatResponseUpdate(ChatRole.Assistant, [broken])), ScriptedChatClient.Stop(ChatFinishReason.ToolCalls));
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), client));
        LlmReply reply = await bench.CallAsync(new CallOf());
        Assert.Equal("no end", reply.ArgumentFaults["c1"]);
        string json = JsonSerializer.Serialize(reply, AgentContract.DefaultOptions);
        LlmReply back = JsonSerializer.Deserialize<LlmReply>(json, AgentContract.DefaultOptions)!;
        Assert.Equal(json, JsonSerializer.Serialize(back, AgentContract.DefaultOptions));
        Assert.Equal(["TextReasoningContent", "TextContent", "FunctionCallContent"], back.Messages.Single().Contents.Select(c => c.GetType().Name));
        Assert.Equal("no end", back.ArgumentFaults["c1"]);
    }

    [Fact]
    public async Task Requirement_NameThatNoEndpointHas_FailsWithTheNamesThereAre()
    {
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { Labels = ["fast", "the big one"] }, new ScriptedChatClient()), new LlmResource(CallBench.Endpoint("two") with { Model = "other" }, new ScriptedChatClient()));
        JobError error = await bench.FailAsync(new CallOf { Model = "gpt-9 turbo" });
        Assert.EndsWith("can never run: no worker offers a llm with \"gpt-9 turbo\" (2 llms have the labels fast, one, other, scripted-model, the big one, two)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scripted-model")]
    [InlineData("the \"big\" one")]
    [InlineData("one")]
    [InlineData(null)]
    public async Task Requirement_ModelLabelOrId_FindsTheEndpoint(string? name)
    {
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { Labels = ["the \"big\" one"] }, new ScriptedChatClient().Says("here")));
        Assert.Equal("here", (await bench.CallAsync(new CallOf { Model = name })).Text);
    }

    [Fact]
    public async Task Call_TrueUse_ReplacesTheEstimate()
    {
        FakeTimeProvider clock = new();
        ScriptedChatClient client = new ScriptedChatClient().Says("one", 30, 10).Says("two", 30, 10).Says("three", 900, 50).Says("four");
        await using CallBench bench = new(clock, new LlmResource(CallBench.Endpoint() with { TokensPerMinute = 1000 }, client));
        // 896 twice is more than a minute takes; what was used is not.
        await bench.CallAsync(new CallOf { Tokens = 896 });
        await bench.CallAsync(new CallOf { Tokens = 896 });
        await bench.CallAsync(new CallOf { Tokens = 896 });
        var last = await bench.StartAsync(new CallOf { Tokens = 8 });
        await CircuitBreakerTests.UntilAsync(() => last.Tasks.Count == 1 && last.Tasks[0].Detail?.Contains("tokens", StringComparison.Ordinal) == true);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("four", (await last.Completion).Text);
    }

    [Fact]
    public async Task Call_BoundThatAnthropicIsSent_IsReserved()
    {
        Gate gate = new();
        ScriptedChatClient client = new ScriptedChatClient().Turn(gate, "one", ScriptedChatClient.Stop()).Says("two");
        await using CallBench bench = new(new FakeTimeProvider(), new LlmResource(CallBench.Endpoint() with { Provider = LlmProvider.Anthropic, TokensPerMinute = 10_000 }, client));
        var first = await bench.StartAsync(new CallOf { Tokens = 1024 });
        await gate.Reached;
        var second = await bench.StartAsync(new CallOf { Tokens = 2048, Options = new ChatOptions { MaxOutputTokens = 1000 } });
        await CircuitBreakerTests.UntilAsync(() => client.Requests.Count > 1 || second.Tasks.Any(t => t.Detail?.Contains("tokens", StringComparison.Ordinal) == true));
        Assert.Single(client.Requests);
        gate.Open();
        Assert.Equal("one", (await first.Completion).Text);
    }

    [Fact]
    public async Task Call_KeyThatIsMissing_WaitsForIt()
    {
        FakeTimeProvider clock = new();
        string name = "MILLSTREAM_TEST_LATER_" + Guid.NewGuid().ToString("N");
        await using CallBench bench = new(clock, new LlmResource(CallBench.Endpoint() with { ApiKey = Secret.FromEnvironment(name) }, new ScriptedChatClient().Says("at last")));
        var job = await bench.StartAsync(new CallOf());
        await CircuitBreakerTests.UntilAsync(() => job.Tasks.Count == 1 && job.Tasks[0].Detail?.Contains($"waits for secret env:{name}", StringComparison.Ordinal) == true);
        Environment.SetEnvironmentVariable(name, "k");
        while (!job.Completion.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Equal("at last", (await job.Completion).Text);
    }

    [Fact]
    public async Task Call_KeyThatIsNone_FailsWithoutShowingIt()
    {
        Environment.SetEnvironmentVariable("MILLSTREAM_TEST_NO_KEY", "two words");
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint() with { ApiKey = Secret.FromEnvironment("MILLSTREAM_TEST_NO_KEY") }, new ScriptedChatClient()));
        CallRun run = await bench.RunAsync(new CallOf());
        Assert.Contains("what is in env:MILLSTREAM_TEST_NO_KEY is no key", run.Error?.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("two words", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_Interrupted_GivesWhatHasCome()
    {
        Gate gate = new();
        ScriptedChatClient client = new ScriptedChatClient().Turn("half ", new(new ChatResponseUpdate(ChatRole.Assistant, [ScriptedChatClient.Call("c1", "search")])), gate, "never", ScriptedChatClient.Stop());
        await using CallBench bench = new(new LlmResource(CallBench.Endpoint(), client));
        using CancellationTokenSource interrupt = new();
        Task<LlmReply> call = bench.CallAsync(new CallOf { Interrupt = interrupt.Token });
        await gate.Reached;
        await interrupt.CancelAsync();
        LlmReply reply = await call;
        Assert.Equal(("half ", LlmReply.Interrupted), (reply.Text, reply.FinishReason));
        Assert.DoesNotContain(reply.Messages.SelectMany(m => m.Contents), c => c is FunctionCallContent);
    }

    [Fact]
    public async Task Call_OfAJobThatIsCancelled_EndsAndSaysNothingAgainstTheEndpoint()
    {
        Gate gate = new();
        ScriptedChatClient client = new ScriptedChatClient().Turn("half ", gate);
        LlmResource resource = new(CallBench.Endpoint(), client);
        await using CallBench bench = new(resource);
        var job = await bench.StartAsync(new CallOf());
        await gate.Reached;
        await job.CancelAsync("enough");
        await Assert.ThrowsAsync<JobCancelledException>(() => job.Completion);
        Assert.Equal(ResourceStatus.Available, resource.Status);
    }

    [Fact]
    public async Task Call_WithoutALease_SaysWhichRequirementIsMissing()
    {
        LlmResource leased = new(CallBench.Endpoint(), new ScriptedChatClient()), other = new(CallBench.Endpoint("two"), new ScriptedChatClient());
        await using CallBench bench = new(leased);
        var error = await Assert.ThrowsAsync<JobFailedException>(() => new Other(other).RunWithAsync(bench));
        Assert.Contains("has no lease on llm two; give it the requirement LlmResource.Requirement(\"scripted-model\", tokens)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoint_ThatIsWrong_SaysAllFaultsAtOnce()
    {
        LlmEndpoint wrong = new()
        {
            Id = "a b", Model = "", Provider = LlmProvider.Azure, BaseUrl = "ftp://x", MaxConcurrency = 0, RequestsPerMinute = 0, TokensPerMinute = -1, Weight = 0,
            FirstTokenTimeout = TimeSpan.Zero, StallTimeout = -TimeSpan.FromSeconds(1), Price = new LlmPrice(-1, 1), Labels = [" "],
        };
        string message = Assert.Throws<ArgumentException>(() => new LlmResource(wrong)).Message;
        foreach (string part in (string[])["id is 'a b'", "model is empty", "base url is no http or https address", "api version is missing", "max concurrency is 0", "requests per minute is 0", "tokens per minute is -1",
            "weight is 0", "first token timeout is", "stall timeout is", "prices is below zero", "labels is empty"])
            Assert.Contains(part, message, StringComparison.Ordinal);
        string fault = Assert.Single((CallBench.Endpoint() with { BaseUrl = "https://user:hidden@host/v1" }).Validate());
        Assert.Contains("base url is no", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoint_AsJson_HoldsTheReferenceOfItsKey()
    {
        LlmEndpoint endpoint = CallBench.Endpoint() with { Provider = LlmProvider.OpenAIResponses, ApiKey = Secret.FromEnvironment("KEY"), Price = new LlmPrice(1, 2) };
        string json = JsonSerializer.Serialize(endpoint, AgentContract.DefaultOptions);
        Assert.Contains("\"apiKey\":\"env:KEY\"", json, StringComparison.Ordinal);
        Assert.Contains("\"provider\":\"openai-responses\"", json, StringComparison.Ordinal);
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize<LlmEndpoint>(json, AgentContract.DefaultOptions), AgentContract.DefaultOptions));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 8)]
    [InlineData(9, 10)]
    [InlineData(1000, 1024)]
    [InlineData(1025, 1280)]
    [InlineData(30_000, 32_768)]
    public void Coarse_Tokens_AreRoundedUpToThreeBits(long tokens, long expected) => Assert.Equal(expected, TokenEstimate.Coarse(tokens));

    [Fact]
    public void Estimate_CountsTextToolsAndTheLongestAnswer()
    {
        ChatMessage[] messages = [new(ChatRole.User, new string('x', 400))];
        Assert.Equal(4 + 100 + 50, TokenEstimate.Of(messages, new ChatOptions { MaxOutputTokens = 50 }));
        Assert.Equal(4 + 100 + TokenEstimate.DefaultOutput, TokenEstimate.Of(messages, null));
        Assert.True(TokenEstimate.Of(messages, new ChatOptions { MaxOutputTokens = 50, Tools = [AIFunctionFactory.Create((string city) => city, "weather")] }) > 160);
    }

    [Theory]
    [InlineData("gpt-4o-mini", 0.15)]
    [InlineData("gpt-4o-mini-2024-07-18", 0.15)]
    [InlineData("gpt-4o", 2.5)]
    [InlineData("claude-sonnet-4-5-20250929", 3.0)]
    [InlineData("gpt-4o-audio", null)]
    [InlineData("mistral", null)]
    public void Price_OfAModel_IsThatOfItsName(string model, double? input) => Assert.Equal((decimal?)input, LlmPrice.Of(model)?.InputPerMillion);

    [Fact]
    public void Price_CachedTokens_AreAPartOfThoseIn() =>
        Assert.Equal(1m + 0.1m + 4m, new LlmPrice(1, 2, 0.1m).CostOf(new UsageDetails { InputTokenCount = 2_000_000, CachedInputTokenCount = 1_000_000, OutputTokenCount = 2_000_000 }));

    private sealed class Other(LlmResource other) : Agent<string, LlmReply>
    {
        public async Task<LlmReply> RunWithAsync(CallBench bench) => await (await bench.Orchestrator.CreateJobAsync(this, "")).Completion;

        protected override Task<LlmReply> RunCoreAsync(string input, AgentContext context) => context.RunAsync(AgentTask.Create<string, LlmReply>("call",
            (_, task) => other.CallAsync([new ChatMessage(ChatRole.User, "x")], null, task), [LlmResource.Requirement(null, 1)]), "");
    }
}
