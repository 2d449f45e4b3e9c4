using System.Text.Json.Serialization;

namespace Millstream.Tests;

/// <summary>An agent made of a function, for tests.</summary>
internal sealed class TestAgent<TInput, TOutput>(Func<TInput, AgentContext<string, string>, Task<TOutput>> body, string id = "test") : Agent<TInput, TOutput, string, string>
{
    public override string Id => id;

    protected override Task<TOutput> RunCoreAsync(TInput input, AgentContext<string, string> context) => body(input, context);
}

internal static class Agents
{
    public static TestAgent<string, string> Make(Func<AgentContext<string, string>, Task<string>> body) => new((_, context) => body(context));

    /// <summary>A task that gives its input back.</summary>
    public static AgentTask<string, string> Echo { get; } = AgentTask.Create<string, string>("echo", (input, _) => Task.FromResult(input));

    /// <summary>A task that is under way until its token fires.</summary>
    public static AgentTask<string, string> Forever { get; } = AgentTask.Create<string, string>("forever", async (_, context) =>
    {
        TaskCompletionSource stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = context.CancellationToken.Register(() => stop.TrySetResult());
        await stop.Task;
        context.CancellationToken.ThrowIfCancellationRequested();
        return "";
    });

    public static async Task<Job<TOutput, string, string>> StartAsync<TInput, TOutput>(this AgentOrchestrator orchestrator, TestAgent<TInput, TOutput> agent, TInput input, JobOptions? options = null) =>
        await orchestrator.CreateJobAsync(agent, input, options);

    /// <summary>The stream up to the first entry that fits, as JSON lines.</summary>
    public static async Task<JobEvent> UntilAsync(this Job job, Func<JobEvent, bool> fits)
    {
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (fits(e))
                return e;
        }
        throw new InvalidOperationException("the stream ended before: " + string.Join('\n', await job.LinesAsync()));
    }

    public static Task<JobEvent> UntilAsync(this Job job, string kind) => job.UntilAsync(e => e.Kind == kind);

    public static async Task<List<JobEvent>> AllAsync(this Job job, long from = 1)
    {
        List<JobEvent> events = [];
        await foreach (JobEvent e in job.EventsAsync(from))
            events.Add(e);
        return events;
    }

    public static async Task<List<string>> LinesAsync(this Job job) => [.. (await job.AllAsync()).Select(e => e.ToJson())];

    public static async Task<List<string>> KindsAsync(this Job job) => [.. (await job.AllAsync()).Select(e => e.Kind)];
}

/// <summary>A question of tests.</summary>
internal sealed record Proceed(string What) : Question<bool>;

/// <summary>Events of two kinds.</summary>
[JsonDerivedType(typeof(Began), "began")]
[JsonDerivedType(typeof(Ended), "ended")]
internal abstract record Step
{
    internal sealed record Began(string What) : Step;

    internal sealed record Ended(string What, int Count) : Step;
}
