namespace Millstream;

/// <content>What a fan-out needs of its workflow.</content>
internal sealed partial class WorkflowRun
{
    /// <summary>Whether nothing is to be started.</summary>
    public bool IsPaused => _isPaused;

    /// <summary>Whether the workflow's job is cancelled and threw this. A token of somebody else's is a fault like any other.</summary>
    public bool IsOfItsJob(OperationCanceledException e) => e.CancellationToken == _context.Cancelled;

    /// <summary>Whether a function of the workflow's author failed with this.</summary>
    public bool IsFault(Exception e) => e is not OutsideTurnException && !(e is OperationCanceledException cancelled && IsOfItsJob(cancelled));

    /// <summary>Starts the run of one item.</summary>
    public void StartItem(NodeRun run, ItemRun started, object? item)
    {
        GraphNode node = run.Node;
        object? input;
        try
        {
            if (node.ItemCondition?.Invoke(_values, item, started.Index) == false)
            {
                started.Ended(NodeEnd.Skipped);
                return;
            }
            input = node.ItemInput!(_values, item, started.Index);
        }
        catch (Exception e) when (IsFault(e))
        {
            started.Ended(NodeEnd.FailedUntold(started.Subject, e));
            return;
        }
        if (node.Task is not null)
            started.Command = StartTask(node, input, started);
        else
            _ = RunItemAsync(run, started, input);
    }

    private async Task RunItemAsync(NodeRun run, ItemRun started, object? input) => started.Ended(await RunChildAsync(run, started.Subject, input));
}
