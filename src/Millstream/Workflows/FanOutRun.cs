namespace Millstream;

/// <summary>
/// One execution of a fan-out: a run for each item, in their order, as many at once as it may. Runs end inside turns, and what they make room for starts
/// in the same one.
/// </summary>
internal sealed class FanOutRun
{
    private readonly WorkflowRun _workflow;
    private readonly NodeRun _run;
    private readonly IReadOnlyList<object?> _items;
    private readonly NodeEnd[] _ends;
    private readonly bool[] _hasOutput;
    private readonly ItemRun?[] _running;
    private readonly int _limit;
    private readonly CancellationTokenRegistration _stopping;
    private TaskError? _failure;
    private int _next;
    private int _underWay;
    private bool _isFilling;
    private bool _isHeldBack;
    private bool _isOver;

    public FanOutRun(WorkflowRun workflow, NodeRun run, IReadOnlyList<object?> items)
    {
        (_workflow, _run, _items) = (workflow, run, items);
        // A retry by signal runs again only what did not complete.
        _ends = run.Items ??= new NodeEnd[items.Count];
        _hasOutput = run.HasOutput ??= new bool[items.Count];
        _running = new ItemRun?[items.Count];
        _limit = run.Node.Options.MaxParallel ?? int.MaxValue;
        if (run.Node.Task is not null)
            _stopping = run.Stop.Token.UnsafeRegister(static state => ((FanOutRun)state!).StopTasks(), this);
    }

    /// <summary>Starts what there is room for.</summary>
    public void Fill()
    {
        // Runs that end at once come back here; the outermost call goes on.
        if (_isFilling || _isHeldBack || _isOver)
            return;
        _isFilling = true;
        try
        {
            while (!_isHeldBack && _next < _items.Count && _underWay < _limit)
                StartNext();
            _isOver = !_isHeldBack && _underWay == 0;
            if (_isOver)
                Finish();
        }
        catch (OperationCanceledException e) when (_workflow.IsOfItsJob(e))
        {
            // The job is cancelled, and nothing that follows is recorded.
        }
        finally
        {
            _isFilling = false;
        }
    }

    /// <summary>The run of an item has ended.</summary>
    public void Ended(int index, NodeEnd end)
    {
        _running[index] = null;
        _underWay--;
        _ends[index] = end;
        _hasOutput[index] = end.Status == WorkflowTaskStatus.Completed;
        if (end is { Status: WorkflowTaskStatus.Failed, Error: { } error } && !_run.Node.ContinuesOnError && _failure is null)
        {
            _failure = error;
            _run.Stop.Cancel();
        }
        Fill();
    }

    private void StartNext()
    {
        if (_hasOutput[_next])
        {
            _next++;
            return;
        }
        bool isStopped = _failure is not null || _run.Stop.IsCancellationRequested;
        if (_workflow.IsPaused && !isStopped)
        {
            _isHeldBack = true;
            _ = GoOnAsync();
            return;
        }
        int index = _next++;
        string subject = $"{_run.Node.Id}[{index}]";
        if (isStopped)
        {
            _ends[index] = NodeEnd.Failed(_failure ?? new TaskError(subject, 0, ErrorTypes.Cancelled, $"task {subject} was not started", false));
            return;
        }
        _underWay++;
        ItemRun started = new(this, subject, index);
        _running[index] = started;
        _workflow.StartItem(_run, started, _items[index]);
    }

    private async Task GoOnAsync()
    {
        await _workflow.WhilePausedAsync(_run);
        _isHeldBack = false;
        Fill();
    }

    // The newest first.
    private void StopTasks()
    {
        for (int i = _next - 1; i >= 0; i--)
            _running[i]?.Command?.Stop();
    }

    private void Finish()
    {
        // Its node may run again, or its workflow go on for long. Where it was stopped before it began, there is no registration.
        _stopping.Dispose();
        GraphNode node = _run.Node;
        TaskError? failure = _failure ?? _ends.FirstOrDefault(e => e.Status == WorkflowTaskStatus.Failed).Error;
        NodeEnd end = NodeEnd.Completed(null);
        if (failure is not null)
        {
            NodeEnd untold = _ends.FirstOrDefault(e => e.Untold is not null);
            end = NodeEnd.Failed(failure) with { Untold = untold.Error is { } error ? $"{error.Task}: {untold.Untold}" : null };
        }
        (_run.Results, _run.HasNoResults) = (null, false);
        try
        {
            if (failure is null || node.ContinuesOnError)
                _run.Results = node.Results!(_ends);
        }
        catch (Exception e) when (_workflow.IsFault(e))
        {
            // Also where it may fail: dependants look for its runs, and there is nothing to show them.
            _run.HasNoResults = true;
            end = NodeEnd.FailedUntold(node.Id!, e);
        }
        _workflow.Finish(_run, end);
    }
}

/// <summary>The run of one item of a fan-out.</summary>
internal sealed class ItemRun(FanOutRun fanOut, string subject, int index) : INodeEnd
{
    public string Subject => subject;

    public int Index => index;

    /// <summary>Of a task the one that is under way.</summary>
    public IStoppable? Command { get; set; }

    public void Ended(NodeEnd end) => fanOut.Ended(index, end);
}
