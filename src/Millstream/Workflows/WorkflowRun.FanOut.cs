namespace Millstream;

/// <content>What a fan-out needs of its workflow.</content>
internal sealed partial class WorkflowRun
{
    /// <summary>Whether nothing is to be started.</summary>
    public bool IsPaused => _isPaused;

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
        catch (Exception e) when (e is not (OperationCanceledException or OutsideTurnException))
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
