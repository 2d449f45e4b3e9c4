using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using WorkflowCore.Interface;
using WorkflowCore.Models;
using WorkflowCore.Models.LifeCycleEvents;

namespace Millstream;

/// <summary>WorkflowCore in its host, with its store and queue in memory.</summary>
internal sealed class WorkflowCorePeer : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IWorkflowHost _host;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _ends = new();
    private readonly string _id;

    private WorkflowCorePeer(Action<IWorkflowHost> register, string id)
    {
        _services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>)).AddWorkflow().BuildServiceProvider();
        _host = _services.GetRequiredService<IWorkflowHost>();
        _id = id;
        register(_host);
        _host.OnLifeCycleEvent += e =>
        {
            if (e is WorkflowCompleted)
                End(e.WorkflowInstanceId).TrySetResult();
        };
        _host.OnStepError += (instance, step, error) => End(instance.Id).TrySetException(error);
        _host.Start();
    }

    public static WorkflowCorePeer Chain(int count) => new(host => host.Registry.RegisterWorkflow(new ChainOf(count)), nameof(ChainOf));

    public static WorkflowCorePeer FanOut(int count) => new(host => host.Registry.RegisterWorkflow(new FanOf(count)), nameof(FanOf));

    public async Task<int> RunAsync()
    {
        Counter counter = new();
        string instance = await _host.StartWorkflow(_id, counter);
        await End(instance).Task;
        _ends.TryRemove(instance, out _);
        return counter.Value;
    }

    public async ValueTask DisposeAsync()
    {
        _host.Stop();
        await _services.DisposeAsync();
    }

    private TaskCompletionSource End(string instance) => _ends.GetOrAdd(instance, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public sealed class Counter
    {
        public int Value { get; set; }
    }

    private sealed class ChainOf(int count) : IWorkflow<Counter>
    {
        public string Id => nameof(ChainOf);

        public int Version => 1;

        public void Build(IWorkflowBuilder<Counter> builder)
        {
            IStepBuilder<Counter, WorkflowCore.Primitives.InlineStepBody> last = builder.StartWith(Add);
            for (int i = 1; i < count; i++)
                last = last.Then(Add);
        }

        private static ExecutionResult Add(IStepExecutionContext context)
        {
            ((Counter)context.Workflow.Data).Value++;
            return ExecutionResult.Next();
        }
    }

    private sealed class FanOf(int count) : IWorkflow<Counter>
    {
        public string Id => nameof(FanOf);

        public int Version => 1;

        public void Build(IWorkflowBuilder<Counter> builder) => builder.StartWith(_ => ExecutionResult.Next())
            .ForEach(_ => Enumerable.Repeat(1, count)).Do(each => each.StartWith(context =>
            {
                ((Counter)context.Workflow.Data).Value += (int)context.Item + 1;
                return ExecutionResult.Next();
            }))
            .Then(_ => ExecutionResult.Next());
    }
}
