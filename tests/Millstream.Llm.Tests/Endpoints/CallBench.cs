using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

/// <summary>Calls of models by tasks of a real orchestrator, on a clock that the test turns.</summary>
internal sealed class CallBench : IAsyncDisposable
{
    private readonly List<Task> _jobs = [];

    public CallBench(params LlmResource[] resources) : this(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)), resources)
    {
    }

    public CallBench(TimeProvider time, params LlmResource[] resources)
    {
        Time = time;
        Orchestrator = new AgentOrchestrator(new OrchestratorOptions { Workers = [new Worker("local", [])], PoolResources = resources, Time = time });
    }

    public TimeProvider Time { get; }

    public FakeTimeProvider Clock => (FakeTimeProvider)Time;

    public AgentOrchestrator Orchestrator { get; }

    public static LlmEndpoint Endpoint(string id = "one") => new() { Id = id, Model = "scripted-model", BaseUrl = "http://127.0.0.1:9" };

    /// <summary>A job with one task that makes one call.</summary>
    public async Task<Job<LlmReply, Nothing, Nothing>> StartAsync(CallOf call) =>
        await Orchestrator.CreateJobAsync(new Caller(call), "");

    public async Task<LlmReply> CallAsync(CallOf call) => await (await StartAsync(call)).Completion;

    /// <summary>The error of the only task of a job that fails.</summary>
    public async Task<JobError> FailAsync(CallOf call) => (await Assert.ThrowsAsync<JobFailedException>(() => CallAsync(call))).Error;

    public async ValueTask DisposeAsync()
    {
        await Orchestrator.DisposeAsync();
        await Task.WhenAll(_jobs);
    }

    private sealed class Caller(CallOf call) : Agent<string, LlmReply>
    {
        protected override Task<LlmReply> RunCoreAsync(string input, AgentContext context) => context.RunAsync(AgentTask.Create<string, LlmReply>("call",
            (_, task) => task.Resource<LlmResource>().CallAsync(call.Messages, call.Options, task, call.OnUpdate, call.Interrupt),
            [LlmResource.Requirement(call.Model, call.Tokens)], new TaskPolicy { Retry = new RetryPolicy { Attempts = call.Attempts, Delay = TimeSpan.FromMilliseconds(1), Jitter = false } }), "");
    }
}

internal sealed record CallOf(string Text = "hello")
{
    public string? Model { get; init; }

    public long Tokens { get; init; } = 100;

    public int Attempts { get; init; } = 1;

    public IReadOnlyList<ChatMessage> Messages { get; init; } = [new ChatMessage(ChatRole.User, Text)];

    public ChatOptions? Options { get; init; }

    public Action<ChatResponseUpdate>? OnUpdate { get; init; }

    public CancellationToken Interrupt { get; init; }
}
