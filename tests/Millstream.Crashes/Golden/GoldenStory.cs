using System.Collections.Concurrent;
using System.Text.Json;
using Millstream.Crashes.Cycles;
using Millstream.Definitions;

namespace Millstream.Crashes.Golden;

/// <summary>A job whose journal is kept for later versions.</summary>
/// <param name="Name">The files' name, and the job's id.</param>
/// <param name="Agent">Its agent.</param>
/// <param name="Input">Its input.</param>
/// <param name="Drive">What is done from outside until it has ended, or has come to where it is left open.</param>
internal sealed record GoldenStory(string Name, Agent Agent, JsonElement Input, Func<GoldenWorld, Job, Task> Drive)
{
    /// <summary>Other agents that it runs.</summary>
    public IReadOnlyList<Agent> Others { get; init; } = [];

    /// <summary>Where its first process is gone and another one goes on before it is driven: how far the first one comes.</summary>
    public Func<Job, Task>? Before { get; init; }

    /// <summary>What lies in its inbox when the other one begins.</summary>
    public IReadOnlyList<InboxItem> Offers { get; init; } = [];

    /// <summary>For a job that is a fork: its first entries are so many of the one that ran <see cref="Before"/>.</summary>
    public long? ForkedAt { get; init; }

    /// <summary>For a job that is left open: what makes it end.</summary>
    public Func<GoldenWorld, Job, Task>? Finish { get; init; }

    /// <summary>For a job that is left open: its output, as JSON.</summary>
    public string? Output { get; init; }

    /// <summary>For a job that is left suspended: the agent with other code that found its journal.</summary>
    public Agent? Changed { get; init; }

    public AgentRegistry Registry(Agent? instead = null)
    {
        AgentRegistry registry = new AgentRegistry().Add(instead ?? Agent);
        foreach (Agent other in Others)
            registry.Add(other);
        return registry;
    }
}

/// <summary>What the tasks of stories wait for.</summary>
internal sealed class GoldenWorld
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new(StringComparer.Ordinal);

    /// <summary>Whether no gate holds anybody.</summary>
    public bool IsOpen { get; init; }

    public void Open(string gate) => Gate(gate).TrySetResult();

    public async Task PassAsync(string gate, TaskContext context)
    {
        if (!IsOpen)
            await Gate(gate).Task.WaitAsync(context.CancellationToken);
    }

    private TaskCompletionSource Gate(string name) => _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}

/// <summary>An agent made of a function.</summary>
internal sealed class GoldenAgent(string id, Func<string, AgentContext<string, string>, Task<string>> body) : Agent<string, string, string, string>
{
    public override string Id => id;

    protected override Task<string> RunCoreAsync(string input, AgentContext<string, string> context) => body(input, context);
}

internal static class GoldenJob
{
    public static async Task UntilAsync(this Job job, string kind, string? task = null, int count = 1)
    {
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (e.Kind == kind && (task is null || e.Task == task) && --count == 0)
                return;
        }
        throw new InvalidOperationException($"job {job.Id} ended before its {kind}");
    }

    public static async Task EndAsync(GoldenWorld world, Job job)
    {
        _ = world;
        await job.Ending;
    }

    /// <summary>Tells it, as another process would, so that it goes through the inbox or the mailbox alike.</summary>
    public static async Task SignalAsync(this Job job, object signal, string? id = null)
    {
        if (await job.SignalAsync(JsonSerializer.SerializeToElement(signal), id) is not SignalResult.Accepted)
            throw new InvalidOperationException($"job {job.Id} did not take {signal}");
    }

    public static async Task ReplyAsync(this Job job, string question, object reply)
    {
        if (await job.AnswerAsync(question, JsonSerializer.SerializeToElement(reply)) is not SignalResult.Accepted)
            throw new InvalidOperationException($"job {job.Id} did not take the answer to {question}");
    }

    /// <summary>The stream that is stored, as commands show it.</summary>
    public static async Task<List<string>> LinesAsync(IJournalStorage store, JobHead head)
    {
        List<string> lines = [];
        await foreach (JobEvent e in StoredEvents.ReadAsync(store, head))
            lines.Add(e.ToJson());
        return lines;
    }
}
