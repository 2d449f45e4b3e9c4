using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

/// <summary>Calls of models by tasks of a real orchestrator, on a clock of the test.</summary>
internal sealed class CallBench : IAsyncDisposable
{
    public CallBench(params LlmResource[] resources) : this(new ImpatientClock(), resources)
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

    public static LlmEndpoint Endpoint(string id = "one") => new() { Id = id, Model = "scripted-model", BaseUrl = "http://127.0.0.1:9", FirstTokenTimeout = TimeSpan.FromDays(1), StallTimeout = TimeSpan.FromDays(1) };

    /// <summary>A job with one task that makes one call.</summary>
    public async Task<Job<LlmReply, Nothing, Nothing>> StartAsync(CallOf call) =>
        await Orchestrator.CreateJobAsync(new Caller(call), "");

    public async Task<LlmReply> CallAsync(CallOf call) => await (await StartAsync(call)).Completion;

    /// <summary>Runs a job with one call to its end.</summary>
    public async Task<CallRun> RunAsync(CallOf call)
    {
        Job<LlmReply, Nothing, Nothing> job = await StartAsync(call);
        List<JobEvent> events = [];
        await foreach (JobEvent entry in job.EventsAsync())
            events.Add(entry);
        LlmReply? reply = events[^1].Kind == JobEventKinds.JobCompleted ? await job.Completion : null;
        return new CallRun(reply, events[^1].Error, events);
    }

    /// <summary>The error of a job with one call that fails.</summary>
    public async Task<JobError> FailAsync(CallOf call) => (await RunAsync(call)).Error ?? throw new InvalidOperationException("the call did not fail");

    public ValueTask DisposeAsync() => Orchestrator.DisposeAsync();

    private sealed class Caller(CallOf call) : Agent<string, LlmReply>
    {
        protected override Task<LlmReply> RunCoreAsync(string input, AgentContext context) => context.RunAsync(AgentTask.Create<string, LlmReply>("call",
            (_, task) => task.Resource<LlmResource>().CallAsync(call.Messages, call.Options, task, call.OnUpdate, call.Interrupt),
            [LlmResource.Requirement(call.Model, call.Tokens)], new TaskPolicy { Retry = new RetryPolicy { Attempts = call.Attempts, Delay = TimeSpan.FromSeconds(1), Jitter = false } }), "");
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

/// <summary>How a job with one call went.</summary>
internal sealed record CallRun(LlmReply? Reply, JobError? Error, IReadOnlyList<JobEvent> Events)
{
    /// <summary>What went wrong in attempts that others followed.</summary>
    public IReadOnlyList<JobError> Retried => [.. Events.Where(e => e.Kind == JobEventKinds.TaskRetried).Select(e => e.Error!)];

    /// <summary>All that the job's stream says.</summary>
    public string Text => string.Join('\n', Events.Select(e => e.ToJson()));
}
