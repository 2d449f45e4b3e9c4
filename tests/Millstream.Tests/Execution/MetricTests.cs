using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millstream.Tests;

/// <summary>What is measured where somebody listens. Other tests are measured, too: what is looked at has names of its own.</summary>
public sealed class MetricTests : IDisposable
{
    private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)> _measured = new();
    private readonly MeterListener _listener = new();

    public MetricTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == AgentOrchestrator.TelemetryName)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => _measured.Enqueue((instrument.Name, value, new(tags.ToArray()))));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => _measured.Enqueue((instrument.Name, value, new(tags.ToArray()))));
        _listener.Start();
    }

    [Fact]
    public async Task Jobs_AndAttempts_AreCountedByWhatBecameOfThem()
    {
        await using AgentOrchestrator orchestrator = new();
        AgentTask<string, string> task = AgentTask.Create<string, string>("metric-task", (_, context) => context.Attempt == 1 ? throw new TimeoutException() : Task.FromResult(""),
            policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.Zero } });
        await (await orchestrator.StartAsync(new TestAgent<string, string>((_, c) => c.RunAsync(task, ""), "metric-well"), "")).Ending;
        await (await orchestrator.StartAsync(new TestAgent<string, string>((_, _) => throw new InvalidDataException(), "metric-badly"), "")).Ending;
        Assert.Equal(["created", "completed"], Values("millstream.jobs", "gen_ai.agent.id", "metric-well", "millstream.job.status"));
        Assert.Equal(["created", "failed"], Values("millstream.jobs", "gen_ai.agent.id", "metric-badly", "millstream.job.status"));
        Assert.Equal(["retried", "completed"], Values("millstream.tasks", "millstream.task.name", "metric-task", "millstream.task.outcome"));
        Assert.Equal(["retried", "completed"], Values("millstream.task.duration", "millstream.task.name", "metric-task", "millstream.task.outcome"));
        Assert.Equal(2, Values("millstream.queue.wait", "millstream.task.name", "metric-task", "millstream.task.name").Count);
        Assert.DoesNotContain(_measured, m => m.Value < 0);
    }

    [Fact]
    public async Task Resources_AreLeasedOrFree()
    {
        TaskCompletionSource begun = new(), open = new();
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { PoolResources = [new PlainResource("metric-1", "metric-seat"), new PlainResource("metric-2", "metric-seat"), new PlainResource("metric-3", "metric-seat")] });
        AgentTask<string, string> sit = AgentTask.Create<string, string>("sit", async (_, _) =>
        {
            begun.SetResult();
            await open.Task;
            return "";
        }, requirements: [ResourceRequirement.Exclusive("metric-seat")]);
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(sit, "")), "");
        await begun.Task;
        orchestrator.SetOffline("metric-3", "broken");
        Assert.Equal((1, 1), Seats());
        open.SetResult();
        await job.Completion;
        Assert.Equal((0, 2), Seats());
        await orchestrator.DisposeAsync();
        Assert.Equal((0, 0), Seats());
    }

    public void Dispose() => _listener.Dispose();

    private (double Leased, double Free) Seats()
    {
        _measured.Clear();
        _listener.RecordObservableInstruments();
        double[] of = [.. new[] { "millstream.resource.leased", "millstream.resource.free" }.Select(name => _measured.SingleOrDefault(m => m.Name == name && Equals(m.Tags["millstream.resource.type"], "metric-seat")).Value)];
        return (of[0], of[1]);
    }

    private List<object?> Values(string name, string tag, string value, string wanted) => [.. _measured.Where(m => m.Name == name && Equals(m.Tags.GetValueOrDefault(tag), value)).Select(m => m.Tags[wanted])];
}
