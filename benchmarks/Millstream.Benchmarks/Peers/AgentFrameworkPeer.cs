using Microsoft.Agents.AI.Workflows;
using PeerEvent = Microsoft.Agents.AI.Workflows.WorkflowEvent;
using PeerWorkflow = Microsoft.Agents.AI.Workflows.Workflow;

namespace Millstream;

/// <summary>
/// Workflows of Microsoft Agent Framework, built once and run in process, off the caller's thread (its default) and without checkpoints, which is its fastest way.
/// Executors are classes of their own, shared by runs, as its documentation shows them.
/// </summary>
internal sealed class AgentFrameworkPeer
{
    private readonly PeerWorkflow _workflow;

    private AgentFrameworkPeer(PeerWorkflow workflow)
    {
        _workflow = workflow;
    }

    public static AgentFrameworkPeer Chain(int count)
    {
        ExecutorBinding last = new AddOne("t0");
        WorkflowBuilder builder = new(last);
        for (int i = 1; i < count; i++)
        {
            ExecutorBinding next = new AddOne($"t{i}");
            builder.AddEdge(last, next);
            last = next;
        }
        return new AgentFrameworkPeer(builder.WithOutputFrom(last).Build());
    }

    public static AgentFrameworkPeer FanOut(int count)
    {
        ExecutorBinding source = new Start(), sum = SumOf(count);
        ExecutorBinding[] workers = [.. Enumerable.Range(0, count).Select(i => (ExecutorBinding)new AddOne($"t{i}"))];
        return new AgentFrameworkPeer(new WorkflowBuilder(source).AddFanOutEdge(source, workers).AddFanInBarrierEdge(workers, sum).WithOutputFrom(sum).Build());
    }

    /// <summary>Chains beside each other, each of steps that wait so many milliseconds; the outcome is the sum of all.</summary>
    public static AgentFrameworkPeer Delays(int[][] chains)
    {
        ExecutorBinding source = new Start(), sum = SumOf(chains.Length);
        WorkflowBuilder builder = new(source);
        List<ExecutorBinding> heads = [], ends = [];
        for (int c = 0; c < chains.Length; c++)
        {
            ExecutorBinding last = new Wait($"t{c}.0", chains[c][0]);
            heads.Add(last);
            for (int i = 1; i < chains[c].Length; i++)
            {
                ExecutorBinding next = new Wait($"t{c}.{i}", chains[c][i]);
                builder.AddEdge(last, next);
                last = next;
            }
            ends.Add(last);
        }
        return new AgentFrameworkPeer(builder.AddFanOutEdge(source, heads).AddFanInBarrierEdge(ends, sum).WithOutputFrom(sum).Build());
    }

    public async Task<int> RunAsync(int input)
    {
        int? output = null;
        await using StreamingRun run = await InProcessExecution.OffThread.RunStreamingAsync(_workflow, input);
        await foreach (PeerEvent e in run.WatchStreamAsync())
        {
            if (e is WorkflowErrorEvent or ExecutorFailedEvent)
                throw new InvalidOperationException($"Agent Framework: {e}");
            if (e is WorkflowOutputEvent ended)
                output = ended.As<int>();
        }
        return output ?? throw new InvalidOperationException("Agent Framework gave no output");
    }

    // It has state, so each run makes its own.
    private static ExecutorBinding SumOf(int count) => ((Func<string, string, ValueTask<Sum>>)((_, _) => new(new Sum(count)))).BindExecutor("sum");

    private sealed class AddOne(string id) : Executor<int, int>(id, declareCrossRunShareable: true)
    {
        public override ValueTask<int> HandleAsync(int message, IWorkflowContext context, CancellationToken cancellationToken = default) => new(message + 1);
    }

    private sealed class Wait(string id, int milliseconds) : Executor<int, int>(id, declareCrossRunShareable: true)
    {
        public override async ValueTask<int> HandleAsync(int message, IWorkflowContext context, CancellationToken cancellationToken = default)
        {
            await Task.Delay(milliseconds, cancellationToken);
            return message + milliseconds;
        }
    }

    private sealed class Start() : Executor<int, int>("start", declareCrossRunShareable: true)
    {
        public override ValueTask<int> HandleAsync(int message, IWorkflowContext context, CancellationToken cancellationToken = default) => new(message);
    }

    [YieldsOutput(typeof(int))]
    private sealed class Sum(int count) : Executor<int>("sum")
    {
        private int _came;
        private int _sum;

        public override async ValueTask HandleAsync(int message, IWorkflowContext context, CancellationToken cancellationToken = default)
        {
            _sum += message;
            if (++_came == count)
                await context.YieldOutputAsync(_sum, cancellationToken);
        }
    }
}
