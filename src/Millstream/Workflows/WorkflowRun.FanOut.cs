using System.Runtime.CompilerServices;

namespace Millstream;

/// <content>One task for each item.</content>
internal sealed partial class WorkflowRun
{
    private async Task FanOutAsync(NodeRun run, IReadOnlyList<object?> items)
    {
        GraphNode node = run.Node;
        // A retry by signal runs again only what did not complete.
        NodeEnd[] ends = run.Items ??= new NodeEnd[items.Count];
        bool[] hasOutput = run.HasOutput ??= new bool[items.Count];
        int limit = Math.Min(node.Options.MaxParallel ?? int.MaxValue, Math.Max(1, items.Count));
        int next = 0;
        TaskError? failure = null;
        Task[] lanes = new Task[limit];
        for (int i = 0; i < limit; i++)
            lanes[i] = LaneAsync();
        await Task.WhenAll(lanes);
        failure ??= ends.FirstOrDefault(e => e.Status == WorkflowTaskStatus.Failed).Error;
        run.Results = failure is null || node.ContinuesOnError ? node.Results!(ends) : null;
        NodeEnd untold = ends.FirstOrDefault(e => e.Untold is not null);
        Finish(run, failure is null ? NodeEnd.Completed(null) : NodeEnd.Failed(failure) with { Untold = untold.Error is { } error ? $"{error.Task}: {untold.Untold}" : null });

        async Task LaneAsync()
        {
            while (next < items.Count)
            {
                int index = next++;
                if (hasOutput[index])
                    continue;
                await WhilePausedAsync(run);
                if (failure is not null || run.Stop.IsCancellationRequested)
                {
                    ends[index] = NodeEnd.Failed(failure ?? new TaskError($"{node.Id}[{index}]", 0, ErrorTypes.Cancelled, $"task {node.Id}[{index}] was not started", false));
                    continue;
                }
                ends[index] = await StartItem(run, items[index], index);
                hasOutput[index] = ends[index].Status == WorkflowTaskStatus.Completed;
                if (ends[index] is { Status: WorkflowTaskStatus.Failed, Error: { } error } && !node.ContinuesOnError && failure is null)
                {
                    failure = error;
                    run.Stop.Cancel();
                }
            }
        }
    }

    private ItemRun StartItem(NodeRun run, object? item, int index)
    {
        GraphNode node = run.Node;
        ItemRun started = new($"{node.Id}[{index}]");
        object? input;
        try
        {
            if (node.ItemCondition?.Invoke(_values, item, index) == false)
            {
                started.Ended(NodeEnd.Skipped);
                return started;
            }
            input = node.ItemInput!(_values, item, index);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutsideTurnException))
        {
            started.Ended(NodeEnd.FailedUntold(started.Subject, e));
            return started;
        }
        if (node.Task is not null)
            StartTask(node, input, started, run.Stop.Token);
        else
            _ = RunItemAsync(run, started, input);
        return started;
    }

    private async Task RunItemAsync(NodeRun run, ItemRun started, object? input) => started.Ended(await RunChildAsync(run, started.Subject, input));
}

/// <summary>One run of a fan-out, awaited by its lane alone: its end goes there at once, inside the turn that delivers it.</summary>
internal sealed class ItemRun(string subject) : INodeEnd, ICriticalNotifyCompletion
{
    private Action? _continuation;
    private NodeEnd _end;

    public string Subject => subject;

    public bool IsCompleted { get; private set; }

    public ItemRun GetAwaiter() => this;

    public NodeEnd GetResult() => _end;

    public void OnCompleted(Action continuation) => _continuation = continuation;

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    public void Ended(NodeEnd end)
    {
        (_end, IsCompleted) = (end, true);
        _continuation?.Invoke();
    }
}
