namespace Millstream;

/// <content>Agents and workflows as nodes: a child job for each attempt, under the node's policy.</content>
internal sealed partial class WorkflowRun
{
    private async Task<NodeEnd> RunChildAsync(NodeRun run, string subject, object? input)
    {
        try
        {
            _plan.Began(run.Node.Index);
            return await RunAttemptsAsync(run, subject, input);
        }
        catch (OperationCanceledException)
        {
            return NodeEnd.Stopped(subject);
        }
        catch (Exception e) when (e is not OutsideTurnException)
        {
            return NodeEnd.FailedUntold(subject, e);
        }
    }

    private async Task<NodeEnd> RunAttemptsAsync(NodeRun run, string subject, object? input)
    {
        (Agent agent, object? childInput) = run.Node.Child!(input);
        TaskPolicy policy = run.Node.Options.Policy ?? TaskPolicy.Default;
        for (int attempt = 1; ; attempt++)
        {
            NodeEnd failed;
            try
            {
                return NodeEnd.Completed(await RunChildOnceAsync(run, subject, agent, childInput, policy.Timeout));
            }
            catch (ChildJobFailedException e)
            {
                failed = NodeEnd.Failed(new TaskError(subject, attempt, e.Error.Type, e.Error.Message, true, e.Error.Details));
            }
            catch (TimeoutException e)
            {
                // Its last entry is child.cancelled.
                failed = NodeEnd.FailedUntold(new TaskError(subject, attempt, ErrorTypes.TimedOut, e.Message, true));
            }
            if (attempt >= policy.Retry.Attempts)
                return failed;
            await _context.DelayAsync(policy.Retry.DelayAfter(attempt, null, _context.Random.NextDouble()), run.Stop.Token);
            await WhilePausedAsync(run);
        }
    }

    private async Task<object?> RunChildOnceAsync(NodeRun run, string subject, Agent agent, object? input, TimeSpan? timeout)
    {
        if (timeout is not { } time)
            return await _context.RunChildAsync<object?>(agent, input, subject, run.Stop.Token);
        using CancellationTokenSource limit = _context.CancelAfter(time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, run.Stop.Token);
        try
        {
            return await _context.RunChildAsync<object?>(agent, input, subject, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !run.Stop.IsCancellationRequested)
        {
            throw new TimeoutException($"task {subject} took longer than its timeout of {Words.Duration(time)}");
        }
    }
}
