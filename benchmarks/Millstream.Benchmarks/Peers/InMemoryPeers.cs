using System.Diagnostics;

namespace Millstream;

/// <summary>Chains and fan-outs of tasks that add one, in memory.</summary>
internal static class InMemoryPeers
{
    private const string Af = "Agent Framework Workflows 1.28.0", Wc = "WorkflowCore 3.22.0", Dataflow = "TPL Dataflow, by hand", Channels = "bounded Channels, by hand";

    private static readonly AgentTask<int, int> AddOne = AgentTask.Create<int, int>("add", static (n, _) => Task.FromResult(n + 1));

    public static IEnumerable<PeerGroup> Groups()
    {
        yield return Chain(1_000, all: true);
        yield return Chain(10_000, all: false);
        yield return FanOut(1_000);
    }

    /// <summary>A job of its own orchestrator, whose start counts too.</summary>
    public static async Task<TOut> JobAsync<TIn, TOut, TEvent, TSignal>(Agent<TIn, TOut, TEvent, TSignal> agent, TIn input, OrchestratorOptions? options = null)
    {
        await using AgentOrchestrator orchestrator = new(options ?? new OrchestratorOptions());
        return await (await orchestrator.CreateJobAsync(agent, input)).Completion;
    }

    /// <summary>Times work whose outcome is known.</summary>
    public static PeerRun Timed(string name, int pieces, int outcome, Func<Task<int>> work) => new(name, async () =>
    {
        long start = Stopwatch.GetTimestamp();
        int got = await work();
        double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / pieces;
        return got == outcome ? time : throw new InvalidOperationException($"{name} gave {got} and not {outcome}");
    });

    private static PeerGroup Chain(int count, bool all)
    {
        string name = $"chain of {count:N0}";
        Lazy<Workflow<int, int>> workflow = new(() => Workflow.Define<int, int>("chain", "1", w =>
        {
            Node<int> node = w.Input;
            for (int i = 0; i < count; i++)
                node = w.Task($"t{i}", AddOne, node);
            return node;
        }));
        Lazy<AgentFrameworkPeer> framework = new(() => AgentFrameworkPeer.Chain(count));
        Lazy<ChannelPipeline> channels = new(() => new ChannelPipeline(count));
        Lazy<DataflowPipeline> dataflow = new(() => new DataflowPipeline(count));
        Lazy<WorkflowCorePeer> core = new(() => WorkflowCorePeer.Chain(count));
        PeerRun ours = Timed("ours", count, count, () => JobAsync(workflow.Value.Agent, 0)), agent = Timed("our agent", count, count, () => JobAsync(new Chained(), count));
        PeerRun theirs = Timed(Af, count, count, () => framework.Value.RunAsync(0));
        PeerLine[] lines = [new(name, Af, ours, theirs, "us", 15), new($"{name}, as an agent", Af, agent, theirs, "us", 15)];
        if (all)
            lines =
            [
                .. lines,
                new(name, Wc, ours, Timed(Wc, count, count, () => core.Value.RunAsync()), "us"),
                new(name, Dataflow, ours, Timed(Dataflow, count, count, () => dataflow.Value.RunAsync(0)), "us"),
                new(name, Channels, ours, Timed(Channels, count, count, () => channels.Value.RunAsync(0)), "us"),
            ];
        return new PeerGroup(lines)
        {
            EndAsync = async () =>
            {
                if (core.IsValueCreated)
                    await core.Value.DisposeAsync();
                if (channels.IsValueCreated)
                    await channels.Value.DisposeAsync();
            },
        };
    }

    private static PeerGroup FanOut(int count)
    {
        string name = $"fan-out and fan-in of {count:N0}";
        int[] ones = [.. Enumerable.Repeat(1, count)];
        Lazy<Workflow<int[], int>> workflow = new(() => Workflow.Define<int[], int>("fan", "1", w => w.ForEach("each", AddOne, w.Input).Select(all => all.Sum())));
        Lazy<AgentFrameworkPeer> framework = new(() => AgentFrameworkPeer.FanOut(count));
        Lazy<WorkflowCorePeer> core = new(() => WorkflowCorePeer.FanOut(count));
        PeerRun ours = Timed("ours", count, 2 * count, () => JobAsync(workflow.Value.Agent, ones)), agent = Timed("our agent", count, 2 * count, () => JobAsync(new Fanned(), ones));
        PeerRun theirs = Timed(Af, count, 2 * count, () => framework.Value.RunAsync(1));
        return new PeerGroup(
            new PeerLine(name, Af, ours, theirs, "us", 30),
            new PeerLine($"{name}, as an agent", Af, agent, theirs, "us", 30),
            new PeerLine(name, Wc, ours, Timed(Wc, count, 2 * count, () => core.Value.RunAsync()), "us"),
            new PeerLine(name, Dataflow, ours, Timed(Dataflow, count, 2 * count, () => DataflowPipeline.FanOutAsync(ones)), "us"),
            new PeerLine(name, Channels, ours, Timed(Channels, count, 2 * count, () => ChannelPipeline.FanOutAsync(ones)), "us"))
        {
            EndAsync = async () =>
            {
                if (core.IsValueCreated)
                    await core.Value.DisposeAsync();
            },
        };
    }

    private sealed class Chained : Agent<int, int>
    {
        protected override async Task<int> RunCoreAsync(int input, AgentContext context)
        {
            int value = 0;
            for (int i = 0; i < input; i++)
                value = await context.RunAsync(AddOne, value);
            return value;
        }
    }

    private sealed class Fanned : Agent<int[], int>
    {
        protected override async Task<int> RunCoreAsync(int[] input, AgentContext context) => (await context.RunAllAsync(AddOne, input)).Sum();
    }
}
